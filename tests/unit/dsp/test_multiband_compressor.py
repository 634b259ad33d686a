"""The multiband compressor acts in each band by itself."""

from __future__ import annotations

import math

import pytest
import torch

from fxkit.context import BuildContext
from fxkit_dsp.multiband_compressor import MultibandCompressor

CTX = BuildContext(sample_rate=48000)


def params(spec, **changes):
    values = {p.name: torch.tensor(p.defaults)[None, :, None] for p in spec.parameters(CTX)}
    changed = {
        name: torch.tensor(value, dtype=torch.float32)[None, :, None] for name, value in changes.items()
    }
    assert set(changed) <= set(values)
    return {**values, **changed}


def sine(frequency, samples=24000):
    return torch.sin(2 * math.pi * frequency / 48000 * torch.arange(samples).double()).float()[None, None]


def level(audio):
    return 20 * audio[..., audio.shape[-1] // 2 :].square().mean().sqrt().log10().item() + 3.01


def test_without_compression_nothing_but_the_phase_changes():
    spec = MultibandCompressor()
    setting = params(spec, ratio=[1.0, 1.0, 1.0])
    for frequency in (50, 250, 1000, 5000, 12000):
        found, _ = spec.build(CTX)(sine(frequency), setting)
        assert level(found) == pytest.approx(0, abs=0.01)


def test_each_band_obeys_its_own_settings():
    spec = MultibandCompressor(bands=2)
    setting = params(
        spec, crossover=[1000.0], threshold_db=[-60.0, -20.0], ratio=[1.0, 4.0], knee_db=[0.0, 0.0],
        attack_ms=[0.01, 0.01], release_ms=[2000.0, 2000.0], makeup_db=[3.0, 0.0],
    )  # fmt: skip
    low, _ = spec.build(CTX)(sine(50), setting)
    high, _ = spec.build(CTX)(sine(12000), setting)
    assert level(low) == pytest.approx(3.0, abs=0.1)
    assert level(high) == pytest.approx(-15.0, abs=0.2)


def test_the_dry_share_is_in_phase_with_the_bands():
    spec = MultibandCompressor()
    setting = params(spec, makeup_db=[-24.0] * 3, ratio=[1.0] * 3, mix=[0.5])
    found, _ = spec.build(CTX)(sine(700), setting)
    assert level(found) == pytest.approx(20 * math.log10(0.5 + 0.5 * 10 ** (-24 / 20)), abs=0.02)


def test_a_side_chain_is_split_too():
    spec = MultibandCompressor(bands=2, sidechain=True)
    setting = params(spec, crossover=[1000.0], threshold_db=[-40.0] * 2, ratio=[10.0] * 2)
    module, audio = spec.build(CTX), sine(100) + sine(10000)
    found, _ = module(audio, setting, sidechain=sine(100))
    spectrum = torch.fft.rfft(found[0, 0, 12000:].double()).abs() / 6000
    assert spectrum[25] < 0.1
    assert spectrum[2500] == pytest.approx(1.0, abs=0.02)
