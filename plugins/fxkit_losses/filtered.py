"""The `filtered` loss: another loss, heard through a weighting."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits, loss_traits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Loss


@attrs.frozen(kw_only=True)
class Filtered:
    """Filter output and target alike before another loss compares them.

    "pre-emphasis" is 1 - a z^-1 (Wright and Välimäki, "Perceptual loss function for neural modeling of
    audio systems", ICASSP 2020), "a-weighting" the curve of IEC 61672-1 up to half the sample rate,
    "k-weighting" that of ITU-R BS.1770. All are causal and start from silence.
    """

    inner: Any = opt(kind="losses", help="the loss that compares what is filtered")
    filter: Literal["pre-emphasis", "a-weighting", "k-weighting"] = opt(
        "pre-emphasis", choices=("pre-emphasis", "a-weighting", "k-weighting"), help="the weighting"
    )
    coefficient: float = opt(0.95, gt=0, lt=1, help="a of the pre-emphasis")

    @classmethod
    def presets(cls) -> Mapping[str, Mapping[str, Any]]:
        """Return usual combinations."""
        esr = {"type": "esr"}
        return {
            "pre-emphasised-esr": {"inner": esr, "filter": "pre-emphasis", "coefficient": 0.95},
            "a-weighted-esr": {"inner": esr, "filter": "a-weighting"},
        }

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare what the inner loss declares."""
        return loss_traits(self.inner, ctx)

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss."""
        from fxkit_losses._filtered import FilteredModule
        from fxkit_signal.weighting import PreEmphasis, weighting

        emphasis = self.filter == "pre-emphasis"
        heard = PreEmphasis(self.coefficient) if emphasis else weighting(self.filter, ctx.sample_rate)
        key = (self.filter, self.coefficient if emphasis else 0.0, ctx.sample_rate)
        return FilteredModule(self.inner.build(ctx), heard, key)
