"""Report what the check before training saw: one row per recording, and every finding in full."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import attrs

from fxkit.errors import DataError
from fxkit_data._finding import Finding, refusals


@attrs.frozen(kw_only=True)
class GateRow:
    """Hold the facts of one recording.

    `rate` in Hz as recorded; `seconds` as used; peaks in dBFS; `latency` in samples of the run's rate
    by which the wet side is late; `polarity` +1 or -1; `gain` in dB. None where there is no dry side.
    """

    split: str
    name: str
    rate: int
    channels: str
    seconds: float
    target_peak: float
    input_peak: float | None = None
    latency: float | None = None
    polarity: int | None = None
    gain: float | None = None
    findings: tuple[Finding, ...] = ()


# Title, how to set it, and its text.
_COLUMNS = (
    ("split", str.ljust, lambda row: row.split),
    ("recording", str.ljust, lambda row: row.name),
    ("rate", str.rjust, lambda row: f"{row.rate}"),
    ("channels", str.ljust, lambda row: row.channels),
    ("seconds", str.rjust, lambda row: f"{row.seconds:.2f}"),
    ("input peak", str.rjust, lambda row: _decibels(row.input_peak)),
    ("target peak", str.rjust, lambda row: _decibels(row.target_peak)),
    (
        "samples late",
        str.rjust,
        lambda row: "" if row.latency is None else f"{round(row.latency, 2) + 0.0:+.2f}",
    ),
    ("polarity", str.ljust, lambda row: {None: "", 1: "+", -1: "inverted"}[row.polarity]),
    ("gain", str.rjust, lambda row: _decibels(row.gain)),
    ("remarks", str.ljust, lambda row: ", ".join(dict.fromkeys(finding.check for finding in row.findings))),
)


@attrs.frozen(kw_only=True)
class GateReport:
    """Hold the rows of a dataset and the findings that belong to no row."""

    rows: tuple[GateRow, ...]
    findings: tuple[Finding, ...] = ()

    @property
    def remarks(self) -> tuple[Finding, ...]:
        """Return everything seen that did not stop the training."""
        found = [*self.findings, *(finding for row in self.rows for finding in row.findings)]
        return tuple(finding for finding in found if not finding.refused)

    def table(self) -> str:
        """Return the rows as aligned text, with a line for each remark below."""
        columns = [_column(title, justify, list(map(text, self.rows))) for title, justify, text in _COLUMNS]
        lines = ["  ".join(cells).rstrip() for cells in zip(*filter(None, columns), strict=True)]
        return "\n".join([*lines, *(f"{finding.check}: {finding.line}" for finding in self.remarks)])

    def __str__(self) -> str:
        return self.table()


def _column(title: str, justify: Callable[[str, int], str], texts: Sequence[str]) -> list[str]:
    """Return the title and the texts at one width, nothing where there is no text."""
    width = max(map(len, (title, *texts)))
    return [justify(cell, width) for cell in (title, *texts)] if any(texts) else []


def refuse(findings: Sequence[Finding]) -> None:
    """Raise `DataError` with one line per refused finding; return when there is none."""
    lines = list(dict.fromkeys(refusals(findings)))
    if lines:
        raise DataError(lines)


def _decibels(value: float | None) -> str:
    return "" if value is None else f"{value:+.1f} dB"
