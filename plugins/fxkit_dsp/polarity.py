"""The `polarity` inverter."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.traits import Traits

if TYPE_CHECKING:
    from fxkit_dsp._plain import PolarityModule


@attrs.frozen(kw_only=True)
class Polarity:
    """Turn the signal upside down."""

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare that there is nothing to set."""
        return ()

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare that each sample depends on itself alone."""
        return Traits(receptive_field=1, macs=ctx.channels)

    def build(self, ctx: BuildContext) -> PolarityModule:
        """Build the module."""
        from fxkit_dsp._plain import PolarityModule

        return PolarityModule()
