"""Check that what an experiment plans for some step of the training comes to pass."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from fxkit.experiment.draft import Draft
from fxkit.experiment.model import Part
from fxkit.experiment.report import Report
from fxkit.experiment.tables import PhaseTable, TrainTable, with_an_end
from fxkit.experiment.tree import Tree
from fxkit.trigger import Triggers


def check_course(found: Draft, report: Report) -> None:
    """Warn of validations, callbacks, turns and schedules that would never have their turn.

    Report phases in which nothing can learn.
    """
    train, phases = found.tables.get("train"), found.tables.get("phase") or ()
    if train is None or len(phases) < _given(found):
        return
    steps = length(train, phases)
    written = found.tree.at(("train", "validate_every"))
    # A default is not meant for this very training.
    if written is not None and steps is not None and train.validate_every > steps:
        report.mild.at_value(
            written,
            f"this training has {steps} steps, so that it is validated at its end alone;"
            f" {max(1, steps // 10)} would do it ten times",
        )
    for part, table in _callbacks(found):
        _check_trigger(part, table, train, steps, report.mild)
    for phase, table in zip(phases, _phase_tables(found), strict=True):
        _check_turns(phase, table, report.mild)
    _check_frozen(found, report)


def length(train: TrainTable, phases: tuple[PhaseTable, ...]) -> int | None:
    """Return how many steps a training makes at most; None where time alone limits it."""
    limits = [phase.steps for phase in phases] or [with_an_end(train, phases).steps]
    known = [steps for steps in limits if steps is not None]
    return sum(known) if len(known) == len(limits) else None


def _given(found: Draft) -> int:
    entry = found.tree.get("phase")
    return len(entry.value) if entry is not None and isinstance(entry.value, tuple) else 0


def _phase_tables(found: Draft) -> tuple[Tree, ...]:
    entry = found.tree.get("phase")
    return tuple(entry.value) if entry is not None and isinstance(entry.value, tuple) else ()


def _callbacks(found: Draft) -> Iterator[tuple[Part, Tree]]:
    tables = found.named("callbacks")
    return ((part, tables[name]) for name, part in found.parts["callbacks"].items())


def _check_trigger(part: Part, table: Tree, train: TrainTable, steps: int | None, report: Report) -> None:
    options = part.spec
    if not isinstance(options, Triggers):
        return
    meant = steps if table.get("every") is not None or options.at else None
    for option, message in options.missed(train.validate_every, meant):
        place = table.get(option)
        if place is not None:
            report.at_value(place, message)
        else:
            report.at_table(table, f"{option} = {message}")


def _check_turns(phase: PhaseTable, table: Tree, report: Report) -> None:
    turns = table.get("alternate")
    if turns is None or phase.steps is None or not isinstance(turns.value, tuple):
        return
    before = 0
    for turn, tree in zip(phase.alternate, turns.value, strict=False):
        if before >= phase.steps:
            message = f"never has its turn: the phase ends after {phase.steps} steps, the turns before take"
            report.at_value(tree, f"{message} {before}")
        before += turn.steps


def _check_frozen(found: Draft, report: Report) -> None:
    """Report lists of what learns of which all is frozen; warn of a model that is frozen throughout."""
    frozen = _frozen(found)
    place = found.tree.at(("model", "chain"))
    complete = all(len(found.parts[name]) == len(found.named(name)) for name in ("nodes", "controllers"))
    if place is not None and complete and frozen and all(frozen.values()):
        report.mild.at_value(place, "every node is frozen, so that nothing learns; set freeze = false in one")
    for table in _phase_tables(found):
        turns = table.get("alternate")
        inner = turns.value if turns is not None and isinstance(turns.value, tuple) else ()
        for one in (table, *inner):
            chosen = one.get("train")
            names = (
                [item.value for item in chosen.value] if chosen and isinstance(chosen.value, tuple) else []
            )
            if chosen is not None and names and all(frozen.get(str(name)) for name in names):
                message = f"nothing learns here: {', '.join(map(str, names))} {_are(names)} frozen"
                report.at_value(chosen, f"{message}; set freeze = false there, or name another")


def _are(names: list[str]) -> str:
    return "is" if len(names) == 1 else "are"


def _frozen(found: Draft) -> Mapping[str, bool]:
    """Return for nodes and controllers whether all of their weights stay as they start."""
    frozen = {name: part.keys.freeze for name, part in found.parts["controllers"].items()}
    for name, part in found.parts["nodes"].items():
        own = part.keys.controller
        inline = isinstance(own, Part)
        frozen[name] = part.keys.freeze and not (inline and not own.keys.freeze)
        if inline:
            frozen[f"{name}.controller"] = own.keys.freeze
    return frozen
