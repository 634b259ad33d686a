"""What low-pass and high-pass share: order, parameters, and the cascade of any order."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit_dsp._corner import FLAT_Q, Resonant

if TYPE_CHECKING:
    from fxkit_dsp._sections import SectionsModule


@attrs.frozen(kw_only=True)
class Butterworth(Resonant):
    """Hold the options of a filter of any order with Butterworth's poles."""

    order: int = opt(2, ge=1, le=16, help="steepness, 6 dB per octave each; a first-order filter has no Q")

    @property
    def sections(self) -> int:
        """Return the number of second-order sections."""
        return (self.order + 1) // 2

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return an even, an odd and the first order to check."""
        return cls(), cls(order=3), cls(order=1)

    def corner_and_q(self, ctx: BuildContext, start: float) -> Sequence[Parameter]:
        """Declare the corner, near `start` Hz, and its level; a first-order filter has no Q."""
        corner = self.frequency(ctx, start, "corner")
        return (corner, self.q(FLAT_Q, "level at the corner"))[: self.order]

    def module(
        self, ctx: BuildContext, first: Callable[..., Any], cascade: Callable[..., Any]
    ) -> SectionsModule:
        """Build the module from the designs of the first order and of the others."""
        from fxkit_dsp._sections import SectionsModule

        if self.order == 1:
            return SectionsModule(ctx, first, ("frequency",))
        return SectionsModule(ctx, partial(cascade, order=self.order), ("frequency", "q"))
