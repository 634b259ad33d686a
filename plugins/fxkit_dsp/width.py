"""The stereo `width`."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._stereo_channels import require_channels

if TYPE_CHECKING:
    from fxkit_dsp._stereo import WidthModule


@attrs.frozen(kw_only=True)
class Width:
    """Widen or narrow a stereo signal: scale what its channels differ in."""

    widest: float = opt(2.0, gt=1, le=10, help="largest width")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the width, which may move at every sample."""
        return (
            Parameter(
                name="width", low=0.0, high=self.widest, default=1.0,
                help="0 is mono, 1 leaves the signal as it is",
            ),
        )  # fmt: skip

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare that each sample depends on itself alone."""
        return Traits(receptive_field=1, macs=4, channels_in=(2,))

    def build(self, ctx: BuildContext) -> WidthModule:
        """Build the module."""
        from fxkit_dsp._stereo import WidthModule

        require_channels("width", ctx, 2)
        return WidthModule()
