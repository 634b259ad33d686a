"""The `energy-decay` loss: difference of energy decay curves."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt
from fxkit.traits import LossTraits

if TYPE_CHECKING:
    import torch

    from fxkit.context import BuildContext
    from fxkit.protocols import Loss
    from fxkit.values import Batch, Output

# Of a target that is silent.
_LEAST_ENERGY = 1e-10


@attrs.frozen(kw_only=True)
class EnergyDecay:
    """Average the difference in dB of the energy decay curves of output and target.

    The curve holds at each sample the energy that is still to come (Schroeder, "New method of measuring
    reverberation time", 1965, equation 5), channel by channel. For what dies away: impulse responses,
    reverberation, single notes. It hears how long a sound lasts and no detail of it.
    """

    floor: float = opt(
        -60.0, unit="dB", ge=-140, lt=0, help="where curves end, below the energy of the whole target"
    )

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare that it does not see the sign."""
        return LossTraits(sign_blind=True)

    def build(self, ctx: BuildContext) -> Loss:
        """Build the loss."""
        return partial(decay_difference, floor=10 ** (self.floor / 10))


def decay_difference(output: Output, batch: Batch, *, floor: float) -> torch.Tensor:
    """Return the mean difference of each item in dB, [batch].

    `floor` is the share of the target's energy that is added to both curves.
    """
    found, expected = energy_left(output.audio), energy_left(batch.target)
    least = floor * expected[..., :1] + _LEAST_ENERGY
    apart = 10 * ((found + least).log10() - (expected + least).log10()).abs()
    return apart.mean(dim=(1, 2)).to(output.audio.dtype)


def energy_left(audio: torch.Tensor) -> torch.Tensor:
    """Return the sum of squares from each sample to the end, float64, of `audio` [..., samples]."""
    return audio.double().square().flip(-1).cumsum(dim=-1).flip(-1)
