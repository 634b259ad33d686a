"""Where the values of a parameter stand along an axis: as numbers, in logarithms, or as names in a row."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import attrs
from matplotlib.axis import Axis
from matplotlib.ticker import FuncFormatter, MaxNLocator, NullLocator

from fxkit.figure import plain
from fxkit.sweeping.influence import number

# Up to so many different values each get a place and a label of their own.
_FEW = 8
_LONGEST = 11


@attrs.frozen
class Scale:
    """Hold where each trial's value stands; `names` position -> label where values are named one by one."""

    positions: tuple[float, ...]
    names: dict[float, str]
    log: bool

    @property
    def named(self) -> bool:
        """Tell whether each value has a label of its own."""
        return bool(self.names)

    @property
    def limits(self) -> tuple[float, float]:
        """Return the ends of an axis that shows all positions with some room."""
        low, high = min(self.positions), max(self.positions)
        room = 0.6 if self.named else 0.06 * (high - low)
        return low - room, high + room

    @property
    def shares(self) -> tuple[float, ...]:
        """Return the positions as shares of the way from the lowest to the highest."""
        low, high = min(self.positions), max(self.positions)
        return tuple((one - low) / (high - low) for one in self.positions)

    def marks(self) -> Iterator[tuple[float, str]]:
        """Return share -> label of what is written along the scale: every name, or both ends."""
        low, high = min(self.positions), max(self.positions)
        for position in self.names or (low, high):
            yield (position - low) / (high - low), self.names.get(position) or self.text(position)

    def text(self, position: float) -> str:
        """Write the number at a position."""
        return f"{10**position if self.log else position:.3g}"

    def label(self, axis: Axis) -> None:
        """Label an axis."""
        axis.set_minor_locator(NullLocator())
        if self.named:
            axis.set_ticks(list(self.names), [plain(name, _LONGEST) for name in self.names.values()])
            return
        axis.set_major_locator(MaxNLocator(4))
        axis.set_major_formatter(FuncFormatter(lambda position, _: self.text(position)))


def scale_of(texts: Sequence[str]) -> Scale:
    """Return the scale of the values of trials; few values, and those that are no numbers, are named."""
    distinct = list(dict.fromkeys(texts))
    numbers = {text: number(text) for text in distinct}
    known = [value for value in numbers.values() if value is not None]
    if len(known) < len(distinct) or len(distinct) <= _FEW:
        ordered = (
            sorted(distinct, key=lambda text: numbers[text] or 0.0)
            if len(known) == len(distinct)
            else distinct
        )
        places = {text: float(place) for place, text in enumerate(ordered)}
        return Scale(
            tuple(places[text] for text in texts), {place: text for text, place in places.items()}, False
        )
    log = min(known) > 0 and max(known) / min(known) > 8
    values = [numbers[text] or 0.0 for text in texts]
    return Scale(tuple(math.log10(value) if log else value for value in values), {}, log)
