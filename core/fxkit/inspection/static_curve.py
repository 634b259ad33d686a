"""What leaves a model over what enters it: the curve of a slow sine, and its hysteresis."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np
import numpy.typing as npt
import torch

from fxkit.model.graph import Model

Array = npt.NDArray[np.float64]

LEVELS = (-24.0, -12.0, 0.0)


@attrs.frozen(kw_only=True, eq=False)
class Loop:
    """Hold one period of a sine at `level` dBFS, from its least value: rising half, then falling half.

    `input` and `output` [samples]. `hysteresis` is the widest gap between the two branches, as a share of
    the height of the output.
    """

    level: float
    input: Array
    output: Array
    hysteresis: float


@attrs.frozen(kw_only=True, eq=False)
class NodeCurve:
    """Hold the curve of one node alone; `memoryless` where both branches are one, `straight` where they are a line."""

    loops: tuple[Loop, ...]
    memoryless: bool
    straight: bool


@attrs.frozen(kw_only=True, eq=False)
class Curve:
    """Hold the curves of a whole model and of its nodes, for a sine of `frequency` Hz.

    `knobs` are those at which it was measured, scaled to [0, 1]; `notes` tell what a reader has to know.
    """

    sample_rate: int
    frequency: float
    whole: tuple[Loop, ...]
    nodes: Mapping[str, NodeCurve]
    knobs: Mapping[str, float] = attrs.field(factory=dict)
    notes: tuple[str, ...] = ()


def static_curve(
    model: Model,
    *,
    knobs: torch.Tensor | None = None,
    levels: tuple[float, ...] = LEVELS,
    frequency: float = 100.0,
    nodes: bool = True,
) -> Curve:
    """Measure a model's input/output curve with slow sines, once they have settled.

    `knobs` [knobs] are scaled to [0, 1], in the middle when absent; `levels` in dBFS; `frequency` in Hz;
    `nodes` tells whether each node is measured, too. Raises `RunError` for a model that has nothing to
    respond to: one that plays by itself or from features.
    """
    raise NotImplementedError
