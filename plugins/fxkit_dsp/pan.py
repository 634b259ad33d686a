"""The `pan`: a place between left and right."""

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
    from fxkit_dsp._stereo import PanModule


@attrs.frozen(kw_only=True)
class Pan:
    """Place a mono signal between left and right, or balance a stereo one.

    With theta from 0 (left) to pi / 2, the gains are cos(theta)^2 and sin(theta)^2 to the power of 1/2
    ("power": 3 dB down in the middle), 1 ("amplitude": 6 dB down) or 3/4 ("between": 4.5 dB down). A
    stereo signal keeps its level in the middle.
    """

    law: Literal["power", "amplitude", "between"] = opt("power", help="what stays the same from side to side")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare the place, which may move at every sample."""
        return (Parameter(name="pan", low=-1.0, high=1.0, default=0.0, help="-1 is left, 1 is right"),)

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare two channels made of each sample alone."""
        return Traits(receptive_field=1, macs=2, channels_in=(1, 2), channels_out=2)

    def build(self, ctx: BuildContext) -> PanModule:
        """Build the module."""
        from fxkit_dsp._stereo import PanModule

        require_channels("pan", ctx, 1, 2)
        return PanModule(power={"power": 0.5, "amplitude": 1.0, "between": 0.75}[self.law])
