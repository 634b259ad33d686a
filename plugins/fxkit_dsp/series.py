"""The `series`: several processors as one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._nesting import members
from fxkit_dsp.low_pass import LowPass
from fxkit_dsp.pan import Pan
from fxkit_dsp.peak import Peak

if TYPE_CHECKING:
    from fxkit_dsp._series import SeriesModule


@attrs.frozen(kw_only=True)
class Series:
    """Run several processors one after the other, as one.

    For places that take a single processor, such as a wrapper that mixes or oversamples. The parameter
    "gain_db" of the second one is called "1.gain_db", and so on, counting from 0.
    """

    processors: tuple[Any, ...] = opt(kind="processors", help="what runs, in order")

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return filters and a change of channels in a row to check."""
        return (cls(processors=(Peak(), LowPass(order=1), Pan(), Peak())),)

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse a list of nothing."""
        if not self.processors:
            yield "processors", "an empty list; name at least one processor"

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the parameters of all members."""
        return tuple(
            attrs.evolve(parameter, name=f"{index}.{parameter.name}")
            for index, member in enumerate(members(self.processors, ctx))
            for parameter in member.spec.parameters(member.ctx)
        )

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare what the members amount to."""
        line = members(self.processors, ctx)
        every = [member.traits for member in line]
        counts = [traits.macs for traits in every]
        fields = [traits.receptive_field for traits in every]
        return Traits(
            latency=sum(traits.latency for traits in every),
            causal=all(traits.causal for traits in every),
            receptive_field=None if None in fields else 1 + sum((field or 1) - 1 for field in fields),
            differentiable=all(traits.differentiable for traits in every),
            straight_through=any(traits.straight_through for traits in every),
            source=every[0].source,
            channels_out=None if line[-1].channels_out == ctx.channels else line[-1].channels_out,
            channels_in=every[0].channels_in,
            macs=None if None in counts else sum(count or 0 for count in counts),
            inputs=tuple(dict.fromkeys(name for traits in every for name in traits.inputs)),
            terms=tuple(f"{index}.{name}" for index, traits in enumerate(every) for name in traits.terms),
        )

    def build(self, ctx: BuildContext) -> SeriesModule:
        """Build all members."""
        from fxkit_dsp._series import SeriesModule

        line = members(self.processors, ctx)
        for index, member in enumerate(line):
            if index and member.traits.source:
                raise AssemblyError("series", f"processors[{index}] is a source; only the first may be")
        return SeriesModule(line)
