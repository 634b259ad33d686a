"""The `kl` loss: divergence of a posterior from the standard normal distribution."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Loss


@attrs.frozen(kw_only=True)
class KL:
    """Measure the divergence of a model's posterior from the standard normal distribution, in nats.

    1/2 (mean^2 + variance - log variance - 1) per dimension (Kingma and Welling, "Auto-encoding variational
    Bayes", 2014, appendix B), averaged over frames and summed over dimensions. The terms "NODE.mean" and
    "NODE.log_variance" of the model hold it, [batch, dimensions, frames]. With `free_bits`, a dimension
    costs only what it has beyond so many nats (Kingma et al., "Improved variational inference with inverse
    autoregressive flow", 2016, section C.8; item by item here and not on average over the batch, on which
    a value would then depend).
    """

    node: str = opt(refers="owner", help="node or controller whose posterior it is")
    free_bits: float = opt(0.0, unit="nats", ge=0, le=100, help="what each dimension has for nothing")

    @classmethod
    def examples(cls) -> tuple[KL, ...]:
        """Return the divergence of some node's posterior, without free bits and with some."""
        return cls(node="latent"), cls(node="latent", free_bits=0.02)

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare that it reads terms of the model, not its audio."""
        return LossTraits(distance=False, terms=(f"{self.node}.mean", f"{self.node}.log_variance"))

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss."""
        from fxkit_losses._kl import KLModule

        return KLModule(self.node, self.free_bits)
