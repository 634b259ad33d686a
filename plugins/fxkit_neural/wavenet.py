"""The `wavenet` processor: arrays of dilated convolutions as in Neural Amp Modeler."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs

from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_neural._conditioned import Conditioned

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Processor

Activation = Literal[
    "tanh", "relu", "leaky-relu", "sigmoid", "silu", "hardtanh", "hardswish", "softsign", "softsigmoid",
    "leaky-hardtanh",
]  # fmt: skip


@attrs.frozen(kw_only=True)
class LayerArray:
    """Describe layers of one width."""

    channels: int = opt(ge=1, le=512, help="channels that run through the layers")
    dilations: tuple[int, ...] = opt(unit="samples", ge=1, help="distance between the taps of each layer")
    kernel: int | tuple[int, ...] = opt(3, ge=1, le=255, help="taps per convolution; or a list, one for each")
    bottleneck: int | None = opt(
        None, ge=1, le=512, help="channels that the head hears; those of the layers when absent"
    )
    activation: Activation = opt("tanh", help="what bends the sum of convolution and input")
    gating: Literal["none", "gated", "blended"] = opt(
        "none",
        help='"gated": each layer is multiplied by a gate; "blended": the gate mixes bent and straight',
    )
    gate: Activation = opt("sigmoid", help="what bends the gate")
    head_kernel: int = opt(1, ge=1, le=255, help="taps of the convolution to the head")
    head_bias: bool = opt(False, help="give the convolution to the head a bias")

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse an array without layers, a list of the wrong length, and a gate that nothing uses."""
        layers = len(self.dilations)
        if not layers:
            yield "dilations", "is empty; write one number for each layer"
        if isinstance(self.kernel, tuple) and len(self.kernel) != layers:
            yield "kernel", f"has {len(self.kernel)} numbers for {layers} layers; write 1, or {layers}"
        if self.gating == "none" and self.gate != "sigmoid":
            yield "gate", 'has no effect without gating; write gating = "gated", or remove it'

    @property
    def kernels(self) -> tuple[int, ...]:
        """Return the taps of each layer."""
        return self.kernel if isinstance(self.kernel, tuple) else (self.kernel,) * len(self.dilations)

    @property
    def heard(self) -> int:
        """Return the channels behind the activation, which the head sums."""
        return self.bottleneck or self.channels

    @property
    def width(self) -> int:
        """Return the channels before the activation."""
        return self.heard if self.gating == "none" else 2 * self.heard

    @property
    def reach(self) -> int:
        """Return how many samples before the present one the array hears."""
        steps = zip(self.kernels, self.dilations, strict=True)
        return sum((taps - 1) * dilation for taps, dilation in steps) + self.head_kernel - 1

    def macs(self, inputs: int, reads: int, outputs: int) -> int:
        """Return multiplications with addition per sample."""
        layers = sum(self.width * (self.channels * taps + reads) for taps in self.kernels)
        points = len(self.dilations) * self.heard * self.channels
        return inputs * self.channels + layers + points + self.heard * outputs * self.head_kernel


_DOUBLINGS = tuple(2**layer for layer in range(10))
_STANDARD = (
    LayerArray(channels=16, dilations=_DOUBLINGS),
    LayerArray(channels=8, dilations=_DOUBLINGS, head_bias=True),
)


