"""Group a node's parameters into panels whose lines share an axis."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterable, Sequence

import attrs

from fxkit.figure import COLOURS, chunks
from fxkit.parameter import Parameter


@attrs.frozen
class Line:
    """Name one curve: an entry of a parameter."""

    parameter: Parameter
    entry: int

    @property
    def label(self) -> str:
        """Return what the legend says."""
        return self.parameter.name if self.parameter.size == 1 else f"{self.parameter.name} {self.entry + 1}"


@attrs.frozen
class Panel:
    """Hold the lines of one axes; all have one unit and one scale."""

    lines: tuple[Line, ...]

    @property
    def log(self) -> bool:
        """Tell whether the axis is logarithmic."""
        return self.lines[0].parameter.mapping == "log"

    @property
    def axis_label(self) -> str:
        """Return what the lines have in common: the last words of their names, and the unit."""
        unit = self.lines[0].parameter.unit
        words = common_ending([line.parameter.name for line in self.lines])
        name = " ".join(word for word in words if word.lower() != unit.lower())
        return f"{name} in {unit}" if name and unit else name or unit or "value"

    @property
    def span(self) -> float:
        """Return the least height of a linear axis: a twentieth of the narrowest range."""
        return min(line.parameter.high - line.parameter.low for line in self.lines) / 20


def common_ending(names: Sequence[str]) -> list[str]:
    """Return the words, split at "_" and "-", that all names end with."""
    words = zip(*(reversed(re.split(r"[_-]", name)) for name in names), strict=False)
    same = itertools.takewhile(lambda column: len(set(column)) == 1, words)
    return [column[0] for column in same][::-1]


def panels(parameters: Iterable[Parameter]) -> list[Panel]:
    """Return panels of lines that share unit and scale, at most as many lines each as there are colours.

    Without a unit, the range must agree.
    """
    groups: dict[tuple[object, ...], list[Line]] = {}
    for parameter in parameters:
        key = (parameter.unit or (parameter.low, parameter.high), parameter.mapping == "log")
        groups.setdefault(key, []).extend(Line(parameter, entry) for entry in range(parameter.size))
    return [Panel(tuple(part)) for lines in groups.values() for part in chunks(lines, len(COLOURS))]
