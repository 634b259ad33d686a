"""The distance of magnitude spectra at one resolution, with its gradient formed in the forward pass.

Autograd would keep every intermediate of the spectrum for a backward pass that mirrors the forward
one; here the gradient is one more inverse FFT, and what is kept is as long as the audio.
"""

from __future__ import annotations

from typing import Any

import attrs
import torch

from fxkit.values import Batch, Output
from fxkit_losses._resolution import Resolution


@attrs.frozen(kw_only=True)
class Terms:
    """Hold the weights of spectral convergence, log magnitude and linear magnitude."""

    convergence: float
    log: float
    linear: float


def spectral_distance(output: Output, batch: Batch, resolution: Resolution, terms: Terms) -> torch.Tensor:
    """Return the distance of each item, [batch], of the output's audio and the target.

    With magnitudes M of the output and T of the target: |M - T| / |T| (Frobenius norms) times
    `terms.convergence`, plus the mean of |log M - log T| times `terms.log`, plus the mean of |M - T|
    times `terms.linear`. The magnitudes of the target are made once for all losses of the same
    resolution. The target gets no gradient; a second derivative is not offered.
    """
    expected = batch.shared.of(batch.target, resolution.key, resolution.magnitudes)
    distance: torch.Tensor = _Distance.apply(output.audio, expected, resolution, terms)  # type: ignore[no-untyped-call]
    return distance


class _Distance(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any, audio: torch.Tensor, expected: torch.Tensor, resolution: Resolution, terms: Terms
    ) -> torch.Tensor:
        spectra = resolution(audio)
        power = resolution.power(spectra)
        counts = power >= resolution.floor
        magnitude = power.clamp_(min=resolution.floor).sqrt_()
        found = resolution.banded(magnitude)
        error = found - expected
        far, size = (torch.linalg.vector_norm(part.flatten(1), dim=1) for part in (error, expected))
        value: torch.Tensor = terms.convergence * far / size
        if terms.log:
            value = value + terms.log * (found / expected).log_().abs_().flatten(1).mean(dim=1)
        if terms.linear:
            value = value + terms.linear * error.abs().flatten(1).mean(dim=1)
        if ctx.needs_input_grad[0]:
            steepness = terms.convergence / (far * size).clamp_(min=torch.finfo(far.dtype).tiny)
            slope = resolution.unbanded(_slope(found, error, steepness, terms))
            share = slope.mul_(counts).div_(magnitude)
            ctx.save_for_backward(resolution.adjoint(spectra.mul_(share), audio.shape[-1]))
        return value

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *upstream: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * upstream[0][:, None, None], None, None, None


def _slope(found: torch.Tensor, error: torch.Tensor, steepness: torch.Tensor, terms: Terms) -> torch.Tensor:
    """Return the derivative of the distance by each magnitude."""
    bins = error[0].numel()
    sign = error.sign()
    slope = (error * steepness[:, None, None, None]).addcdiv_(sign, found, value=terms.log / bins)
    return slope.add_(sign, alpha=terms.linear / bins) if terms.linear else slope