@attrs.frozen(kw_only=True)
class WaveNet(Conditioned):
    """Model an amplifier by dilated convolutions whose layers are all heard at the end.

    The network of Neural Amp Modeler (Atkinson, version 0.13), so that weights travel both ways as
    `.nam` files; after van den Oord et al., "WaveNet" (2016). Each layer adds the input, mixed in by
    one weight per channel, to a dilated convolution, bends the sum, and adds it, through a 1x1
    convolution, to what came in. The head sums what all layers of an array bent; its convolution leads to
    the head of the next array, and from the last one to the output.

    The presets are the sizes of NAM: standard (13 801 weights), lite (6 553), feather (3 025), nano (841),
    and of its second generation a2 (12 145) and a2-lite (1 870). The 1x1 convolution of the very last layer
    leads nowhere: its weights count there and are kept for the file, and are not trained.
    """

    arrays: tuple[LayerArray, ...] = opt(_STANDARD, help="the arrays of layers, first to last")
    head_scale: float = opt(0.02, gt=0, le=1000, help="factor on the output")
    conditioning: Any = opt(None, kind="conditionings", help="how a condition acts on the layers")

    @classmethod
    def presets(cls) -> Mapping[str, Mapping[str, Any]]:
        """Return NAM's sizes."""
        short = (_DOUBLINGS[:7], (*_DOUBLINGS[7:], *_DOUBLINGS))
        return {
            "standard": {"arrays": _STANDARD, "head_scale": 0.02},
            "lite": {"arrays": _arrays((12, 6), short), "head_scale": 0.02},
            "feather": {"arrays": _arrays((8, 4), short), "head_scale": 0.02},
            "nano": {"arrays": _arrays((4, 2), short), "head_scale": 0.02},
            "a2": {"arrays": (_second_generation(8),), "head_scale": 0.01},
            "a2-lite": {"arrays": (_second_generation(3),), "head_scale": 0.01},
        }

    @classmethod
    def examples(cls) -> tuple[WaveNet, ...]:
        """Return small forms that differ in what they promise."""
        from fxkit_neural.concat import Concat
        from fxkit_neural.film import FiLM
        from fxkit_neural.tfilm import TFiLM

        plain = LayerArray(channels=4, dilations=(1, 3))
        second = LayerArray(channels=3, dilations=(1, 4), kernel=(3, 2), head_kernel=3, head_bias=True)
        gated = attrs.evolve(second, bottleneck=2, gating="gated")
        blended = LayerArray(channels=3, dilations=(2,), activation="silu", gating="blended", gate="hardtanh")
        return (
            cls(arrays=(plain, second)),
            cls(arrays=(plain, gated), conditioning=Concat(size=2)),
            cls(arrays=(blended,), head_scale=0.5, conditioning=FiLM()),
            cls(arrays=(second,), conditioning=TFiLM()),
        )

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse a network without layers."""
        if not self.arrays:
            yield "arrays", "is empty; write [[nodes.NAME.arrays]] tables, or a preset"

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the channels of each layer before its activation."""
        return tuple(array.width for array in self.arrays for _ in array.dilations)

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare the memory that follows from taps and dilations, and the products of all layers."""
        found = self._condition(ctx)
        memory = 1 + sum(array.reach for array in self.arrays)
        return Traits(
            autocast=True,
            receptive_field=self._memory(ctx, memory),
            latency=found.latency,
            macs=self._macs(ctx) + found.macs,
        )

    def _macs(self, ctx: BuildContext) -> int:
        reads = self._reads(ctx)
        inputs = (reads, *(array.channels for array in self.arrays))
        shapes = zip(self.arrays, inputs, self.heads(ctx), strict=False)
        idle = self.arrays[-1].heard * self.arrays[-1].channels
        return sum(array.macs(before, reads, outputs) for array, before, outputs in shapes) - idle

    def heads(self, ctx: BuildContext) -> tuple[int, ...]:
        """Return the channels that each array's head gives: what the next one's sums, or the output."""
        return (*(array.heard for array in self.arrays[1:]), ctx.channels)

    def build(self, ctx: BuildContext) -> Processor:
        """Build the module for the channels of `ctx`."""
        from fxkit_neural._wavenet import WaveNetModule

        module = WaveNetModule(
            self.arrays,
            self.heads(ctx),
            reads=self._reads(ctx),
            scale=self.head_scale,
            conditioning=self._build_conditioning(ctx),
            modulated=self.conditioning is not None,
        )
        return self._whole(module, ctx)


def _arrays(channels: tuple[int, int], dilations: tuple[tuple[int, ...], ...]) -> tuple[LayerArray, ...]:
    first, second = zip(channels, dilations, strict=True)
    return (
        LayerArray(channels=first[0], dilations=first[1]),
        LayerArray(channels=second[0], dilations=second[1], head_bias=True),
    )


def _second_generation(channels: int) -> LayerArray:
    cycle = (1, 3, 7, 17, 41, 101, 239)
    return LayerArray(
        channels=channels,
        dilations=(*cycle, *cycle, 1, 13, *cycle),
        kernel=(*(6,) * 14, 15, 15, *(6,) * 7),
        activation="leaky-relu",
        head_kernel=16,
        head_bias=True,
    )
