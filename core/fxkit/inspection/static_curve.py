"""What leaves a model over what enters it: the curve of a slow sine, and its hysteresis."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import attrs
import numpy as np
import numpy.typing as npt
import torch

from fxkit.inspection.probe import knob_names, probe
from fxkit.model.graph import Model

Array = npt.NDArray[np.float64]

LEVELS = (-24.0, -12.0, 0.0)
FREQUENCY = 100.0
_SECONDS = 0.5
# float32 rounds far finer; a filter or an envelope leaves more.
_SAME = 1e-3


@attrs.frozen(kw_only=True, eq=False)
class Loop:
    """Hold one period of a sine at `level` dBFS from its least value on: it rises, then falls.

    `input` and `output` [samples]. `hysteresis` is the widest gap between the two branches, as a share of
    the height of the output; 0 where the output stands still.
    """

    level: float
    input: Array
    output: Array

    @property
    def rising(self) -> tuple[Array, Array]:
        """Return input and output from the least to the greatest input."""
        half = len(self.input) // 2 + 1
        return self.input[:half], self.output[:half]

    @property
    def falling(self) -> tuple[Array, Array]:
        """Return input and output from the greatest input back to the least."""
        half = len(self.input) // 2
        return np.append(self.input[half:], self.input[0]), np.append(self.output[half:], self.output[0])

    @property
    def hysteresis(self) -> float:
        """Return the widest gap between the branches over the height of the output."""
        height = float(np.ptp(self.output))
        gap = float(np.abs(self.rising[1] - self.falling[1][::-1]).max())
        return gap / height if height else 0.0


@attrs.frozen(kw_only=True, eq=False)
class NodeCurve:
    """Hold the curve of one node alone.

    `memoryless`: one curve holds for both branches and all levels; `straight`: it is a line.
    """

    loops: tuple[Loop, ...]
    memoryless: bool
    straight: bool


@attrs.frozen(kw_only=True, eq=False)
class Curve:
    """Hold the curves of a whole model, and of its nodes that can be taken alone, at `frequency` Hz.

    `knobs` are those at which it was measured, scaled to [0, 1].
    """

    sample_rate: int
    frequency: float
    whole: tuple[Loop, ...]
    nodes: Mapping[str, NodeCurve]
    knobs: Mapping[str, float] = attrs.field(factory=dict)

    @property
    def shapers(self) -> dict[str, Loop]:
        """Return each memoryless node that bends the signal, with its curve at the highest level."""
        bent = {name: node for name, node in self.nodes.items() if node.memoryless and not node.straight}
        return {name: max(node.loops, key=lambda loop: loop.level) for name, node in bent.items()}

    def figures(self) -> dict[str, float]:
        """Return the hysteresis at each level, and the peaks that a sine at the highest level reaches."""
        found = {f"hysteresis_{loop.level:g}dbfs": loop.hysteresis for loop in self.whole}
        top = max(self.whole, key=lambda loop: loop.level)
        return {**found, "lowest": float(top.output.min()), "highest": float(top.output.max())}


def static_curve(
    model: Model,
    *,
    knobs: torch.Tensor | None = None,
    levels: tuple[float, ...] = LEVELS,
    frequency: float = FREQUENCY,
    nodes: bool = True,
) -> Curve:
    """Measure a model's input/output curve with slow sines, half a second after they began.

    All channels get the same signal; the first is measured. `knobs` [knobs] are scaled to [0, 1], in the
    middle when absent; `levels` in dBFS; `frequency` in Hz, rounded to whole samples; `nodes` tells
    whether each node is measured alone, too. Raises `RunError` for a model that has nothing to respond to:
    one that plays by itself or from features.
    """
    rate = next(iter(model.plan.nodes.values())).ctx.sample_rate
    # In quarters, so that the sine has its least and its greatest value at a sample.
    period = 4 * max(2, round(rate / frequency / 4))
    periods = max(2, round(_SECONDS * rate / period))
    sine = torch.sin(2 * torch.pi * torch.arange(periods * period + 3 * period // 4).double() / period)
    gains = torch.tensor([10 ** (level / 20) for level in levels], dtype=torch.float64)
    signals = gains[:, None] * sine
    starts = torch.zeros(len(levels), dtype=torch.int64)
    heard = probe(model, signals, starts, knobs, nodes=slice(None) if nodes else None)
    inputs = signals[:, -period:].numpy()
    return Curve(
        sample_rate=rate,
        frequency=rate / period,
        whole=tuple(_loops(levels, inputs, heard.whole)),
        nodes={name: _node_curve(levels, inputs, audio) for name, audio in heard.alone.items()},
        knobs=knob_names(model, knobs),
    )


def _loops(levels: tuple[float, ...], inputs: Array, audio: torch.Tensor) -> Iterator[Loop]:
    outputs = audio[:, -inputs.shape[-1] :].double().numpy()
    for level, input_, output in zip(levels, inputs, outputs, strict=True):
        yield Loop(level=level, input=input_, output=output)


def _node_curve(levels: tuple[float, ...], inputs: Array, audio: torch.Tensor) -> NodeCurve:
    loops = tuple(_loops(levels, inputs, audio))
    largest = max(loops, key=lambda loop: loop.level)
    return NodeCurve(
        loops=loops,
        memoryless=all(_lies_on(loop, largest) for loop in loops),
        straight=_bend(largest) <= _SAME,
    )


def _lies_on(loop: Loop, largest: Loop) -> bool:
    """Tell whether both branches of a loop lie on the rising branch of the largest."""
    expected = np.interp(loop.input, *largest.rising)
    height = max(float(np.ptp(largest.output)), 1e-9)
    return bool(np.abs(loop.output - expected).max() <= _SAME * height)


def _bend(loop: Loop) -> float:
    """Return the widest gap between a curve and the line that fits it best, over its height."""
    line = np.polyval(np.polyfit(loop.input, loop.output, 1), loop.input)
    height = float(np.ptp(loop.output))
    return float(np.abs(loop.output - line).max()) / height if height else 0.0
