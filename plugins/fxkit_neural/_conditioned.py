"""What the specs of all networks share: any conditioning acts on their layers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from fxkit.unconditioned import Unconditioned

if TYPE_CHECKING:
    from torch import nn

    from fxkit.context import BuildContext
    from fxkit.parameter import Parameter
    from fxkit.protocols import Conditioning, ConditioningSpec, Processor
    from fxkit.traits import ConditioningTraits


class Conditioned:
    """Add to the spec of a network that has an option `conditioning`."""

    __slots__ = ()

    if TYPE_CHECKING:
        conditioning: Any

    @property
    def widths(self) -> tuple[int, ...]:
        """Return the channels of each layer where a condition acts."""
        raise NotImplementedError

    def parameters(self, ctx: BuildContext) -> tuple[Parameter, ...]:
        """Declare what the conditioning wants to be set."""
        return tuple(self._acting.parameters(ctx, self.widths))

    @property
    def _acting(self) -> ConditioningSpec:
        acting: ConditioningSpec = self.conditioning or Unconditioned()
        return acting

    def _condition(self, ctx: BuildContext) -> ConditioningTraits:
        return self._acting.traits(ctx, self.widths)

    def _build_conditioning(self, ctx: BuildContext) -> Conditioning:
        return self._acting.build(ctx, self.widths)

    def _reads(self, ctx: BuildContext) -> int:
        """Return the channels that the network reads: those of the audio, and what is joined to them."""
        return ctx.channels + self._acting.joined(ctx)

    def _memory(self, ctx: BuildContext, samples: int) -> int | None:
        """Return the receptive field of a network that has one of so many samples by itself."""
        condition = self._condition(ctx)
        return None if condition.recursive or condition.block else samples

    def _whole(self, module: nn.Module, ctx: BuildContext) -> Processor:
        """Run the module on whole blocks where the conditioning looks ahead."""
        from fxkit.whole_blocks import on_whole_blocks

        return on_whole_blocks(module, self._condition(ctx))


def conditionings() -> tuple[Any, ...]:
    """Return one conditioning of each kind, and one that looks ahead, on short blocks."""
    from fxkit_neural.concat import Concat
    from fxkit_neural.film import FiLM
    from fxkit_neural.tfilm import TFiLM
    from fxkit_neural.ttfilm import TTFiLM
    from fxkit_neural.tvconcat import TVConcat
    from fxkit_neural.tvfilm import TVFiLM

    moving = (TFiLM(block=48), TFiLM(block=48, lookahead=True), TTFiLM(block=48))
    return (Concat(size=2), FiLM(), *moving, TVConcat(block=48), TVFiLM(block=48))
