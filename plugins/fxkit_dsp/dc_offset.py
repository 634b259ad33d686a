"""The `dc-offset`: add a constant."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

if TYPE_CHECKING:
    from fxkit_dsp._plain import DCOffsetModule


@attrs.frozen(kw_only=True)
class DCOffset:
    """Add a constant, such as the bias that makes a symmetric curve clip one side first."""

    limit: float = opt(1.0, gt=0, help="largest offset either way; full scale is 1")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the offset, which may move at every sample."""
        return (Parameter(name="offset", low=-self.limit, high=self.limit, default=0.0, help="added value"),)

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare that each sample depends on itself alone."""
        return Traits(receptive_field=1, macs=ctx.channels)

    def build(self, ctx: BuildContext) -> DCOffsetModule:
        """Build the module."""
        from fxkit_dsp._plain import DCOffsetModule

        return DCOffsetModule()
