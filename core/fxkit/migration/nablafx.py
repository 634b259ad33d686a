"""Bring over experiments of NablAFx: the data, model and trainer files of its command line, in YAML."""

from __future__ import annotations

import posixpath
from collections.abc import Sequence
from typing import Any

from fxkit.migration.chain import bring_chain, bring_network
from fxkit.migration.entry import Entry
from fxkit.migration.losses import bring_losses
from fxkit.migration.nablafx_classes import DATA, SYSTEM
from fxkit.migration.rules import apply
from fxkit.migration.schedules import schedule
from fxkit.migration.trainer import bring_trainer
from fxkit.migration.windows import bring_window
from fxkit.migration.work import Work

_MONITORS = {
    "loss/val/tot": "loss",
    "loss/val/l1": "time",
    "loss/val/mrstft": "frequency",
    "metrics/val/esr": "esr",
    "val_loss": "loss",
}
_LAYOUT = (
    "NablAFx pairs NAME.input.wav with SETTINGS.NAME.target.wav; fxkit wants the same NAME on both sides:"
    " root/input/NAME.wav and root/target/NAME.wav, in train/, val/ and test/ or without."
)


def bring_nablafx(work: Work, sources: Sequence[Entry]) -> None:
    """Bring over what the files say; keys that nobody knows are left to the account."""
    for part in _sections(sources, "data")[:1]:
        _data(work, part)
    for extra in _sections(sources, "data")[1:]:
        why = "one table [data] says where everything is; put these recordings into root/test"
        work.ledger.missing(extra, why, "data")
    trainers = _sections(sources, "trainer")
    for system in _sections(sources, "model")[:1]:
        _system(work, system)
    for trainer in trainers[:1]:
        bring_trainer(work, trainer, _MONITORS)
    for source in sources:
        _rest(work, source)


def _sections(sources: Sequence[Entry], name: str) -> list[Entry]:
    return [found for source in sources if (found := source.get(name)) is not None]


def _arguments(work: Work, section: Entry, target: str) -> Entry:
    """Return the keys of a section that may name its class."""
    path = section.get("class_path")
    given = section.get("init_args")
    if path is None:
        return given or section
    work.ledger.mapped(path, target)
    return given or Entry({}, section.file, section.line, section.key)


def _data(work: Work, section: Entry) -> None:
    given = _arguments(work, section, "data.type")
    work.sketch.set("data", type="paired-audio", **_folders(work, given))
    work.sketch.remark("data", _LAYOUT)
    work.rate(given.get("sample_rate"))
    _length(work, given.get("sample_length"))
    _split(work, given.get("trainval_split"))
    batch = given.get("batch_size")
    work.sketch.set("train", batch_size=work.whole(batch, 16, "train"))
    work.given(batch, "train.batch_size")
    work.sketch.set("data", **apply(DATA, given, work.ledger, "data"))


def _folders(work: Work, given: Entry) -> dict[str, Any]:
    dry, wet = given.get("root_dir_dry"), given.get("root_dir_wet")
    if dry is None or wet is None:
        return {"root": "data"}
    sides = [posixpath.normpath(str(side.plain()).replace("\\", "/")) for side in (dry, wet)]
    try:
        root = posixpath.commonpath(sides) or "."
    except ValueError:
        root = "."
    if root in sides:
        root = posixpath.dirname(root) or "."
    names = [posixpath.relpath(side, root) for side in sides]
    for entry, option in ((dry, "input"), (wet, "target")):
        work.ledger.mapped(entry, f"data.{option}", "below data.root, files named alike")
    return {"root": root, "input": names[0], "target": names[1]}


def _length(work: Work, entry: Entry | None) -> None:
    if entry is None:
        return
    if isinstance(entry.plain(), int) and entry.plain() >= 16:
        work.sketch.set("data", segment=entry.plain())
        work.ledger.mapped(entry, "data.segment", "samples")
    else:
        work.ledger.missing(
            entry, "a segment has a length in samples; whole files are not trained on", "data"
        )


def _split(work: Work, entry: Entry | None) -> None:
    share = round(1 - work.number(entry, 0.8, "data"), 9)
    if 0 <= share <= 0.5:
        work.sketch.set("data", val_fraction=share, test_fraction=0.0)
        work.given(entry, "data.val_fraction", "the rest; a test set is a folder of its own")
    elif entry is not None and not work.ledger.knows(entry):
        work.ledger.missing(entry, "at most half of the recordings can be validated on", "data")


def _system(work: Work, section: Entry) -> None:
    given = _arguments(work, section, "model")
    apply(SYSTEM, given, work.ledger, "train")
    model = given.get("model")
    if model is not None:
        inner = _arguments(work, model, "model.chain")
        (bring_chain if inner.get("processors") else bring_network)(work, inner)
    bring_losses(work, given.get("loss"))
    if "losses.esr" not in work.sketch.tables:
        work.sketch.set("metrics.esr", type="esr")
    lr = given.get("lr")
    rate = work.number(lr, 1e-4, "train")
    # What the system does unasked: torch's AdamW and ReduceLROnPlateau(factor=0.5, patience=20).
    work.sketch.set("train", optimizer={"type": "adamw", "lr": rate})
    work.sketch.set(
        "train",
        schedule={"type": "plateau", "ratio": 0.5, "patience": 20, "min_delta": 1e-4, "lowest": 0.0},
    )
    work.given(lr, "train.optimizer.lr", "AdamW and a plateau schedule, as the system has")
    bring_window(work, given.get("step_num_samples"))
    _media(work, given.get("log_media_every_n_steps"))


def _media(work: Work, entry: Entry | None) -> None:
    if entry is None:
        return
    work.sketch.set(
        "callbacks.listen", type="audio-samples", every=work.whole(entry, 500, "callbacks.listen")
    )
    work.given(entry, "callbacks.listen.every", "steps")


def _rest(work: Work, source: Entry) -> None:
    seed = source.get("seed_everything")
    if seed is not None and type(seed.plain()) is int:
        work.sketch.set("run", seed=seed.plain())
        work.ledger.mapped(seed, "run.seed")
    elif seed is not None:
        work.ledger.unneeded(seed, "a run has a seed in any case")
    optimizer, falling = source.get("optimizer"), source.get("lr_scheduler")
    if optimizer is not None and optimizer.plain() is not None:
        work.sketch.set("train", optimizer=work.classed("optimizers", optimizer, "train.optimizer"))
    if falling is not None and falling.get("class_path"):
        lr = work.sketch.tables.get("train", {}).get("optimizer", {}).get("lr")
        work.sketch.set(
            "train", schedule=schedule(work, falling.value["class_path"], falling.get("init_args"), lr)
        )
    for name, why in (("ckpt_path", "weights of Lightning cannot be read"),):
        if source.get(name) is not None and source.value[name].plain() is not None:
            work.ledger.missing(source.get(name), why, "run")
