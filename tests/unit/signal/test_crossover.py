"""Linkwitz-Riley bands: flat in sum, steep, and the same in blocks."""

from __future__ import annotations

import pytest
import torch

from fxkit_signal.crossover import linkwitz_riley

RATE = 48000


def splits(*frequencies):
    return torch.tensor(frequencies, dtype=torch.float64)[None, :, None]


def responses(frequency):
    impulse = torch.zeros(1, 1, 2**16, dtype=torch.float64)
    impulse[..., 0] = 1
    bands, _ = linkwitz_riley(impulse, frequency, RATE)
    return torch.fft.rfft(bands[0, :, 0])


def level(response, frequency):
    return 20 * response[..., round(frequency / RATE * 2**16)].abs().log10()


@pytest.mark.parametrize("frequencies", [(800.0,), (200.0, 3000.0), (120.0, 700.0, 2500.0, 9000.0)])
def test_bands_sum_flat(frequencies):
    total = responses(splits(*frequencies)).sum(0)
    assert (20 * total.abs().log10()).abs().max() < 1e-6


def test_bands_are_6_db_down_at_their_split_and_fall_by_24_db_per_octave():
    low, high = responses(splits(1000.0))
    assert level(low, 1000).item() == pytest.approx(-6.02, abs=0.02)
    assert level(high, 1000).item() == pytest.approx(-6.02, abs=0.02)
    assert (level(high, 125) - level(high, 62.5)).item() == pytest.approx(24.1, abs=0.2)
    assert (level(low, 2000) - level(low, 4000)).item() == pytest.approx(24.0, abs=2.0)


def test_neighbouring_bands_are_in_phase():
    low, high = responses(splits(1000.0))
    turned = torch.angle(low[100:20000] / high[100:20000])
    assert turned.abs().max() < 1e-6


def test_moving_splits_stay_flat_to_the_ear_and_join_in_blocks():
    audio = torch.randn(2, 1, 960, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    frames = torch.stack([torch.linspace(*ends, 21) for ends in ((200, 400), (3000, 2000))])[None].double()
    whole, _ = linkwitz_riley(audio, frames, RATE, hop=48)
    first, state = linkwitz_riley(audio[..., :480], frames[..., :11], RATE, hop=48)
    second, _ = linkwitz_riley(audio[..., 480:], frames[..., 10:], RATE, state, hop=48)
    assert (torch.cat((first, second), -1) - whole).abs().max() < 1e-12


def test_gradients_reach_audio_and_splits():
    audio = torch.randn(1, 1, 40, dtype=torch.float64, generator=torch.Generator().manual_seed(1))
    inputs = audio.requires_grad_(), splits(500.0, 4000.0).requires_grad_()
    assert torch.autograd.gradcheck(lambda *both: linkwitz_riley(*both, RATE)[0], inputs, fast_mode=True)
