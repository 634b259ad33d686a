"""The `mid-side` matrix."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits
from fxkit_dsp._stereo_channels import require_channels

if TYPE_CHECKING:
    from fxkit_dsp._stereo import MidSideModule


@attrs.frozen(kw_only=True)
class MidSide:
    """Turn left and right into middle and side, or back.

    Middle is (left + right) / 2 and side (left - right) / 2; left is middle + side, right middle - side.
    """

    direction: Literal["encode", "decode"] = opt("encode", help="to middle and side, or back")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare that there is nothing to set."""
        return ()

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare that each sample depends on itself alone."""
        return Traits(receptive_field=1, macs=4, channels_in=(2,))

    def build(self, ctx: BuildContext) -> MidSideModule:
        """Build the module."""
        from fxkit_dsp._stereo import MidSideModule

        require_channels("mid-side", ctx, 2)
        return MidSideModule(scale=0.5 if self.direction == "encode" else 1.0)
