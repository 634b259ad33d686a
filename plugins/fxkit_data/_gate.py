"""Report what the check before training saw: one row per recording, and every finding in full."""

from __future__ import annotations

from collections.abc import Sequence

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


_COLUMNS = (
    ("split", lambda row: row.split),
    ("recording", lambda row: row.name),
    ("rate", lambda row: f"{row.rate}"),
    ("channels", lambda row: row.channels),
    ("seconds", lambda row: f"{row.seconds:.2f}"),
    ("input peak", lambda row: _signed(row.input_peak, "dB", 1)),
    ("target peak", lambda row: _signed(row.target_peak, "dB", 1)),
    ("latency", lambda row: _signed(row.latency, "", 2)),
    ("polarity", lambda row: {None: "", 1: "+", -1: "inverted"}[row.polarity]),
    ("gain", lambda row: _signed(row.gain, "dB", 1)),
    ("remarks", lambda row: ", ".join(dict.fromkeys(finding.check for finding in row.findings))),
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
        cells = [[title for title, _ in _COLUMNS]]
        cells += [[text(row) for _, text in _COLUMNS] for row in self.rows]
        filled = [column for column in zip(*cells, strict=True) if any(column[1:])]
        widths = [max(map(len, column)) for column in filled]
        lines = [
            "  ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True)).rstrip()
            for line in zip(*filled, strict=True)
        ]
        return "\n".join([*lines, *(f"{finding.check}: {finding.line}" for finding in self.remarks)])

    def __str__(self) -> str:
        return self.table()


def refuse(findings: Sequence[Finding]) -> None:
    """Raise `DataError` with one line per refused finding; return when there is none."""
    lines = list(dict.fromkeys(refusals(findings)))
    if lines:
        raise DataError(lines)


def _signed(value: float | None, unit: str, digits: int) -> str:
    return "" if value is None else f"{value:+.{digits}f} {unit}".rstrip()
