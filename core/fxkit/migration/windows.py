"""Bring over how the state of a network is warmed up and carried while it trains."""

from __future__ import annotations

from fxkit.migration.entry import Entry
from fxkit.migration.work import Work


def bring_window(work: Work, entry: Entry | None) -> None:
    """Bring over the samples of one step; the segment becomes a number of whole windows."""
    if entry is None:
        return
    window, data = entry.plain(), work.sketch.tables.get("data", {})
    if not isinstance(window, int) or window < 1:
        work.ledger.unneeded(entry, "a step takes the whole segment")
        return
    segment = data.get("segment", 16384)
    whole = max(1, round(segment / window)) * window
    note = "samples; the state is carried from step to step"
    if whole != segment:
        data["segment"] = whole
        note += f"; data.segment is {whole}, whole windows"
    work.sketch.set("train", window=window)
    work.ledger.mapped(entry, "train.window", note)


def bring_warmup(work: Work, entry: Entry | None) -> None:
    """Bring over the samples at the start of a segment that are not scored, which precede it here."""
    if entry is None:
        return
    samples = entry.plain()
    if not isinstance(samples, int) or samples < 1:
        work.ledger.unneeded(entry, "nothing is left out")
        return
    data = work.sketch.tables.setdefault("data", {})
    data["warmup"] = max(samples, data.get("warmup", 0))
    work.ledger.mapped(entry, "data.warmup", "samples, before the segment")
