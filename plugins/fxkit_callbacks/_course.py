"""How parameters move, as pictures need it."""

from __future__ import annotations

from typing import Any

import attrs
import numpy.typing as npt

from fxkit.parameter import Parameter

Array = npt.NDArray[Any]

# Parameters of more entries are drawn as maps of colours.
LARGEST = 7


@attrs.frozen(kw_only=True, eq=False)
class Course:
    """Hold how a parameter moved in an excerpt: `values` [size, times] at `seconds` [times]."""

    parameter: Parameter
    seconds: Array
    values: Array

    def thinned(self, points: int = 1200) -> Course:
        """Return a course of about `points` times, as many as can be seen."""
        step = max(1, self.seconds.size // points)
        return attrs.evolve(self, seconds=self.seconds[::step], values=self.values[:, ::step])


@attrs.frozen(kw_only=True, eq=False)
class Wave:
    """Hold the outline of a waveform: its least and greatest samples, evenly from `start` to `stop` in s."""

    low: Array
    high: Array
    start: float
    stop: float
