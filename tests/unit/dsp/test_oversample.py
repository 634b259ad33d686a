"""Oversampling: transparent in the passband, late by what it declares, and far less aliasing."""

from __future__ import annotations

import math

import pytest
import torch

from fxkit.context import BuildContext
from fxkit_dsp.gain import Gain
from fxkit_dsp.limiter import Limiter
from fxkit_dsp.oversample import Oversample
from fxkit_dsp.tanh import Tanh
from fxkit_synth.harmonic import Harmonic

CONTEXT = BuildContext()
RATE = 48000


def defaults_of(spec):
    return {p.name: torch.tensor(p.defaults)[None, :, None] for p in spec.parameters(CONTEXT)}


def sine(hertz, samples=RATE):
    return torch.sin(2 * math.pi * hertz / RATE * torch.arange(samples, dtype=torch.float64))[None, None]


@pytest.mark.parametrize("factor", [2, 4, 8])
@pytest.mark.parametrize("hertz", [50, 1000, 19900])
def test_a_neutral_processor_only_delays(factor, hertz):
    spec = Oversample(processor=Gain(), factor=factor)
    late = spec.traits(CONTEXT).latency
    audio = sine(hertz)
    output, _ = spec.build(CONTEXT)(audio.float(), defaults_of(spec))
    assert float((output[..., 1000:] - audio[..., 1000 - late : -late]).abs().max()) <= 5e-5


@pytest.mark.parametrize("factor", [2, 4, 8])
def test_the_latency_of_the_inner_processor_is_whole(factor):
    spec = Oversample(processor=Limiter(), factor=factor)
    alone = Limiter().traits(BuildContext(sample_rate=RATE * factor)).latency
    assert alone > 0
    late = spec.traits(CONTEXT).latency
    assert late >= Oversample(processor=Gain(), factor=factor).traits(CONTEXT).latency + alone // factor
    audio = 0.01 * sine(1000)
    output, _ = spec.build(CONTEXT)(audio.float(), defaults_of(spec))
    assert float((output[..., 2000:] - audio[..., 2000 - late : -late]).abs().max()) <= 1e-5


def aliases(factor, drive):
    """Return the level of what is no harmonic of a 5 kHz sine, relative to what is, in dB."""
    hertz = 5003  # harmonics and their aliases fall on different bins
    spec = Oversample(processor=Tanh(), factor=factor) if factor > 1 else Tanh()
    params = {**defaults_of(spec), "drive_db": torch.full((1, 1, 1), drive)}
    output, _ = spec.build(CONTEXT)(sine(hertz, 2 * RATE).float(), params)
    power = torch.fft.rfft(output[0, 0, RATE:].double()).abs().square()
    harmonics = power[0].clone() + power[hertz::hertz].sum()
    return float(10 * ((power.sum() - harmonics) / harmonics).log10())


@pytest.mark.parametrize("drive", [0.0, 12.0])
def test_four_times_lowers_the_aliases_of_tanh_by_far(drive):
    assert aliases(1, drive) >= -50
    assert aliases(4, drive) <= aliases(1, drive) - 80
    assert aliases(2, drive) <= aliases(1, drive) - 30


def test_moving_parameters_arrive_in_time_in_any_blocks():
    spec = Oversample(processor=Gain(), factor=4)
    module = spec.build(CONTEXT)
    audio = torch.ones(1, 1, 600)
    track = torch.linspace(-24, 24, 600)[None, None]
    whole, _ = module(audio, {"gain_db": track})
    parts, state, start = [], None, 0
    for size in (1, 1, 7, 0, 64, 327, 200):
        part, state = module(
            audio[..., start : start + size], {"gain_db": track[..., start : start + size]}, state
        )
        parts.append(part)
        start += size
    assert torch.allclose(torch.cat(parts, dim=-1), whole, atol=1e-5)
    # Gains act between the two filters, so they are late by the second alone.
    heard = 20 * whole[0, 0, 200:].log10()
    assert bool((heard > track[0, 0, 158:-42]).all())
    assert bool((heard < track[0, 0, 161:-39]).all())


def test_a_source_is_only_brought_down():
    spec = Oversample(processor=Harmonic(), factor=2)
    assert spec.traits(CONTEXT).latency == 40
    assert spec.traits(CONTEXT).source


def test_inner_bounds_follow_the_higher_rate():
    from fxkit_dsp.parametric_eq import ParametricEQ

    spec = Oversample(processor=ParametricEQ(highest=60000.0), factor=4)
    assert spec.parameters(CONTEXT)[0].high == 60000
    assert ParametricEQ(highest=60000.0).parameters(CONTEXT)[0].high < 24000
