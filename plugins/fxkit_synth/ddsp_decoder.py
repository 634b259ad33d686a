"""The `ddsp-decoder` controller: synthesiser parameters from pitch and loudness."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.errors import AssemblyError
from fxkit.spec import opt
from fxkit.traits import ControlTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Controller

_NEEDS = {"f0": (2, "Hz and confidence"), "loudness": (1, "dB")}


@attrs.frozen(kw_only=True)
class DDSPDecoder:
    """Turn the features "f0" and "loudness" into parameters by a gated recurrent unit.

    Each feature has its own stack of dense layer, layer normalisation and leaky ReLU; the GRU reads
    both, and a last stack reads GRU and stacks (Engel et al., "DDSP", 2020, appendix B.2). Parameters
    named "f0" are not decoded: they follow the feature itself.
    """

    hidden: int = opt(128, ge=1, le=2048, help="units per layer")
    layers: int = opt(3, ge=1, le=8, help="layers in each stack")

    def traits(self, ctx: BuildContext) -> ControlTraits:
        """Declare frames on the run's hop, made from features."""
        return ControlTraits(rate="frame", hop=ctx.hop, uses=("features",))

    def build(self, ctx: BuildContext) -> Controller:
        """Build the module; raises `AssemblyError` when a feature is absent or has other dimensions."""
        for name, (dims, what) in _NEEDS.items():
            if ctx.features.get(name) != dims:
                found = f"has {ctx.features[name]}" if name in ctx.features else "is absent"
                fix = f'give [features.{name}] the type "{name}"'
                need = f'needs the feature "{name}" of {dims} dimensions ({what})'
                raise AssemblyError("ddsp-decoder", f"{need}, which {found}; {fix}")
        from fxkit_synth._ddsp_decoder import DDSPDecoderModule

        return DDSPDecoderModule(ctx.parameters, self.hidden, self.layers)
