"""The noise reverb decays band by band as it is told, and repeats itself."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fxkit.context import BuildContext
from fxkit_dsp._noise_reverb import octave_noise
from fxkit_dsp.noise_reverb import NoiseReverb

CONTEXT = BuildContext(seed=5)


def settings_of(spec, **changes):
    params = {p.name: torch.tensor(p.defaults)[None, :, None] for p in spec.parameters(CONTEXT)}
    return params | {name: torch.full_like(params[name], value) for name, value in changes.items()}


def response_of(spec, ctx=CONTEXT, samples=60000, **changes):
    impulse = torch.zeros(1, ctx.channels, samples)
    impulse[..., 0] = 1
    return spec.build(ctx)(impulse, settings_of(spec, mix=1.0, **changes))[0]


def test_the_bands_sum_to_white_noise():
    noise = octave_noise(3, 2, 10, 4096, 48000)
    whole = octave_noise(3, 2, 1, 4096, 48000)
    assert torch.allclose(noise.sum(dim=1), whole[:, 0], atol=1e-6)


def test_the_energy_is_one_at_any_rate():
    for rate in (16000, 48000):
        ctx = BuildContext(sample_rate=rate, seed=5)
        energy = response_of(NoiseReverb(length=2.0, bands=6), ctx, samples=2 * rate).square().sum()
        assert float(energy) == pytest.approx(1, abs=0.05)


@pytest.mark.parametrize("band", [5, 7, 9])
def test_each_band_falls_by_60_db_in_its_time(band):
    spec = NoiseReverb(length=1.2)
    params = settings_of(spec, mix=1.0, gain_db=-60.0, t60=0.3)
    params["gain_db"][:, band] = 0
    params["t60"][:, band] = 0.8
    impulse = torch.zeros(1, 1, 57600)
    impulse[..., 0] = 1
    response = spec.build(CONTEXT)(impulse, params)[0][0, 0].double().numpy()
    power = response[:48000].reshape(40, 1200)
    levels = 10 * np.log10((power**2).mean(axis=1))
    slope = np.polyfit(np.arange(40) * 1200 / 48000, levels, 1)[0]
    assert slope == pytest.approx(-60 / 0.8, rel=0.06)
    centre = np.sum(np.arange(28801) / 57600 * 48000 * np.abs(np.fft.rfft(response)) ** 2)
    centre /= np.sum(np.abs(np.fft.rfft(response)) ** 2)
    octave = 24000 / 2 ** (9 - band)
    assert octave / 2 <= centre <= octave


def test_the_pre_delay_moves_the_start_between_samples_too():
    spec = NoiseReverb(length=0.1)
    now = response_of(spec, samples=6000)
    later = response_of(spec, samples=6000, pre_delay=10.0)
    assert torch.allclose(later[..., 480:], now[..., :-480], atol=1e-6)
    assert float(later[..., :480].abs().max()) <= 1e-7
    half = response_of(spec, samples=6000, pre_delay=480.5 / 48)
    expected = (now[..., 1:-480] + now[..., :-481]) / 2
    assert torch.allclose(half[..., 481:], expected, atol=1e-4 * float(now.abs().max()))


def test_channels_and_seeds_have_their_own_noise_and_the_mix_keeps_the_dry_side():
    stereo = BuildContext(seed=5, channels=2, target_channels=2)
    response = response_of(NoiseReverb(), stereo)[0]
    assert abs(float(torch.corrcoef(response)[0, 1])) <= 0.05
    assert torch.allclose(response[0], response_of(NoiseReverb())[0, 0], atol=1e-7)
    other = response_of(NoiseReverb(), BuildContext(seed=6))[0, 0]
    assert abs(float(torch.corrcoef(torch.stack([response[0], other]))[0, 1])) <= 0.05
    audio = torch.randn(1, 1, 300)
    spec = NoiseReverb()
    assert torch.equal(spec.build(CONTEXT)(audio, settings_of(spec, mix=0.0))[0], audio)
