"""Whatever its options, a loss measures the shortest signal that it declares, and nothing shorter."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit.values import Batch, Output
from fxkit_losses.filtered import Filtered
from fxkit_losses.l1 import L1
from fxkit_losses.mel_stft import MelSTFT
from fxkit_losses.multi_resolution_stft import MultiResolutionSTFT
from fxkit_losses.multi_scale_spectral import MultiScaleSpectral
from fxkit_losses.novelty import Novelty
from fxkit_losses.random_resolution_stft import RandomResolutionSTFT
from fxkit_losses.stft import STFT
from fxkit_losses.sum_difference import SumDifference
from fxkit_losses.weighted_sum import WeightedSum

EVEN = st.integers(8, 300).map(lambda half: 2 * half)
SPECTRAL = st.one_of(
    st.tuples(EVEN, st.floats(0.25, 1), st.integers(1, 700)).map(
        lambda drawn: STFT(fft_size=drawn[0], win_length=max(4, int(drawn[0] * drawn[1])), hop_size=drawn[2])
    ),
    st.lists(EVEN, min_size=1, max_size=3).map(lambda sizes: MultiResolutionSTFT(fft_sizes=tuple(sizes))),
    st.lists(st.sampled_from((64, 100, 256)), min_size=1, max_size=3).map(
        lambda sizes: MultiScaleSpectral(fft_sizes=tuple(sizes))
    ),
    EVEN.map(lambda size: RandomResolutionSTFT(low=16, high=size + 4)),
    st.sampled_from((256, 400, 512)).map(lambda size: MelSTFT(fft_size=size, bands=4)),
    st.sampled_from((256, 400, 512)).map(lambda size: Novelty(fft_size=size, bands=4, against="target")),
)
WRAPPED = st.one_of(
    SPECTRAL,
    SPECTRAL.map(lambda inner: Filtered(inner=inner)),
    SPECTRAL.map(lambda inner: SumDifference(inner=inner)),
    st.lists(SPECTRAL, min_size=1, max_size=2).map(lambda terms: WeightedSum(terms=(L1(), *terms))),
)


@given(WRAPPED, st.sampled_from((8000, 16000, 48000)), st.sampled_from((torch.float32, torch.float64)))
@settings(max_examples=60, deadline=None)
def test_the_least_is_measured_and_one_sample_less_refused(spec, rate, dtype):
    ctx = BuildContext(sample_rate=rate, channels=2, target_channels=2)
    least = spec.traits(ctx).least_samples
    draw = torch.Generator().manual_seed(0)
    audio, target = (0.1 * torch.randn(2, 2, least, generator=draw, dtype=dtype) for _ in range(2))
    loss = spec.build(ctx)
    live = audio.clone().requires_grad_()
    value = loss(Output(audio=live), Batch(target=target))
    (gradient,) = torch.autograd.grad(value.sum(), live)
    assert value.dtype == gradient.dtype == dtype
    assert bool(value.isfinite().all())
    assert bool(gradient.isfinite().all())
    with pytest.raises(AssemblyError, match=rf"{least - 1} samples are fewer than the FFT size {least}"):
        loss(Output(audio=audio[..., 1:]), Batch(target=target[..., 1:]))
