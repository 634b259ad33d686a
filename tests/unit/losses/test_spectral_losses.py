"""Losses of spectra, against sums written out frame by frame in float64."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit.values import Batch, Output
from fxkit_losses._random_resolution_stft import resolutions_for
from fxkit_losses._resolution import Resolution
from fxkit_losses.mel_stft import MelSTFT
from fxkit_losses.multi_scale_spectral import MultiScaleSpectral
from fxkit_losses.random_resolution_stft import RandomResolutionSTFT
from fxkit_losses.stft import STFT
from fxkit_signal.mel import mel_bands

CTX = BuildContext(sample_rate=16000)


def signals(batch=1, channels=1, samples=700):
    draw = torch.Generator().manual_seed(0)
    shape = (batch, channels, samples)
    audio, other = (0.2 * torch.randn(shape, generator=draw, dtype=torch.float64) for _ in range(2))
    return audio, 0.7 * audio + 0.3 * other


def measured(spec, audio, target, ctx=CTX):
    return spec.build(ctx)(Output(audio=audio), Batch(target=target))


def hann(length):
    return 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(length) / length)


def magnitudes(signal, size, hop, window, floor_db, bands=None):
    """Return magnitudes [frames, bins or bands] of one channel."""
    whole = np.zeros(size)
    first = (size - len(window)) // 2
    whole[first : first + len(window)] = window
    padded = np.pad(signal, size // 2, mode="reflect")
    frames = [np.fft.rfft(whole * padded[k : k + size]) for k in range(0, len(signal) + 1, hop)]
    found = np.maximum(np.abs(frames), 10 ** (floor_db / 20) * window.sum() / 2)
    return found if bands is None else found @ bands


def distance(found, expected, convergence, log, linear):
    return (
        convergence * np.linalg.norm(found - expected) / np.linalg.norm(expected)
        + log * np.abs(np.log(found) - np.log(expected)).mean()
        + linear * np.abs(found - expected).mean()
    )


def slope_error(spec, ctx=CTX, samples=700):
    """Return how far the gradient along a random direction is from finite differences, relatively."""
    module = spec.build(ctx)
    audio, target = signals(2, 2, samples)
    live = audio.clone().requires_grad_()
    (gradient,) = torch.autograd.grad(module(Output(audio=live), Batch(target=target)).sum(), live)
    direction = torch.randn(audio.shape, generator=torch.Generator().manual_seed(3), dtype=torch.float64)
    ends = [
        float(module(Output(audio=audio + s * direction), Batch(target=target)).sum()) for s in (1e-8, -1e-8)
    ]
    slope = (ends[0] - ends[1]) / 2e-8
    return abs(float((gradient * direction).sum()) - slope) / abs(slope)


@pytest.mark.parametrize("weights", [(1.0, 1.0, 0.0), (0.0, 2.0, 0.0), (0.5, 0.0, 3.0)])
@pytest.mark.parametrize(("window", "shape"), [("hann", hann), ("blackman", None)])
def test_stft_follows_its_definition(weights, window, shape):
    names = ("convergence", "log_magnitude", "linear_magnitude")
    spec = STFT(
        fft_size=64,
        win_length=48,
        hop_size=13,
        window=window,
        floor=-40,
        **dict(zip(names, weights, strict=True)),
    )
    audio, target = signals()
    values = shape(48) if shape else torch.blackman_window(48, dtype=torch.float64).numpy()
    found, expected = (magnitudes(x[0, 0].numpy(), 64, 13, values, -40) for x in (audio, target))
    assert float(measured(spec, audio, target)) == pytest.approx(
        distance(found, expected, *weights), rel=1e-6
    )


def test_stft_hops_by_a_quarter_of_the_window_unless_told():
    audio, target = signals()
    assert torch.equal(
        measured(STFT(fft_size=64), audio, target),
        measured(STFT(fft_size=64, win_length=64, hop_size=16), audio, target),
    )


def mel_triangles(bands, size, rate, low, high):
    """Build the bands of equal area one bin at a time."""
    mel = lambda hz: 2595 * np.log10(1 + hz / 700)  # noqa: E731
    edges = [700 * (10 ** (m / 2595) - 1) for m in np.linspace(mel(low), mel(high), bands + 2)]
    weights = np.zeros((size // 2 + 1, bands))
    for k in range(size // 2 + 1):
        hz = k * rate / size
        for band, (left, centre, right) in enumerate(zip(edges, edges[1:], edges[2:], strict=False)):
            height = min((hz - left) / (centre - left), (right - hz) / (right - centre))
            weights[k, band] = max(0.0, height) * 2 / (right - left) * rate / size
    return weights


def test_mel_stft_compares_sums_of_magnitudes_in_bands():
    spec = MelSTFT(fft_size=256, hop_size=50, bands=12, low=100, high=7000, floor=-60)
    audio, target = signals()
    bands = mel_triangles(12, 256, 16000, 100, 7000)
    found, expected = (magnitudes(x[0, 0].numpy(), 256, 50, hann(256), -60, bands) for x in (audio, target))
    assert float(measured(spec, audio, target)) == pytest.approx(distance(found, expected, 1, 1, 0), rel=1e-6)


def test_mel_bands_of_equal_area_read_noise_of_one_density_alike():
    bands = mel_triangles(20, 2048, 16000, 100, 8000)
    found = mel_bands(20, 2048, 16000, 100, 8000).numpy()
    assert np.abs(found - bands).max() < 1e-12
    assert found.sum(axis=0) == pytest.approx(np.ones(20), rel=0.1)


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (MelSTFT(fft_size=64, bands=60), "hold no bin"),
        (MelSTFT(high=9000.0), "above half the sample rate"),
        (MelSTFT(low=500.0, high=400.0), "not above low"),
    ],
)
def test_mel_bands_that_cannot_be_are_refused(spec, reason):
    with pytest.raises(ValueError, match=reason):
        spec.build(CTX)


def test_multi_scale_spectral_sums_magnitudes_and_logs_over_scales():
    spec = MultiScaleSpectral(fft_sizes=(256, 64), log_weight=0.5, floor=-50)
    audio, target = signals()
    expected = 0.0
    for size in (256, 64):
        pair = [magnitudes(x[0, 0].numpy(), size, size // 4, hann(size), -50) for x in (audio, target)]
        expected += distance(*pair, 0, 0.5, 1)
    assert float(measured(spec, audio, target)) == pytest.approx(expected, rel=1e-6)


@pytest.mark.parametrize(
    ("rate", "sizes"), [(16000, (2048, 64)), (48000, (8192, 256)), (44100, (4096, 128)), (8000, (1024, 32))]
)
def test_scales_stand_for_the_same_time_at_any_rate(rate, sizes):
    assert MultiScaleSpectral(fft_sizes=(2048, 64)).sizes(rate) == sizes


@pytest.mark.parametrize(
    "spec",
    [
        STFT(fft_size=128, linear_magnitude=0.3),
        MelSTFT(fft_size=512, bands=20, linear_magnitude=0.3),
        MultiScaleSpectral(fft_sizes=(256, 64)),
        RandomResolutionSTFT(low=64, high=300),
    ],
)
def test_gradients_are_those_of_finite_differences(spec):
    assert slope_error(spec) < 1e-4


def test_random_resolutions_depend_on_the_target_and_seed_alone():
    _, targets = signals(3)
    drawn = [resolutions_for(target, 64, 300, 3, 0) for target in targets]
    assert drawn == [resolutions_for(target.clone(), 64, 300, 3, 0) for target in targets]
    assert len({tuple(one) for one in drawn}) == 3
    assert drawn != [resolutions_for(target, 64, 300, 3, 1) for target in targets]


@given(st.integers(0, 2**31 - 1), st.integers(16, 500), st.integers(1, 8))
@settings(max_examples=50)
def test_random_resolutions_stay_within_their_limits(seed, low, draws):
    high = 2 * low
    for size, window, hop in resolutions_for(torch.ones(1, 1, 8), low, high, draws, seed):
        assert low <= window <= high
        assert 0 <= size - window <= 1
        assert size % 2 == 0
        assert 1 <= hop <= window


def test_a_random_resolution_is_an_stft_at_that_resolution():
    audio, target = signals()
    spec = RandomResolutionSTFT(low=64, high=300, draws=2)
    parts = [
        float(measured(STFT(fft_size=size, win_length=window, hop_size=hop), audio, target))
        for size, window, hop in resolutions_for(target, 64, 300, 2, CTX.seed)
    ]
    assert float(measured(spec, audio, target)) == pytest.approx(sum(parts) / 2, rel=1e-9)


def test_the_target_is_analysed_once_for_all_losses_of_one_resolution(monkeypatch):
    analysed = []
    forward = Resolution.forward
    monkeypatch.setattr(Resolution, "forward", lambda self, x: analysed.append(x) or forward(self, x))
    audio, target = signals()
    losses = [STFT(fft_size=64, log_magnitude=weight).build(CTX) for weight in (0.5, 1.0, 2.0)]
    batch = Batch(target=target)
    together = [float(loss(Output(audio=audio), batch)) for loss in losses]
    assert sum(x is target or x.data_ptr() == target.data_ptr() for x in analysed) == 1
    assert together == [float(loss(Output(audio=audio), Batch(target=target))) for loss in losses]


def test_another_target_in_a_batch_is_analysed_anew():
    audio, target = signals()
    loss, batch = STFT(fft_size=64).build(CTX), Batch(target=target)
    loss(Output(audio=audio), batch)
    changed = attrs.evolve(batch, target=audio.clone())
    assert float(loss(Output(audio=audio), changed)) < 1e-12


@pytest.mark.parametrize(
    "spec", [STFT(fft_size=2048), MelSTFT(fft_size=2048), MultiScaleSpectral(), RandomResolutionSTFT()]
)
def test_too_short_signals_are_refused_with_what_they_need(spec):
    short = torch.zeros(1, 1, 1000)
    loss = spec.build(CTX)
    assert spec.traits(CTX).least_samples == 2048
    with pytest.raises(AssemblyError, match=r"raise data\.segment to 2048"):
        loss(Output(audio=short), Batch(target=short))
