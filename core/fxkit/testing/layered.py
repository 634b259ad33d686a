"""A small network of the kit's own, through which a conditioning is put to the test."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import torch
from torch import nn

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.protocols import Conditioning
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit.values import State
from fxkit.whole_blocks import on_whole_blocks

WIDTHS = (3, 4)


@attrs.frozen(kw_only=True)
class Layered:
    """Run two layers, each of which mixes channels and is modulated before tanh: a processor."""

    conditioning: Any = opt(kind="conditionings", help="what acts on the layers")

    @property
    def subject(self) -> Any:
        """Return the spec that complaints are about."""
        return self.conditioning

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare what the conditioning does."""
        return tuple(self.conditioning.parameters(ctx, WIDTHS))

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a memory of one sample, or what the conditioning has."""
        traits = self.conditioning.traits(ctx, WIDTHS)
        unbounded = traits.recursive or traits.block
        return Traits(latency=traits.latency, receptive_field=None if unbounded else 1)

    def build(self, ctx: BuildContext) -> nn.Module:
        """Build the network, on whole blocks where the conditioning looks ahead."""
        inputs = ctx.channels + self.conditioning.joined(ctx)
        network = LayeredModule(self.conditioning.build(ctx, WIDTHS), inputs, ctx.channels)
        return on_whole_blocks(network, self.conditioning.traits(ctx, WIDTHS))


class LayeredModule(nn.Module):
    """Start from the steady state of silence; the state is that of the conditioning in each place."""

    def __init__(self, conditioning: Conditioning, inputs: int, outputs: int) -> None:
        super().__init__()
        self.conditioning = conditioning
        self.mixes = nn.ModuleList(nn.Conv1d(a, b, 1) for a, b in ((inputs, WIDTHS[0]), WIDTHS))
        self.head = nn.Conv1d(WIDTHS[-1], outputs, 1)

    def forward(
        self, audio: torch.Tensor, params: Mapping[str, torch.Tensor], state: State = None
    ) -> tuple[torch.Tensor, State]:
        """Map `audio` [batch, channels, samples] to the same shape."""
        entered, *layers = self.silence(audio, params) if state is None else state
        signal, guide, entered = self.conditioning.enter(audio, params, entered)
        after = [entered]
        for layer, (mix, before) in enumerate(zip(self.mixes, layers, strict=True)):
            signal, kept = self.conditioning.modulate(layer, mix(signal), guide, before)
            signal = torch.tanh(signal)
            after.append(kept)
        return self.head(signal), tuple(after)

    def silence(self, audio: torch.Tensor, params: Mapping[str, torch.Tensor]) -> tuple[State, ...]:
        """Return the state that silence for ever has led to."""
        first = {name: value[..., :1] for name, value in params.items()}
        level, guide, _ = self.conditioning.enter(torch.zeros_like(audio[..., :1]), first)
        states = []
        for layer, mix in enumerate(self.mixes):
            level, state = self.conditioning.settle(layer, mix(level), guide)
            level = torch.tanh(level)
            states.append(state)
        return (None, *states)
