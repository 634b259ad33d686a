"""Scale recorded settings to [0, 1]."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

from fxkit_data._finding import Finding
from fxkit_data._turned import Setting, Turned, values_of

Ranges = Mapping[str, tuple[float, float]]


def knob_ranges(
    names: Sequence[str], train: Sequence[Sequence[Setting]], declared: Ranges, sheet: Path
) -> tuple[Ranges, list[Finding]]:
    """Return the (low, high) of each knob: as declared, or as seen in the train split."""
    ranges, findings = {}, []
    for index, name in enumerate(names):
        seen = [value for row in train for value in values_of(row[index])]
        low, high = declared.get(name) or (min(seen, default=0.0), max(seen, default=0.0))
        if low == high:
            what = f"{name} has the one value {low:g} in the train split"
            fix = "remove it, declare its range, or record more settings"
            findings.append(Finding(check="knobs", file=sheet, what=what, fix=fix))
        ranges[name] = (low, high)
    return ranges, findings


def scaled(values: Sequence[Setting], names: Sequence[str], ranges: Ranges) -> list[Setting]:
    """Return the settings with low as 0 and high as 1."""
    return [_scaled(value, *ranges[name]) for name, value in zip(names, values, strict=True)]


def _scaled(value: Setting, low: float, high: float) -> Setting:
    if isinstance(value, Turned):
        return Turned(value.seconds, tuple((one - low) / (high - low) for one in value.values))
    return (value - low) / (high - low)


def outside(
    values: Sequence[Setting], names: Sequence[str], ranges: Ranges, declared: Ranges, file: Path
) -> list[Finding]:
    """Find settings beyond the range: refused where it was declared, a remark where it was only seen."""
    findings = []
    named = [(name, one) for name, value in zip(names, values, strict=True) for one in values_of(value)]
    for name, value in named:
        low, high = ranges[name]
        if not low <= value <= high:
            what = f"was made at {name} = {value:g}, outside [{low:g}, {high:g}]"
            fix = "correct the setting or the range"
            refused = name in declared
            findings.append(Finding(check="knobs", file=file, what=what, fix=fix, refused=refused))
    return findings
