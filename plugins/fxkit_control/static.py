"""The `static` controller: one learned setting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.traits import ControlTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Controller


@attrs.frozen(kw_only=True)
class Static:
    """Learn one constant per parameter value, starting at the parameter's default."""

    def traits(self, ctx: BuildContext) -> ControlTraits:
        """Declare constants made from nothing."""
        return ControlTraits()

    def build(self, ctx: BuildContext) -> Controller:
        """Build the module for the parameters of `ctx`."""
        from fxkit_control._static import StaticModule

        return StaticModule(ctx.parameters)
