"""What is measured of a model's frequency response: values, and the figures that people read off them."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np
import numpy.typing as npt
import torch

from fxkit.model.graph import Model

Array = npt.NDArray[np.float64]

LEVELS = (-36.0, -18.0, -6.0)
ORDERS = 5


@attrs.frozen(kw_only=True, eq=False)
class SmallSignal:
    """Hold the response to a faint impulse, over the frequencies of a `Response`.

    `magnitude_db`; `phase` in radians, unwrapped; `group_delay` in seconds; `impulse` [taps] is the
    response to an impulse of 1. `drift_db` is by how much a second measurement, taken at another time,
    differs at most, where the response is not 40 dB below its peak.
    """

    impulse: Array
    magnitude_db: Array
    phase: Array
    group_delay: Array
    drift_db: float


@attrs.frozen(kw_only=True, eq=False)
class Swept:
    """Hold the response to a swept sine at `level` dBFS, over the frequencies of a `Response`.

    `magnitude_db` is the level of the fundamental over that of the sine. `harmonics_db`
    [orders 2 to 5, frequencies] is that of each harmonic of a sine at that frequency; NaN where the
    harmonic lies beyond the Nyquist frequency.
    """

    level: float
    magnitude_db: Array
    harmonics_db: Array


@attrs.frozen(kw_only=True, eq=False)
class Trace:
    """Hold both measurements of one path through the model."""

    small: SmallSignal
    swept: tuple[Swept, ...]


@attrs.frozen(kw_only=True, eq=False)
class NodeResponse:
    """Hold what one node does `alone`, and what the model has done up to it (`through`).

    `alone` is None where the node cannot be taken by itself; `reason` says why.
    """

    alone: Trace | None
    through: Trace
    reason: str = ""


@attrs.frozen(kw_only=True, eq=False)
class Response:
    """Hold the frequency response of a model: the whole, and each node of a chain.

    `frequencies` in Hz rise in even ratios from 20 Hz to the Nyquist frequency. `knobs` are those at which
    it was measured, scaled to [0, 1]. `notes` tell what a reader has to know about it.
    """

    sample_rate: int
    frequencies: Array
    whole: Trace
    nodes: Mapping[str, NodeResponse]
    knobs: Mapping[str, float] = attrs.field(factory=dict)
    notes: tuple[str, ...] = ()

    def at(self, values: Array, frequency: float) -> float:
        """Return the value at the frequency that is nearest to `frequency` in Hz."""
        return float(values[int(np.abs(np.log(self.frequencies / frequency)).argmin())])


def frequency_response(
    model: Model,
    *,
    knobs: torch.Tensor | None = None,
    levels: tuple[float, ...] = LEVELS,
    seconds: float = 1.0,
    nodes: bool = True,
) -> Response:
    """Measure a model's response through its own forward, from silence, its latency cut off.

    `knobs` [knobs] are scaled to [0, 1], in the middle when absent; `levels` in dBFS are those of the sweeps
    and `seconds` is how long each lasts; `nodes` tells whether each node is measured, too. Raises
    `RunError` for a model that has nothing to respond to: one that plays by itself or from features.
    """
    raise NotImplementedError


