"""What stands in for a conditioning where a network has none."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.traits import ConditioningTraits

if TYPE_CHECKING:
    import torch

    from fxkit.context import BuildContext
    from fxkit.parameter import Parameter
    from fxkit.protocols import Conditioning
    from fxkit.values import Guide, State


@attrs.frozen(kw_only=True)
class Unconditioned:
    """Leave the layers of a network as they are."""

    def parameters(self, ctx: BuildContext, widths: Sequence[int]) -> tuple[Parameter, ...]:
        """Declare nothing."""
        return ()

    def joined(self, ctx: BuildContext) -> int:
        """Add no channels."""
        return 0

    def traits(self, ctx: BuildContext, widths: Sequence[int]) -> ConditioningTraits:
        """Declare neither memory nor look-ahead nor cost."""
        return ConditioningTraits()

    def build(self, ctx: BuildContext, widths: Sequence[int]) -> Conditioning:
        """Build the module."""
        from torch import nn

        class UnconditionedModule(nn.Module):
            def enter(
                self, audio: torch.Tensor, params: Mapping[str, torch.Tensor], state: State = None
            ) -> tuple[torch.Tensor, Guide, State]:
                return audio, None, None

            def settle(self, layer: int, level: torch.Tensor, guide: Guide) -> tuple[torch.Tensor, State]:
                return level, None

            def modulate(
                self, layer: int, signal: torch.Tensor, guide: Guide, state: State = None
            ) -> tuple[torch.Tensor, State]:
                return signal, None

        return UnconditionedModule()
