import numpy as np
import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fxkit_signal.noise import hashed_noise

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
