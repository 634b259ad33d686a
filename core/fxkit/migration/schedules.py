"""Bring learning-rate schedules over: epochs become steps, and rates shares of the first one."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from fxkit.migration.entry import Entry
from fxkit.migration.work import EPOCHS_NEEDED, Work, half_life

TABLE = "train.schedule"


def schedule(
    work: Work, name: Entry, given: Entry | None, lr: float | None, interval: str = "epoch"
) -> dict[str, Any] | None:
    """Return the table of a schedule; None, noted, when it has no counterpart or cannot be worked out.

    `lr` is the first learning rate; `interval` says in what the source counts, "epoch" or "step".
    """
    table = work.part("schedules", name, given, TABLE)
    if table is None:
        return None
    steps = 1 if interval == "step" else work.steps_per_epoch
    extra = _EXTRAS.get(table["type"])
    found = extra(work, given, lr, steps) if extra else {}
    return None if found is None else {**table, **found}


Extra = Mapping[str, Any] | None


def _exponential(work: Work, given: Entry | None, lr: float | None, steps: int | None) -> Extra:
    gamma = given.get("gamma") if given else None
    if gamma is None:
        return None
    value = gamma.plain()
    if steps is None:
        work.ledger.missing(gamma, EPOCHS_NEEDED, "train")
        return None
    if not isinstance(value, float) or not 0 < value < 1:
        work.ledger.missing(gamma, "does not make the learning rate fall", "train")
        return None
    told = "step" if steps == 1 else f"epoch of {steps} steps"
    work.ledger.mapped(gamma, f"{TABLE}.half_life", f"{value:g} per {told}, as steps to one half")
    return {"half_life": half_life(value, steps)}


def _stepwise(work: Work, given: Entry | None, lr: float | None, steps: int | None) -> Extra:
    size = given.get("step_size") if given else None
    if size is None:
        return None
    if steps is None:
        work.ledger.missing(size, EPOCHS_NEEDED, "train")
        return None
    every = max(1, round(work.number(size, 1, "train") * steps))
    work.given(size, f"{TABLE}.every", f"times {steps} steps")
    return {"every": every}


def _at(work: Work, given: Entry | None, lr: float | None, steps: int | None) -> Extra:
    marks = given.get("milestones") if given else None
    total = work.sketch.tables.get("train", {}).get("steps")
    points = marks.plain() if marks else None
    told = isinstance(points, list) and all(type(point) in (int, float) for point in points)
    if marks is None or not isinstance(points, list) or not told or steps is None or not total:
        work.ledger.missing(marks, "is a share of the run here, whose length is not known", "train")
        return None
    shares = [float(f"{mark * steps / total:.6g}") for mark in points]
    inside = [share for share in shares if 0 < share < 1]
    work.ledger.mapped(marks, f"{TABLE}.at", f"as shares of {total} steps")
    return {"at": inside} if inside else None


def _cosine(work: Work, given: Entry | None, lr: float | None, steps: int | None) -> Extra:
    span = given.get("T_max") if given else None
    total = work.sketch.tables.get("train", {}).get("steps")
    if span is not None and steps is not None and total == round(work.number(span, 0, "train") * steps):
        work.ledger.unneeded(span, "it falls over the whole run")
    elif span is not None and not work.ledger.knows(span):
        work.ledger.missing(span, "the learning rate falls over the whole run", "train")
    final = work.share(given.get("eta_min") if given else None, lr, f"{TABLE}.final")
    return {} if final is None else {"final": final}


def _plateau(work: Work, given: Entry | None, lr: float | None, steps: int | None) -> Extra:
    lowest = work.share(given.get("min_lr") if given else None, lr, f"{TABLE}.lowest")
    return {} if lowest is None else {"lowest": lowest}


_EXTRAS: Mapping[str, Callable[[Work, Entry | None, float | None, int | None], Extra]] = {
    "exponential": _exponential,
    "step-decay": _stepwise,
    "multi-step": _at,
    "cosine": _cosine,
    "plateau": _plateau,
}
