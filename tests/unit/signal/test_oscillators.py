import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal.framing import frames_due
from fxkit_signal.oscillators import harmonic_bank, nyquist_fade

RATE = 16000


def reference(f0, amplitudes, samples, hop, rate):
    """Sum sines whose phase is the running sum of the interpolated f0, in float64 throughout."""
    time = np.arange(samples) / hop
    grid = np.arange(f0.shape[-1])
    f = np.interp(time, grid, f0)
    cycles = np.concatenate([[0.0], np.cumsum(f)[:-1]]) / rate
    out = np.zeros(samples)
    for k, track in enumerate(amplitudes, start=1):
        fade = np.clip((1 - k * f / (rate / 2)) / 0.05, 0, 1)
        out += np.interp(time, grid, track) * fade * np.sin(2 * np.pi * ((k * cycles) % 1))
    return out


def frames_for(samples, hop, partials, low=80.0, high=2000.0, batch=2, seed=0, dtype=torch.float32):
    generator = torch.Generator().manual_seed(seed)
    count = frames_due(0, samples, hop)
    f0 = low * (high / low) ** torch.rand(batch, 1, count, generator=generator, dtype=dtype)
    return f0, torch.rand(batch, partials, count, generator=generator, dtype=dtype) / partials


@pytest.mark.parametrize("partials", [1, 2, 7, 60, 101])
@pytest.mark.parametrize("hop", [1, 48, 64])
def test_bank_equals_a_sum_of_sines(partials, hop):
    samples = 40 * hop + 3
    f0, amplitudes = frames_for(samples, hop, partials)
    audio, _ = harmonic_bank(f0, amplitudes, samples, hop, RATE)
    for item in range(2):
        expected = reference(f0[item, 0].double(), amplitudes[item].double(), samples, hop, RATE)
        np.testing.assert_allclose(audio[item, 0], expected, atol=5e-6)


def test_the_hundredth_partial_is_in_phase_after_a_minute():
    rate, hop, seconds = 48000, 480, 60
    samples = rate * seconds
    count = frames_due(0, samples, hop)
    f0 = 120 + 80 * torch.sin(torch.arange(count) / 37.0)
    amplitudes = torch.zeros(1, 100, count)
    amplitudes[:, 99] = 1
    audio, _ = harmonic_bank(f0[None, None], amplitudes, samples, hop, rate)
    last = slice(samples - rate, samples)
    f = np.interp(np.arange(samples) / hop, np.arange(count), f0.double())
    cycles = np.cumsum(f.astype(np.longdouble)) / rate
    expected = np.sin(2 * np.pi * ((100 * np.concatenate([[0], cycles[:-1]])) % 1))
    np.testing.assert_allclose(audio[0, 0, last], expected[last].astype(float), atol=1e-4)


@settings(deadline=None, max_examples=25)
@given(st.lists(st.integers(0, 90), min_size=1, max_size=10), st.integers(1, 40))
def test_any_split_into_blocks_gives_the_offline_audio(sizes, hop):
    samples = sum(sizes)
    f0, amplitudes = frames_for(samples, hop, 20)
    whole, _ = harmonic_bank(f0, amplitudes, samples, hop, RATE)
    parts, state, position, taken = [], None, 0, 0
    for size in sizes:
        due = slice(taken, taken + frames_due(position, size, hop))
        part, state = harmonic_bank(f0[..., due], amplitudes[..., due], size, hop, RATE, state)
        parts.append(part)
        position, taken = position + size, due.stop
    assert torch.allclose(torch.cat(parts, dim=-1), whole, atol=1e-6)


def test_nothing_but_the_partials_is_heard():
    """A pitch on a bin of the transform: whatever lies off its multiples is error or aliasing."""
    samples, bin_of_f0 = 16384, 407
    f0 = torch.full((1, 1, 257), bin_of_f0 * RATE / samples)
    audio, _ = harmonic_bank(f0, torch.full((1, 100, 257), 0.01), samples, 64, RATE)
    power = np.abs(np.fft.rfft(audio[0, 0].double().numpy())) ** 2
    on_grid = power[bin_of_f0::bin_of_f0].sum()
    assert 10 * math.log10((power.sum() - on_grid) / on_grid) < -90


