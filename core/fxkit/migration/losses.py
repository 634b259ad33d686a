"""Bring losses over that are named by class."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fxkit.migration.entry import Entry
from fxkit.migration.work import Work

# Class -> its losses: (key of the loss, key of its weight, weight when left out, name here).
_SUMS: Mapping[str, tuple[tuple[str, str, float, str], ...]] = {
    "TimeAndFrequencyDomainLoss": (
        ("time_domain_loss", "time_domain_weight", 5.0, "time"),
        ("frequency_domain_loss", "frequency_domain_weight", 5.0, "frequency"),
    ),
    "ESRandDCLoss": (("esr_loss", "esr_weight", 5.0, "esr"), ("dc_loss", "dc_weight", 5.0, "dc")),
}


def bring_losses(work: Work, entry: Entry | None) -> None:
    """Bring over one loss, or a class that adds several up."""
    if entry is None:
        return
    path = entry.get("class_path") or entry
    members = _SUMS.get(str(path.plain()).rpartition(".")[2])
    given = entry.get("init_args")
    if members is None or given is None:
        _one(work, entry, "error", None, 1.0)
        return
    work.ledger.mapped(path, "losses", "its members, each with its weight")
    for key, weight, default, name in members:
        inner = given.get(key)
        if inner is not None:
            _one(work, inner, name, given.get(weight), default)


def _one(work: Work, entry: Entry, name: str, weight: Entry | None, default: float) -> None:
    table = f"losses.{name}"
    found = work.classed("losses", entry, table)
    if found is None:
        work.ledger.missing(weight, "its loss has no counterpart", table)
        return
    given = entry.get("init_args")
    found = weighted(work, found, given.get("perceptual_weighting") if given else None, table)
    value = work.number(weight, default, table)
    work.given(weight, f"{table}.weight")
    work.sketch.set(table, **{"type": found.pop("type"), "weight": value, **found})


def weighted(work: Work, loss: dict[str, Any], entry: Entry | None, table: str) -> dict[str, Any]:
    """Return a loss behind the filter that perceptual weighting asks for, and note it."""
    if entry is None:
        return loss
    if not entry.plain():
        work.ledger.unneeded(entry, "nothing is filtered")
        return loss
    work.ledger.mapped(entry, f"{table}.filter", "A-weighting")
    return {"type": "filtered", "filter": "a-weighting", "inner": loss}
