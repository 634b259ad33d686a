"""The best linear filter against numpy's least squares and against filters that are known."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fxkit_signal.linear_fit import apply_fit, linear_fit


def noise(channels, samples, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).normal(size=(channels, samples)))


def late(signal, delay):
    """Return signal[n - delay], silence before the start."""
    return np.concatenate([np.zeros(delay), signal])[: len(signal)]


def by_lstsq(pairs, taps):
    """Solve for all filters with a matrix of delayed inputs, row by row."""
    rows, wanted = [], []
    for source, target, start in pairs:
        delayed = [late(one, k) for one in source.numpy() for k in range(taps)]
        rows.append(np.stack(delayed, axis=1)[start:])
        wanted.append(target.numpy()[:, start:].T)
    found = np.linalg.lstsq(np.concatenate(rows), np.concatenate(wanted), rcond=None)[0]
    return found.reshape(len(pairs[0][0]), taps, -1).transpose(2, 0, 1)


@pytest.mark.parametrize(
    ("inputs", "outputs", "lengths", "start"),
    [
        (1, 1, (200,), 0),
        (1, 1, (200, 90), 17),
        (2, 2, (150,), 0),
        (1, 2, (120, 61), 5),
        (2, 1, (40, 300), 30),
    ],
)
def test_it_is_the_least_squares_solution(inputs, outputs, lengths, start):
    pairs = [(noise(inputs, n, n), noise(outputs, n, n + 1), start) for n in lengths]
    assert torch.allclose(linear_fit(pairs, 8), torch.from_numpy(by_lstsq(pairs, 8)), atol=1e-8)


def test_a_recording_shorter_than_the_filter_counts_too():
    pairs = [(noise(1, 300), noise(1, 300, 1), 0), (noise(1, 5, 2), noise(1, 5, 3), 2)]
    assert torch.allclose(linear_fit(pairs, 8), torch.from_numpy(by_lstsq(pairs, 8)), atol=1e-8)


def test_a_known_filter_is_found_in_long_audio():
    source = noise(1, 100_000).float()
    known = noise(1, 1024, 5)[0] * torch.exp(-torch.arange(1024) / 100)
    target = torch.from_numpy(np.convolve(source[0].double().numpy(), known.numpy())[None, :100_000])
    found = linear_fit([(source, target, 48_000)], 1024)
    assert (found[0, 0] - known).abs().max() < 1e-6


def test_a_stereo_device_that_crosses_its_channels_is_found():
    source = noise(2, 20_000)
    target = torch.stack([source[1], 0.5 * source[0] - 0.25 * source[1].roll(1)])
    found = linear_fit([(source, target, 4)], 3)
    expected = torch.tensor([[[0.0, 0, 0], [1, 0, 0]], [[0.5, 0, 0], [0, -0.25, 0]]], dtype=torch.float64)
    assert torch.allclose(found, expected, atol=1e-6)
    assert torch.allclose(apply_fit(found, source)[:, 4:], target[:, 4:], atol=1e-5)


def test_an_empty_band_gets_no_gain_to_speak_of():
    spectrum = torch.fft.rfft(noise(1, 65_536))
    spectrum[:, 16_384:] = 0
    source = torch.fft.irfft(spectrum)
    found = linear_fit([(source, 2 * source + 1e-4 * noise(1, 65_536, 1), 0)], 256)
    response = torch.fft.rfft(found[0, 0], n=4096).abs()
    assert torch.allclose(response[:900], torch.full((900,), 2.0, dtype=torch.float64), atol=1e-3)
    assert response.max() < 20


def test_silence_gives_a_silent_filter():
    filters = linear_fit([(torch.zeros(1, 500), noise(1, 500), 0)], 16)
    assert torch.equal(filters, torch.zeros(1, 1, 16, dtype=torch.float64))
