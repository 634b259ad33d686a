"""A processor at another rate: transparent, late by what it declares, the same in any blocks."""

from __future__ import annotations

import math

import pytest
import torch

from fxkit.context import BuildContext
from fxkit_dsp.gain import Gain
from fxkit_dsp.limiter import Limiter
from fxkit_dsp.oversample import Oversample
from fxkit_dsp.resample import Resample
from fxkit_dsp.tanh import Tanh
from fxkit_synth.harmonic import Harmonic

CONTEXT = BuildContext()
RATES = [44100, 32000, 96000, 22050, 88200]


def defaults_of(spec, ctx=CONTEXT):
    return {p.name: torch.tensor(p.defaults)[None, :, None] for p in spec.parameters(ctx)}


def sine(hertz, samples=24000):
    return torch.sin(2 * math.pi * hertz / 48000 * torch.arange(samples, dtype=torch.float64))[None, None]


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("inner", [Gain(), Limiter(), Oversample(processor=Gain())])
def test_a_neutral_processor_only_delays(rate, inner):
    spec = Resample(processor=inner, rate=rate)
    late = spec.traits(CONTEXT).latency
    audio = 0.01 * sine(3000)
    output, _ = spec.build(CONTEXT)(audio.float(), defaults_of(spec))
    assert float((output[..., 4000:] - audio[..., 4000 - late : -late]).abs().max()) <= 1e-6


@pytest.mark.parametrize("rate", RATES)
@pytest.mark.parametrize("sizes", [[1] * 300, [7] * 60, [64] * 10, [1, 333, 0, 2, 64, 48, 1, 500]])
def test_blocks_give_the_offline_output(rate, sizes):
    spec = Resample(processor=Tanh(), rate=rate)
    module = spec.build(CONTEXT)
    draw = torch.Generator().manual_seed(1)
    audio = torch.randn(2, 2, sum(sizes), generator=draw)
    tracks = {
        "drive_db": 12 * torch.rand(2, 1, sum(sizes), generator=draw),
        "bias": torch.zeros(2, 1, 1),
    }
    whole, _ = module(audio, tracks)
    parts, state, start = [], None, 0
    for size in sizes:
        cut = slice(start, start + size)
        params = {"drive_db": tracks["drive_db"][..., cut], "bias": tracks["bias"]}
        part, state = module(audio[..., cut], params, state)
        parts.append(part)
        start += size
    assert torch.allclose(torch.cat(parts, dim=-1), whole, atol=1e-6)


def test_the_same_rate_changes_nothing():
    spec = Resample(processor=Gain(), rate=48000)
    audio = torch.randn(1, 2, 100)
    assert torch.equal(spec.build(CONTEXT)(audio, defaults_of(spec))[0], audio)
    assert spec.traits(CONTEXT) == Gain().traits(CONTEXT)


def test_frames_stay_frames_only_on_a_whole_hop():
    rates = {
        hop: {p.rate for p in Resample(processor=Harmonic(), rate=44100).parameters(BuildContext(hop=hop))}
        for hop in (64, 160)
    }
    assert "frame" in rates[160]
    assert rates[64] == {"constant"}


def test_a_source_plays_at_its_own_rate():
    """A harmonic tone keeps its frequency; its frames come from constants."""
    spec = Resample(processor=Harmonic(), rate=44100)
    ctx = BuildContext(channels=0)
    params = defaults_of(spec, ctx)
    output, _ = spec.build(ctx)(torch.zeros(1, 0, 48000), params)
    own = BuildContext(channels=0, sample_rate=44100)
    alone, _ = Harmonic().build(own)(
        torch.zeros(1, 0, 44100), {name: value.expand(-1, -1, 691) for name, value in params.items()}
    )
    peak = int(torch.fft.rfft(output[0, 0]).abs().argmax())
    assert peak == int(torch.fft.rfft(alone[0, 0]).abs().argmax())
    assert float(output.std() / alone.std()) == pytest.approx(1, abs=0.02)


def test_impossible_ratios_are_named():
    with pytest.raises(ValueError, match="simpler ratio"):
        Resample(processor=Gain(), rate=44101).traits(CONTEXT)
