"""The `knobs` controller: the device's knobs as they are."""

from __future__ import annotations

import difflib
from typing import TYPE_CHECKING

import attrs

from fxkit.errors import AssemblyError
from fxkit.spec import opt
from fxkit.traits import ControlTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Controller


@attrs.frozen(kw_only=True)
class Knobs:
    """Hand the knobs of the recorded device on as they are: what conditions a network. Learns nothing.

    Each knob sets one value over its whole range, in the order of the parameters.
    """

    order: tuple[str, ...] = opt(
        (), help="a knob's name for each value; all knobs in their order when absent"
    )

    @classmethod
    def examples(cls) -> tuple[Knobs, ...]:
        """Return the form that says which knob sets what."""
        return (cls(order=("tone", "drive", "tone", "tone", "drive")),)

    def traits(self, ctx: BuildContext) -> ControlTraits:
        """Declare constants made from the knobs."""
        return ControlTraits(uses=("knobs",))

    def build(self, ctx: BuildContext) -> Controller:
        """Build the module; raises `AssemblyError` when knobs and values do not agree."""
        names = self.order or ctx.knobs
        strange = next((name for name in names if name not in ctx.knobs), None)
        if strange is not None:
            near = difflib.get_close_matches(strange, ctx.knobs, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(ctx.knobs) or 'none'}"
            raise AssemblyError("knobs", f'the data has no knob "{strange}"; {hint}')
        if len(names) != ctx.control_size:
            raise AssemblyError("knobs", _mismatch(names, ctx))
        from fxkit_control._knobs import KnobsModule

        return KnobsModule([ctx.knobs.index(name) for name in names])


def _mismatch(names: tuple[str, ...], ctx: BuildContext) -> str:
    values = ", ".join(f"{parameter.name} ({parameter.size})" for parameter in ctx.parameters)
    have = f"{len(names)} knob(s) ({', '.join(names)})" if names else "no knobs"
    advice = f"give the conditioning size = {len(names)}, or use knobs-mlp, which fits any number"
    return f"there are {have} for {ctx.control_size} value(s): {values}; {advice}"
