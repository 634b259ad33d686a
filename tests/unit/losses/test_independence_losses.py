"""Losses that measure what an output has in common with something else, and the level of one."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit.values import Batch, Output
from fxkit_losses._envelope import short_time_power
from fxkit_losses.envelope import Envelope
from fxkit_losses.envelope_decorrelation import EnvelopeDecorrelation
from fxkit_losses.kl import KL
from fxkit_losses.novelty import Novelty
from fxkit_signal.mel import mel_bands

RATE = 16000
CTX = BuildContext(sample_rate=RATE)


def noise(seed, *shape):
    return 0.2 * torch.randn(*shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def measured(spec, audio, target=None, source=None):
    target = torch.zeros_like(audio) if target is None else target
    return spec.build(CTX)(Output(audio=audio), Batch(target=target, input=source))


def pulsed(rate_hz, seed=0, samples=16000):
    time = torch.arange(samples, dtype=torch.float64) / RATE
    return noise(seed, 1, 1, samples) * (1 + 0.9 * torch.sin(2 * math.pi * rate_hz * time))


def powers(signal, window):
    """Return the power [frames] of one item [channels, samples], window by window."""
    hop, hann = max(1, window // 4), np.hanning(window + 1)
    square = (signal.numpy() ** 2).mean(axis=0)
    padded = np.concatenate((np.zeros(window // 2), square, np.zeros(window)))
    return [float((padded[k : k + window + 1] * hann).sum() / hann.sum()) for k in range(0, len(square), hop)]


@pytest.mark.parametrize("window", [4, 32, 51])
def test_short_time_power_is_a_weighted_mean_under_each_window(window):
    audio = noise(0, 2, 2, 130)
    expected = [powers(item, window) for item in audio]
    found = short_time_power(audio, window)
    for one, other in zip(found.tolist(), expected, strict=True):
        assert one[: len(other)] == pytest.approx(other, rel=1e-9)


def test_envelope_is_the_mean_difference_of_levels_in_decibels():
    audio, target = noise(0, 1, 1, 1600), noise(1, 1, 1, 1600)
    one, other = (powers(x[0], 160) for x in (audio, target))
    decibels = [abs(10 * math.log10((a + 1e-8) / (b + 1e-8))) for a, b in zip(one, other, strict=True)]
    found = float(measured(Envelope(window=10.0), audio, target))
    assert found == pytest.approx(sum(decibels) / len(decibels), rel=1e-9)


@pytest.mark.parametrize("weighting", ["none", "a-weighting", "k-weighting"])
def test_half_the_amplitude_is_six_decibels_of_envelope(weighting):
    target = noise(0, 1, 1, 16000)
    found = float(measured(Envelope(weighting=weighting, floor=-150), 0.5 * target, target))
    assert found == pytest.approx(20 * math.log10(2), abs=0.01)


def test_an_envelope_that_follows_the_input_costs_and_one_of_its_own_does_not():
    source = pulsed(3.0)
    spec = EnvelopeDecorrelation(floor=-100)
    assert float(measured(spec, pulsed(3.0, seed=5), source=source)) > 0.95
    assert float(measured(spec, pulsed(4.0, seed=5), source=source)) < 0.05
    mirrored = (1.9 * 0.2) * torch.sign(source)  # louder where the source is, but never still
    assert 0 <= float(measured(spec, mirrored, source=source)) <= 1


def test_decorrelation_is_the_square_of_pearsons_r():
    audio, source = pulsed(3.0, 1), pulsed(3.3, 2)
    one, other = (np.sqrt(np.array(powers(x[0], 1024)) + 1e-12) for x in (audio, source))
    r = np.corrcoef(one, other)[0, 1]
    found = float(measured(EnvelopeDecorrelation(floor=-200), audio, source=source))
    assert found == pytest.approx(r**2, rel=1e-6)


def test_decorrelation_can_be_from_the_target():
    audio = pulsed(3.0)
    assert float(measured(EnvelopeDecorrelation(against="target", floor=-100), audio, audio)) > 0.99


@given(st.floats(-6, 1), st.integers(0, 1000))
@settings(max_examples=40, deadline=None)
def test_decorrelation_and_its_gradient_are_bounded_at_any_level_and_at_r_of_one(level, seed):
    source = pulsed(3.0, seed, 4096)
    audio = (10.0**level * source).requires_grad_()
    value = measured(EnvelopeDecorrelation(), audio, source=source)
    (gradient,) = torch.autograd.grad(value.sum(), audio)
    assert 0 <= float(value.detach()) <= 1
    # r^2 does not change with a gain: along the audio there is next to no slope, at any level.
    assert abs(float((gradient * audio.detach()).sum())) <= 2.0
    assert bool(gradient.isfinite().all())


def test_novelty_is_one_for_the_same_spectrogram_at_any_gain_and_small_for_another():
    source = pulsed(3.0)
    assert float(measured(Novelty(floor=-140), 0.3 * source, source=source)) == pytest.approx(1.0, abs=1e-3)
    assert float(measured(Novelty(), noise(9, 1, 1, 16000), source=source)) < 0.05


def log_mels(signal, size, bands, floor_db):
    """Return the log-mel spectrogram [frames, bands] of the mean of the channels, frame by frame."""
    window = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(size) / size)
    mono = np.pad(signal.numpy().mean(axis=0), size // 2, mode="reflect")
    starts = range(0, signal.shape[-1] + 1, size // 4)
    floor = 10 ** (floor_db / 20) * window.sum() / 2
    bins = [np.maximum(np.abs(np.fft.rfft(window * mono[k : k + size])), floor) for k in starts]
    return np.log(np.array(bins) @ mel_bands(bands, size, RATE, 20.0, RATE / 2).numpy())


def test_novelty_is_the_squared_correlation_of_log_mel_spectrograms():
    audio, source = noise(3, 2, 2, 3000), noise(4, 2, 2, 3000)
    audio = audio + 0.5 * source
    expected = []
    for one, other in zip(audio, source, strict=True):
        moving = [m - m.mean(axis=0) for m in (log_mels(x, 256, 12, -80.0) for x in (one, other))]
        spread = [(m**2).mean() + 1e-6 for m in moving]
        expected.append((moving[0] * moving[1]).mean() ** 2 / (spread[0] * spread[1]))
    found = measured(Novelty(fft_size=256, bands=12), audio, source=source)
    assert found.tolist() == pytest.approx(expected, rel=1e-5)


def test_what_reads_the_input_says_so_when_there_is_none():
    for spec in (EnvelopeDecorrelation(), Novelty()):
        assert spec.traits(CTX).uses == ("input",)
        with pytest.raises(ValueError, match="has no input"):
            measured(spec, pulsed(3.0))


def kl(mean, log_variance, free=0.0):
    terms = {"latent.mean": mean, "latent.log_variance": log_variance}
    output = Output(audio=torch.zeros(len(mean), 1, 4), terms=terms)
    return KL(node="latent", free_bits=free).build(CTX)(output, Batch(target=output.audio))


def test_kl_is_the_closed_form_summed_over_dimensions_and_averaged_over_frames():
    mean, log_variance = noise(0, 3, 5, 7), noise(1, 3, 5, 7)
    expected = [
        sum(
            sum(0.5 * (m * m + math.exp(v) - v - 1) for m, v in zip(ms, vs, strict=True)) / 7
            for ms, vs in zip(item, variances, strict=True)
        )
        for item, variances in zip(mean.tolist(), log_variance.tolist(), strict=True)
    ]
    assert kl(mean, log_variance).tolist() == pytest.approx(expected, rel=1e-12)


def test_kl_agrees_with_torch_distributions():
    mean, log_variance = noise(0, 2, 3, 1), noise(1, 2, 3, 1)
    posterior = torch.distributions.Normal(mean, (log_variance / 2).exp())
    expected = torch.distributions.kl_divergence(posterior, torch.distributions.Normal(0.0, 1.0)).sum(
        dim=(1, 2)
    )
    assert kl(mean, log_variance).tolist() == pytest.approx(expected.tolist(), rel=1e-9)


def test_free_bits_cost_nothing_and_pull_at_nothing():
    mean = torch.tensor([[[0.5], [3.0]], [[0.1], [2.0]]], dtype=torch.float64, requires_grad=True)
    value = kl(mean, torch.zeros_like(mean), free=0.2)
    assert value.tolist() == pytest.approx([4.5 - 0.2, 2.0 - 0.2])
    (gradient,) = torch.autograd.grad(value.sum(), mean)
    assert gradient[:, 0].abs().max() == 0
    assert gradient[:, 1].flatten().tolist() == pytest.approx([3.0, 2.0])


def test_free_bits_do_not_depend_on_the_batch():
    mean = noise(0, 4, 3, 5) * 5
    together = kl(mean, 0 * mean, free=0.4)
    alone = [float(kl(mean[i : i + 1], 0 * mean[i : i + 1], free=0.4)) for i in range(4)]
    assert together.tolist() == pytest.approx(alone, rel=1e-12)
    assert 0 < float(together.min()) < float(kl(mean, 0 * mean).min())


def test_a_model_without_the_posterior_is_told_what_it_has():
    output = Output(audio=torch.zeros(1, 1, 4), terms={"other.mean": torch.zeros(1, 2, 1)})
    with pytest.raises(AssemblyError, match=r'no term "latent.mean"; it has other.mean'):
        KL(node="latent").build(CTX)(output, Batch(target=output.audio))
