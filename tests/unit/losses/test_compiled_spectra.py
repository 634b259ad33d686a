"""The compiled form of spectral distances gives what the plain one gives, in blocks and on threads."""

from __future__ import annotations

import math
from unittest import mock

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.context import BuildContext
from fxkit.values import Batch, Output
from fxkit_losses import _blocks, _resolution, _spectral_distance
from fxkit_losses.mel_stft import MelSTFT
from fxkit_losses.multi_resolution_stft import MultiResolutionSTFT
from fxkit_losses.multi_scale_spectral import MultiScaleSpectral
from fxkit_losses.random_resolution_stft import RandomResolutionSTFT
from fxkit_losses.stft import STFT

magnitudes = pytest.importorskip("fxkit_signal.compiled.magnitudes", reason="numba is not installed")
CTX = BuildContext(sample_rate=16000)
SPECS = [
    STFT(fft_size=64, win_length=40, hop_size=7),
    STFT(fft_size=128, hop_size=200, linear_magnitude=0.7),
    STFT(fft_size=64, convergence=0.0),
    STFT(fft_size=64, convergence=0.0, log_magnitude=0.0, linear_magnitude=1.0),
    MultiResolutionSTFT(),
    MultiScaleSpectral(),
    RandomResolutionSTFT(),
    MelSTFT(),
]


def signals(batch=2, channels=2, samples=3001, seed=0):
    draw = torch.Generator().manual_seed(seed)
    shape = (batch, channels, samples)
    audio, other = (0.2 * torch.randn(shape, generator=draw, dtype=torch.float64) for _ in range(2))
    audio[..., 900:1500] *= 1e-7
    return audio, 0.7 * audio + 0.3 * other


def value_and_gradient(spec, audio, target):
    live = audio.clone().requires_grad_()
    value = spec.build(CTX)(Output(audio=live), Batch(target=target))
    weights = torch.arange(1, len(audio) + 1, dtype=audio.dtype)
    (gradient,) = torch.autograd.grad((weights * value).sum(), live)
    return value.detach(), gradient


@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_float32_gives_the_value_and_gradient_of_float64(spec):
    audio, target = signals()
    # Rounded first, so that both see the same signals: a sign that rounding turns is a gradient that jumps.
    audio, target = audio.float(), target.float()
    expected, slope = value_and_gradient(spec, audio.double(), target.double())
    found, gradient = value_and_gradient(spec, audio, target)
    assert found.dtype == gradient.dtype == torch.float32
    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-5)
    assert float((gradient - slope).norm() / slope.norm()) < 5e-3


@pytest.mark.parametrize("spec", SPECS[:6], ids=lambda spec: type(spec).__name__)
@pytest.mark.parametrize("block", [64, 1000])
def test_blocks_of_any_size_give_the_same(spec, block, monkeypatch):
    audio, target = (signal.float() for signal in signals())
    expected, slope = value_and_gradient(spec, audio, target)
    monkeypatch.setattr(_blocks, "_BLOCK_SAMPLES", block)
    found, gradient = value_and_gradient(spec, audio, target)
    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-6)
    assert float((gradient - slope).norm() / slope.norm()) < 1e-5


def test_any_number_of_threads_gives_the_same_bits():
    audio, target = (signal.float() for signal in signals())
    expected = value_and_gradient(MultiResolutionSTFT(), audio, target)
    with mock.patch("torch.get_num_threads", return_value=3):
        found = value_and_gradient(MultiResolutionSTFT(), audio, target)
    assert all(torch.equal(one, other) for one, other in zip(found, expected, strict=True))


def test_without_a_compiler_the_plain_form_serves(monkeypatch):
    audio, target = (signal.float() for signal in signals())
    expected, slope = value_and_gradient(MultiResolutionSTFT(), audio, target)
    for module in (_blocks, _spectral_distance, _resolution):
        monkeypatch.setattr(module, "plain", lambda _: False)
    found, gradient = value_and_gradient(MultiResolutionSTFT(), audio, target)
    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-5)
    assert float((gradient - slope).norm() / slope.norm()) < 5e-3


@pytest.mark.parametrize("fault", [math.nan, math.inf])
@pytest.mark.parametrize("spec", SPECS, ids=lambda spec: type(spec).__name__)
def test_what_is_not_a_number_shows_in_its_item_alone(spec, fault):
    audio, target = (signal.float() for signal in signals())
    audio[1, 0, 700:950] = fault
    found, _ = value_and_gradient(spec, audio, target)
    assert found.isfinite().tolist() == [True, False]


@given(st.floats(-30, 30), st.floats(-30, 30))
@settings(max_examples=200, deadline=None)
def test_log_ratios_of_any_size_keep_their_digits(one, other):
    found, wanted = (np.float32(math.exp(power)) for power in (one, other))
    spectra = torch.tensor([[complex(found), complex(0.0, float(found))]], dtype=torch.complex64)
    expected = abs(math.log(float(found) / float(wanted)))
    sums = magnitudes.distance_sums(spectra, torch.full((1, 2), float(wanted)), 1e-30)
    assert float(sums[0, 2]) == pytest.approx(2 * expected, rel=2e-6, abs=5e-7)
