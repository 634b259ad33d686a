"""The distance of magnitude spectra at one resolution, with its gradient formed in the forward pass.

Autograd would keep every intermediate of the spectrum for a backward pass that mirrors the forward
one; here the gradient is one more inverse FFT, and what is kept is as long as the audio.
"""

from __future__ import annotations

from typing import Any

import attrs
import torch

from fxkit.values import Batch, Output
from fxkit_losses._blocks import Block, blocks, plain, resynthesised
from fxkit_losses._resolution import Resolution


@attrs.frozen(kw_only=True)
class Terms:
    """Hold the weights of spectral convergence, log magnitude and linear magnitude.

    `quiet` is the least power, as the mean square of samples, that a target counts as in the convergence.
    """

    convergence: float
    log: float
    linear: float
    quiet: float = 0.0


def spectral_distance(output: Output, batch: Batch, resolution: Resolution, terms: Terms) -> torch.Tensor:
    """Return the distance of each item, [batch], of the output's audio and the target.

    With magnitudes M of the output and T of the target: |M - T| / |T| (Frobenius norms) times
    `terms.convergence`, plus the mean of |log M - log T| times `terms.log`, plus the mean of |M - T|
    times `terms.linear`. |T| is at least that of white noise of the power `terms.quiet`. The magnitudes
    of the target are made once for all losses that frame and window it alike. The target gets no gradient;
    a second derivative is not offered.
    """
    expected = batch.shared.of(batch.target, resolution.key, resolution.magnitudes)
    if resolution.bands is not None:
        expected = batch.shared.of(expected, resolution.bands_key, resolution.floored)
    swift = plain(output.audio) and plain(expected) and resolution.bands is None
    function: Any = _BlockDistance if swift else _Distance
    distance: torch.Tensor = function.apply(output.audio, expected, resolution, terms)
    return distance


class _Scaled(torch.autograd.Function):
    """Multiply the gradient of each item by what comes from above."""

    @staticmethod
    @torch.autograd.function.once_differentiable
    def backward(ctx: Any, *upstream: torch.Tensor) -> tuple[torch.Tensor, None, None, None]:
        (gradient,) = ctx.saved_tensors
        return gradient * upstream[0][:, None, None], None, None, None


class _Distance(_Scaled):
    """Measure in torch's operations, on any device and in any precision."""

    @staticmethod
    def forward(
        ctx: Any, audio: torch.Tensor, expected: torch.Tensor, resolution: Resolution, terms: Terms
    ) -> torch.Tensor:
        wanted = expected if resolution.bands is not None else resolution.floored(expected)
        spectra = resolution(audio)
        power = resolution.power(spectra)
        counts = power >= resolution.floor
        magnitude = power.clamp_(min=resolution.floor).sqrt_()
        found = resolution.banded(magnitude)
        error = found - wanted
        far, size = (torch.linalg.vector_norm(part.flatten(1), dim=1) for part in (error, wanted))
        size = size.clamp(min=resolution.norm_of_noise(terms.quiet, wanted[0]))
        value: torch.Tensor = terms.convergence * far / size
        if terms.log:
            value = value + terms.log * (found / wanted).log_().abs_().flatten(1).mean(dim=1)
        if terms.linear:
            value = value + terms.linear * error.abs().flatten(1).mean(dim=1)
        if ctx.needs_input_grad[0]:
            steepness = terms.convergence / (far * size).clamp_(min=torch.finfo(far.dtype).tiny)
            slope = resolution.unbanded(_slope(found, error, steepness, terms))
            share = slope.mul_(counts).div_(magnitude)
            ctx.save_for_backward(resolution.adjoint(spectra.mul_(share), audio.shape[-1]))
        return value


def _slope(found: torch.Tensor, error: torch.Tensor, steepness: torch.Tensor, terms: Terms) -> torch.Tensor:
    """Return the derivative of the distance by each magnitude."""
    bins = error[0].numel()
    sign = error.sign()
    slope = (error * steepness[:, None, None, None]).addcdiv_(sign, found, value=terms.log / bins)
    return slope.add_(sign, alpha=terms.linear / bins) if terms.linear else slope


class _BlockDistance(_Scaled):
    """Measure in compiled kernels, channel by channel."""

    @staticmethod
    def forward(
        ctx: Any, audio: torch.Tensor, expected: torch.Tensor, resolution: Resolution, terms: Terms
    ) -> torch.Tensor:
        framed = resolution.framed(audio)
        padded = audio.new_zeros(*audio.shape[:-1], audio.shape[-1] + resolution.size)
        keep = ctx.needs_input_grad[0]
        measured = [
            _item(*parts, resolution, terms, keep) for parts in zip(framed, expected, padded, strict=True)
        ]
        if keep:
            ctx.save_for_backward(resolution.unreflected(padded))
        return audio.new_tensor(measured)


def _item(
    framed: torch.Tensor,
    expected: torch.Tensor,
    padded: torch.Tensor,
    resolution: Resolution,
    terms: Terms,
    keep: bool,
) -> float:
    """Return the distance of one item; with `keep`, add its gradient to `padded` [channels, samples]."""
    from fxkit_signal.compiled.magnitudes import distance_sums, scale_by_slope

    rows: list[torch.Tensor] = []
    kept: list[list[Block]] = []
    for lines, wanted in zip(framed, expected, strict=True):
        kept.append([])
        for block in blocks(resolution, lines):
            rows.append(distance_sums(block.spectra, wanted[block.frames], resolution.floor))
            if keep:
                kept[-1].append(block)
    # At once, so that the blocks' size does not show in the last digit.
    squares, sizes, logs, energy = torch.cat(rows).sum(dim=0, dtype=torch.float64).tolist()
    far, bins = squares**0.5, expected.numel()
    size = max(energy**0.5, resolution.norm_of_noise(terms.quiet, expected))
    weights = (terms.convergence / (far * size) if far else 0.0, terms.log / bins, terms.linear / bins)
    for parts, wanted, total in zip(kept, expected, padded, strict=False):
        for block in parts:
            scale_by_slope(block.spectra, wanted[block.frames], resolution.floor, weights)
        resynthesised(resolution, parts, total)
    value: float = terms.convergence * far / size + (terms.log * logs + terms.linear * sizes) / bins
    return value
