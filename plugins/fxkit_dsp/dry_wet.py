"""The `dry-wet`: another processor, mixed with what enters it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Literal

import attrs

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._nesting import Member, members

if TYPE_CHECKING:
    from fxkit_dsp._dry_wet import DryWetModule

MIX = "mix"


@attrs.frozen(kw_only=True)
class DryWet:
    """Mix a processor's output with what enters it, lined up in time.

    The dry side is delayed by the processor's latency. Its parameters stand beside "mix".
    """

    processor: Any = opt(kind="processors", help="what makes the wet side")
    law: Literal["linear", "power"] = opt(
        "linear", help="1 - mix and mix for sides that are alike, equal power for unlike ones"
    )

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return a wrapper of a late processor and one of equal power to check."""
        from fxkit_dsp.limiter import Limiter

        return cls(processor=Limiter()), cls(processor=Limiter(), law="power")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the mix, which may move at every sample, and the parameters of the processor."""
        inner = tuple(self.processor.parameters(self._member(ctx).ctx))
        if MIX in [parameter.name for parameter in inner]:
            raise ValueError(f'the processor inside has a parameter "{MIX}" of its own; use that one')
        return (Parameter(name=MIX, low=0.0, high=1.0, default=0.5, help="0 is dry, 1 is wet"), *inner)

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare what the processor declares, with a receptive field that holds the dry side's delay."""
        inner = self._member(ctx).traits
        field = inner.receptive_field
        return attrs.evolve(inner, receptive_field=field and max(field, inner.latency + 1))

    def build(self, ctx: BuildContext) -> DryWetModule:
        """Build the processor and the mix."""
        from fxkit_dsp._dry_wet import DryWetModule

        member = self._member(ctx)
        if member.traits.source:
            raise AssemblyError("dry-wet", "needs a processor that changes sound; this one makes its own")
        if ctx.channels not in (1, member.channels_out):
            counts = f"{ctx.channels} enter and {member.channels_out} leave"
            raise AssemblyError("dry-wet", f"cannot mix sides of different channels: {counts} the processor")
        return DryWetModule(member, power=self.law == "power")

    def _member(self, ctx: BuildContext) -> Member:
        return members((self.processor,), ctx)[0]
