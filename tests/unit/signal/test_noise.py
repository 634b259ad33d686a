import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal.framing import frames_due
from fxkit_signal.noise import filter_noise, hashed_noise

LENGTH = 1 << 17


def series(*seeds, start=0, samples=LENGTH):
    return hashed_noise(torch.tensor(seeds), start, samples).double().numpy()


def test_values_are_uniform_between_minus_one_and_one():
    noise = series(3)[0]
    assert noise.min() >= -1
    assert noise.max() < 1
    assert noise.mean() == pytest.approx(0, abs=4 / np.sqrt(3 * LENGTH))
    assert noise.var() == pytest.approx(1 / 3, rel=0.01)
    counts = np.histogram(noise, bins=64, range=(-1, 1))[0]
    chi_squared = ((counts - LENGTH / 64) ** 2 / (LENGTH / 64)).sum()
    assert 30 < chi_squared < 110


@pytest.mark.parametrize("start", [0, 10**6, 2**31 - 50_000, 2**32 - 50_000])
def test_spectrum_is_white(start):
    noise = series(11, start=start)[0]
    power = np.abs(np.fft.rfft(noise)) ** 2
    bands = power[1:].reshape(64, -1).mean(1)
    assert bands / bands.mean() == pytest.approx(np.ones(64), abs=0.15)
    assert power.max() / power.mean() < 25


def correlation(a, b):
    return abs(np.mean(a * b)) * 3 * np.sqrt(len(a))


@pytest.mark.parametrize("lag", [1, 2, 3, 64, 256, 65536])
def test_samples_do_not_depend_on_earlier_ones(lag):
    noise = series(5)[0]
    assert correlation(noise[lag:], noise[:-lag]) < 4.5


def test_seeds_give_unrelated_series_at_every_lag():
    noise = series(0, 1, 2, 1 << 31, 1 << 32, -1)
    spectra = np.fft.rfft(noise, axis=-1)
    for i in range(6):
        for j in range(i):
            across = np.fft.irfft(spectra[i].conj() * spectra[j])
            assert np.abs(across).max() * 3 / np.sqrt(LENGTH) < 6.5


@given(st.integers(0, 2**40), st.integers(1, 300), st.integers(0, 2**62))
def test_a_sample_depends_on_its_position_alone(start, cut, seed):
    whole = series(seed, start=start, samples=300)
    parts = [series(seed, start=start, samples=cut), series(seed, start=start + cut, samples=300 - cut)]
    assert np.array_equal(np.concatenate(parts, axis=1), whole)


def band_filter(gains):
    """Design the zero-phase filter from its cosine series, with the window of Kaiser (1974)."""
    reach = len(gains) - 1
    taps = np.arange(-reach, reach + 1)
    shares = np.arange(reach + 1) / (2 * reach)
    weights = np.array([1.0] + [2.0] * (reach - 1) + [1.0]) * gains / (2 * reach)
    kernel = np.cos(2 * np.pi * taps[:, None] * shares) @ weights
    kernel[[0, -1]] /= 2
    return kernel * np.i0(7 * np.sqrt(1 - (taps / reach) ** 2)) / np.i0(7.0)


def shaped_reference(magnitudes, seed, samples, hop):
    """Filter the endless noise with the filters of both neighbouring frames and interpolate."""
    reach = magnitudes.shape[0] - 1
    noise = series(seed, start=-reach, samples=samples + 2 * reach)[0]
    tracks = [np.convolve(noise, band_filter(gains), "valid") for gains in magnitudes.T]
    k, r = np.divmod(np.arange(samples), hop)
    ramp = r / hop
    n = np.arange(samples)
    return (1 - ramp) * np.stack(tracks)[k, n] + ramp * np.stack(tracks)[k + 1, n]


@pytest.mark.parametrize(("bands", "hop"), [(2, 5), (9, 16), (65, 64), (17, 100)])
def test_shaped_noise_equals_filtering_with_the_frames_around_each_sample(bands, hop):
    samples = 5 * hop + 2
    magnitudes = torch.rand(2, bands, frames_due(0, samples, hop))
    seeds = torch.tensor([[1, 2], [3, 4]])
    shaped, _ = filter_noise(magnitudes, seeds, samples, hop)
    for item in range(2):
        for channel in range(2):
            expected = shaped_reference(
                magnitudes[item].double().numpy(), seeds[item, channel].item(), samples, hop
            )
            np.testing.assert_allclose(shaped[item, channel], expected, atol=2e-6)


@pytest.mark.parametrize("hop", [64, 160])
@pytest.mark.parametrize(("low", "high"), [(0, 20), (20, 40), (40, 65)])
def test_bands_pass_and_stop(hop, low, high):
    """Level against the same noise unfiltered, away from the edges of the band."""
    samples = 1 << 17
    magnitudes = torch.zeros(1, 65, frames_due(0, samples, hop))
    magnitudes[:, low:high] = 1
    shaped, _ = filter_noise(magnitudes.double(), torch.tensor([[7]]), samples, hop)
    window = np.blackman(4096) ** 2
    frames = [
        np.lib.stride_tricks.sliding_window_view(x, 4096)[::1024]
        for x in (shaped[0, 0].numpy(), series(7)[0])
    ]
    powers = [(np.abs(np.fft.rfft(frame * window)) ** 2).mean(0) for frame in frames]
    level = 10 * np.log10(powers[0] / powers[1])
    band = np.linspace(0, 64, len(level))
    inside = (band >= (low + 3 if low else 0)) & (band <= (high - 4 if high < 65 else 64))
    outside = (band < low - 4) | (band > high + 3)
    assert np.abs(level[inside]).max() < 0.5
    assert level[outside].max() < -60


@settings(deadline=None, max_examples=12)
@given(st.lists(st.integers(0, 90), min_size=1, max_size=10), st.integers(1, 40))
def test_any_split_gives_the_same_shaped_noise(sizes, hop):
    samples = sum(sizes)
    magnitudes = torch.rand(2, 9, frames_due(0, samples, hop))
    seeds = torch.tensor([[1], [2]])
    whole, _ = filter_noise(magnitudes, seeds, samples, hop)
    parts, state, position, taken = [], None, 0, 0
    for size in sizes:
        due = frames_due(position, size, hop)
        part, state = filter_noise(magnitudes[..., taken : taken + due], seeds, size, hop, state)
        parts.append(part)
        position, taken = position + size, taken + due
    assert torch.allclose(torch.cat(parts, dim=-1), whole, atol=1e-6)


def test_a_frame_is_heard_from_its_predecessor_to_its_successor_only():
    magnitudes = torch.zeros(1, 65, 9)
    magnitudes[..., 4] = 1
    shaped, _ = filter_noise(magnitudes, torch.tensor([[0]]), 512, 64)
    heard = shaped[0, 0].nonzero()
    assert (heard.min(), heard.max()) == (3 * 64 + 1, 5 * 64 - 1)


def test_gradients_of_the_magnitudes_pass_gradcheck():
    magnitudes = torch.rand(1, 5, 4, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda m: filter_noise(m, torch.tensor([[3]]), 11, 4)[0], magnitudes)
