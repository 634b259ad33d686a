import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fxkit.context import BuildContext
from fxkit_synth.harmonic import Harmonic

CONTEXT = BuildContext(sample_rate=16000, hop=64, channels=0)


def held(frames, f0=440.0, amplitude=0.5, distribution=(1.0, 0.5, 0.25), batch=1):
    values = {"f0": (f0,), "amplitude": (amplitude,), "distribution": distribution}
    return {
        name: torch.tensor(value)[None, :, None].repeat(batch, 1, frames) for name, value in values.items()
    }


def silence(samples, batch=1):
    return torch.zeros(batch, 0, samples)


@given(st.sampled_from([8000, 16000, 44100, 48000, 192000]), st.integers(1, 200))
def test_the_pitch_stays_below_half_the_sample_rate(rate, harmonics):
    f0, amplitude, distribution = Harmonic(harmonics=harmonics).parameters(BuildContext(sample_rate=rate))
    assert f0.high < rate / 2
    assert f0.to_physical(f0.to_normalised(440.0)) == pytest.approx(440.0)
    assert distribution.size == len(distribution.defaults) == harmonics
    assert {p.rate for p in (f0, amplitude, distribution)} == {"frame"}


def test_amplitude_is_the_sum_of_the_partials():
    module = Harmonic(harmonics=3).build(CONTEXT)
    tone, _ = module(silence(16000), held(251))
    spectrum = torch.fft.rfft(tone[0, 0].double()).abs() / 8000
    levels = [spectrum[440 * k].item() for k in (1, 2, 3)]
    assert levels == pytest.approx([0.5 * share / 1.75 for share in (1, 0.5, 0.25)], rel=1e-4)


def test_partials_that_would_alias_leave_their_share_to_the_others():
    module = Harmonic(harmonics=3).build(CONTEXT)
    tone, _ = module(silence(16000), held(251, f0=3000.0))
    spectrum = torch.fft.rfft(tone[0, 0].double()).abs() / 8000
    assert spectrum[3000].item() == pytest.approx(0.5 / 1.5, rel=1e-4)
    assert spectrum[6000].item() == pytest.approx(0.25 / 1.5, rel=1e-4)
    spectrum[[3000, 6000]] = 0
    assert spectrum.max() < 1e-4


def test_all_target_channels_get_the_tone():
    context = BuildContext(sample_rate=16000, hop=64, channels=0, target_channels=2)
    tone, _ = Harmonic(harmonics=3).build(context)(silence(300, 4), held(6, batch=4))
    assert tone.shape == (4, 2, 300)
    assert torch.equal(tone[:, 0], tone[:, 1])


def test_blocks_join_without_a_seam():
    module = Harmonic(harmonics=3).build(CONTEXT)
    params = {name: value * torch.linspace(1, 0.5, 8) for name, value in held(8).items()}
    whole, _ = module(silence(400), params)
    parts, state, taken = [], None, 0
    for size, due in ((1, 2), (7, 0), (64, 1), (200, 3), (128, 2)):
        block = {name: value[..., taken : taken + due] for name, value in params.items()}
        part, state = module(silence(size), block, state)
        parts.append(part)
        taken += due
    assert torch.allclose(torch.cat(parts, dim=-1), whole, atol=1e-6)


def test_every_parameter_learns_even_when_most_partials_are_silent():
    params = {name: value.requires_grad_() for name, value in held(6, 3500.0, 0.5, (1e-7, 0.5, 0.9)).items()}
    tone, _ = Harmonic(harmonics=3).build(CONTEXT)(silence(300), params)
    (tone * torch.randn(300)).sum().backward()
    for name, value in params.items():
        assert torch.isfinite(value.grad).all(), name
        assert value.grad.any(), name


def test_default_start_is_a_soft_sawtooth():
    parameters = Harmonic(harmonics=4).parameters(CONTEXT)
    assert parameters[2].defaults == (1.0, 1 / 2, 1 / 3, 1 / 4)
    assert math.isclose(parameters[0].defaults[0], 220.0)