@pytest.mark.parametrize("f0", [8000.0, 9000.0, 48000.0])
def test_a_pitch_beyond_half_the_rate_is_silence_with_finite_gradients(f0):
    pitch = torch.full((1, 1, 5), f0, requires_grad=True)
    amplitudes = torch.ones(1, 10, 5, requires_grad=True)
    audio, _ = harmonic_bank(pitch, amplitudes, 200, 64, RATE)
    assert not audio.any()
    audio.sum().backward()
    assert torch.isfinite(pitch.grad).all()
    assert torch.isfinite(amplitudes.grad).all()


def test_a_partial_that_passes_half_the_rate_fades_and_stays_silent():
    count = 251
    f0 = torch.linspace(3500, 4500, count)[None, None]
    amplitudes = torch.zeros(1, 2, count)
    amplitudes[:, 1] = 1
    audio, _ = harmonic_bank(f0, amplitudes, 250 * 64, 64, RATE)
    frequency = 2 * np.interp(np.arange(250 * 64) / 64, np.arange(count), f0[0, 0])
    assert not audio[0, 0, frequency >= RATE / 2].any()
    assert audio[0, 0, (frequency > 0.999 * RATE / 2)].abs().max() < 0.021
    assert audio[0, 0, frequency < 0.94 * RATE / 2].abs().max() > 0.99


def test_fade_is_one_below_and_zero_from_half_the_rate_on():
    frequency = torch.tensor([0.0, 7000.0, 7600.0, 7800.0, 8000.0, 1e6])
    assert nyquist_fade(frequency, RATE).tolist() == pytest.approx([1, 1, 1, 0.5, 0, 0], abs=1e-5)


@pytest.mark.parametrize(("low", "high"), [(200.0, 300.0), (1500.0, 1530.0)])
def test_gradients_pass_gradcheck_with_and_without_fading_partials(low, high):
    f0, amplitudes = frames_for(14, 4, 5, low, high, dtype=torch.float64)
    f0, amplitudes = f0.requires_grad_(), amplitudes.requires_grad_()

    def in_two_blocks(f0, amplitudes):
        first, state = harmonic_bank(f0[..., :3], amplitudes[..., :3], 6, 4, RATE)
        second, _ = harmonic_bank(f0[..., 3:], amplitudes[..., 3:], 8, 4, RATE, state)
        return torch.cat([first, second], dim=-1)

    assert torch.autograd.gradcheck(in_two_blocks, (f0, amplitudes), eps=1e-4, atol=1e-6)


def test_gradient_magnitude_of_a_long_sweep_equals_finite_differences():
    samples, hop = 32000, 64
    f0, amplitudes = frames_for(samples, hop, 12, 200.0, 210.0, batch=1, dtype=torch.float64)
    weight = torch.randn(samples, dtype=torch.float64, generator=torch.Generator().manual_seed(4))
    shape = torch.linspace(0, 1, f0.shape[-1], dtype=torch.float64)

    def objective(shift):
        return (harmonic_bank(f0 + shift * shape, amplitudes, samples, hop, RATE)[0] * weight).sum()

    shift = torch.zeros((), dtype=torch.float64, requires_grad=True)
    objective(shift).backward()
    with torch.no_grad():
        slope = (objective(shift + 1e-6) - objective(shift - 1e-6)) / 2e-6
    assert shift.grad.item() == pytest.approx(slope.item(), rel=1e-5)


def test_float32_gradients_agree_with_float64():
    f0, amplitudes = frames_for(4000, 64, 60)
    weight = torch.randn(2, 1, 4000, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    grads = []
    for dtype in (torch.float64, torch.float32):
        inputs = [value.detach().to(dtype).requires_grad_() for value in (f0, amplitudes)]
        (harmonic_bank(*inputs, 4000, 64, RATE)[0] * weight.to(dtype)).sum().backward()
        grads.append([value.grad.double() for value in inputs])
    for exact, rounded in zip(*grads, strict=True):
        assert (exact - rounded).norm() < 2e-5 * exact.norm()
