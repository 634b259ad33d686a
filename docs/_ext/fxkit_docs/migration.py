"""Write the tables of what other programs' classes and keys become."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from fxkit.migration import nablafx_classes, nam_classes, stable_audio_classes, training_classes
from fxkit.migration.rules import ClassRule, Rule
from fxkit_docs.markdown import code, table, toml

# Title -> classes.
CLASSES: Mapping[str, Mapping[str, ClassRule]] = {
    "NablAFx: processors and networks": nablafx_classes.PROCESSORS,
    "Neural Amp Modeler: networks": nam_classes.NETS,
    "Losses of PyTorch and auraloss": training_classes.LOSSES,
    "Optimisers of PyTorch": training_classes.OPTIMIZERS,
    "Learning rates of PyTorch": training_classes.SCHEDULES,
    "Callbacks of Lightning": training_classes.CALLBACKS,
}
# Title -> keys.
KEYS: Mapping[str, Mapping[str, Rule]] = {
    "NablAFx: recordings": nablafx_classes.DATA,
    "NablAFx: system": nablafx_classes.SYSTEM,
    "NablAFx: chain": nablafx_classes.CHAIN,
    "Lightning: trainer": training_classes.TRAINER,
    "Neural Amp Modeler: recordings": nam_classes.PAIR,
    "Neural Amp Modeler: batches": nam_classes.LOADER,
    "Neural Amp Modeler: losses": nam_classes.LOSS,
    "Neural Amp Modeler: an array of WaveNet layers": {**nam_classes.ARRAY, **nam_classes.HEAD},
    "stable-audio-tools: model file": stable_audio_classes.MODEL,
    "stable-audio-tools: training": {**stable_audio_classes.TRAINING, **stable_audio_classes.DEMO},
    "stable-audio-tools: recordings": {**stable_audio_classes.DATA, **stable_audio_classes.FOLDER},
    "stable-audio-tools: INI": stable_audio_classes.INI,
}


def migration_tables() -> str:
    """Return a section per table."""
    classes = [f"### {title}\n\n{_classes(rules)}" for title, rules in CLASSES.items()]
    keys = [
        f"### {title}\n\n{table(('Key', 'Becomes', 'Note'), _rows(rules))}" for title, rules in KEYS.items()
    ]
    return "\n\n".join([*classes, *keys])


def _classes(rules: Mapping[str, ClassRule]) -> str:
    rows = []
    for name, rule in rules.items():
        if not rule.plugin:
            rows.append((code(name), "no counterpart", "", rule.why))
            continue
        first = (code(name), code(rule.plugin))
        rows.append((*first, "", _implied(rule)))
        rows.extend(("", "", code(key), told) for key, told in _told(rule.keys))
    return table(("Class", "Plugin", "Key", "Becomes"), rows)


def _implied(rule: ClassRule) -> str:
    told = ", ".join(code(f"{name} = {toml(value)}") for name, value in rule.implied.items())
    return f"with {told}" if told else ""


def _told(keys: Mapping[str, Rule]) -> Sequence[tuple[str, str]]:
    return [(name, f"{what}; {note}" if note else what) for name, what, note in _plain(keys)]


def _rows(keys: Mapping[str, Rule]) -> list[tuple[str, str, str]]:
    return [(code(name), what, note) for name, what, note in _plain(keys)]


def _plain(keys: Mapping[str, Rule]) -> list[tuple[str, str, str]]:
    return [(name, *_outcome(rule)) for name, rule in keys.items()]


def _outcome(rule: Rule) -> tuple[str, str]:
    words = {"lost": "no counterpart", "spare": "not needed", "only": "not needed, or no counterpart"}
    return (words.get(rule.action) or code(rule.target), rule.note)
