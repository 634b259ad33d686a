from __future__ import annotations

import math

import numpy as np
import pytest
import torch

from fxkit.context import BuildContext
from fxkit_dsp._sweep import READING_MARGIN
from fxkit_dsp.chorus import Chorus
from fxkit_dsp.delay import Delay
from fxkit_dsp.echo import Echo
from fxkit_dsp.flanger import Flanger
from fxkit_dsp.phaser import Phaser
from fxkit_dsp.tremolo import Tremolo
from fxkit_dsp.vibrato import Vibrato
from fxkit_signal.delay_line import least_delay

RATE = 48000
CTX = BuildContext(sample_rate=RATE)
STEREO = BuildContext(sample_rate=RATE, channels=2, target_channels=2)
SWEPT = (Flanger, Chorus, Vibrato, Tremolo, Phaser)


def noise(channels, samples, seed=0):
    draw = torch.Generator().manual_seed(seed)
    return torch.randn(1, channels, samples, generator=draw, dtype=torch.float64)


def run(spec, audio, ctx=CTX, state=None, **values):
    """Run a processor with its defaults but for `values`."""
    defaults = {parameter.name: parameter.defaults for parameter in spec.parameters(ctx)}
    defaults.update({name: (value,) for name, value in values.items()})
    params = {
        name: torch.tensor(value, dtype=torch.float64)[None, :, None].expand(audio.shape[0], -1, 1)
        for name, value in defaults.items()
    }
    return spec.build(ctx)(audio, params, state)


def read(line, n, delay):
    """Read a list linearly, `delay` samples before place n."""
    whole = math.floor(delay)
    values = [line[place] if place >= 0 else 0.0 for place in (n - whole, n - whole - 1)]
    return values[0] + (delay - whole) * (values[1] - values[0])


def test_the_margin_of_reading_is_that_of_a_windowed_sinc_in_a_loop():
    assert least_delay("sinc", feedback=True) == READING_MARGIN


def test_a_flanger_equals_its_loop_over_samples():
    x = noise(1, 3000)
    found, _ = run(
        Flanger(interpolation="linear"), x, delay=0.7, depth=3.0, feedback=-0.6, mix=0.4, rate=9.0, phase=0.3
    )
    line, out = [], []
    for n, sample in enumerate(x[0, 0].tolist()):
        swing = 0.5 + 0.5 * math.sin(2 * math.pi * (9.0 * n / RATE + 0.3))
        line.append(0.0)
        wet = read(line, n, 48 * (0.7 + 3.0 * swing))
        line[n] = sample - 0.6 * wet
        out.append(0.6 * sample + 0.4 * wet)
    np.testing.assert_allclose(found[0, 0], out, atol=1e-9)


def test_an_echo_equals_its_loop_over_samples():
    x = noise(1, 3000)
    found, _ = run(Echo(interpolation="linear"), x, time=10.4, feedback=0.7, tone=3000.0, mix=0.5)
    pole = math.exp(-2 * math.pi * 3000 / RATE)
    line, out, loop = [], [], 0.0
    for n, sample in enumerate(x[0, 0].tolist()):
        wet = read(line, n, 10.4 * 48)
        loop = (1 - pole) * wet + pole * loop
        line.append(sample + 0.7 * loop)
        out.append(0.5 * sample + 0.5 * wet)
    np.testing.assert_allclose(found[0, 0], out, atol=1e-9)


def test_a_chorus_is_the_mean_of_voices_spread_over_a_turn():
    x = noise(2, 2000)
    found, _ = run(
        Chorus(voices=3, interpolation="linear"), x, STEREO, rate=11.0, depth=2.0, delay=3.0, mix=1.0
    )
    for channel in (0, 1):
        line = x[0, channel].tolist()
        out = np.zeros(len(line))
        for voice in range(3):
            for n in range(len(line)):
                swing = 0.5 + 0.5 * math.sin(2 * math.pi * (11.0 * n / RATE + voice / 3))
                out[n] += read(line, n, 48 * (3.0 + 2.0 * swing)) / 3
        np.testing.assert_allclose(found[0, channel], out, atol=1e-9)


def test_a_vibrato_bends_the_pitch_by_pi_depth_rate():
    time = torch.arange(RATE, dtype=torch.float64) / RATE
    x = torch.sin(2 * math.pi * 1000 * time)[None, None]
    y, _ = run(Vibrato(), x, depth=2.0, rate=5.0)
    bin_ = torch.fft.fft(y[0, 0])
    bin_[RATE // 2 :] = 0
    phase = np.unwrap(np.angle(torch.fft.ifft(bin_).numpy()))
    frequency = np.diff(phase)[5000:-5000] * RATE / (2 * math.pi)
    bend = math.pi * 0.002 * 5.0
    assert frequency.max() == pytest.approx(1000 * (1 + bend), rel=5e-4)
    assert frequency.min() == pytest.approx(1000 * (1 - bend), rel=5e-4)


def test_a_tremolo_falls_by_its_depth_and_channels_half_a_turn_apart_take_turns():
    x = torch.ones(1, 2, RATE, dtype=torch.float64)
    y, _ = run(Tremolo(), x, STEREO, rate=4.0, depth=0.8, spread=0.5)
    assert float(y.max()) == pytest.approx(1, abs=1e-6)
    assert float(y.min()) == pytest.approx(0.2, abs=1e-6)
    torch.testing.assert_close(y[0, 0] + y[0, 1], torch.full((RATE,), 1.2, dtype=torch.float64))


def test_a_phaser_that_stands_has_its_notches_where_the_stages_turn_half_way():
    x = torch.zeros(1, 1, 1 << 16, dtype=torch.float64)
    x[..., 0] = 1
    y, _ = run(Phaser(stages=4), x, depth=0.0, frequency=1000.0, mix=0.5)
    level = torch.fft.rfft(y[0, 0]).abs()
    frequencies = torch.fft.rfftfreq(1 << 16, 1 / RATE)
    # Where each of the four stages turns by 45 or by 135 degrees.
    for degrees in (22.5, 67.5):
        ratio = math.tan(math.pi * 1000 / RATE) * math.tan(math.radians(degrees))
        notch = RATE / math.pi * math.atan(ratio)
        assert float(level[(frequencies - notch).abs().argmin()]) < 1e-2
    assert float(level.max()) == pytest.approx(1, abs=1e-9)


def test_a_mix_below_zero_turns_the_wet_sound_over():
    x = noise(1, 500)
    upright, _ = run(Flanger(), x, mix=0.5)
    turned, _ = run(Flanger(), x, mix=-0.5)
    torch.testing.assert_close(upright + turned, x)


def test_a_delay_may_move_at_every_sample():
    x = noise(1, 3000)
    module = Delay(interpolation="linear").build(CTX)
    time = torch.linspace(1.0, 20.0, 3000, dtype=torch.float64)[None, None]
    y, _ = module(x, {"time": time, "mix": torch.ones(1, 1, 1, dtype=torch.float64)})
    line = x[0, 0].tolist()
    expected = [read(line, n, 48 * float(time[0, 0, n])) for n in range(3000)]
    np.testing.assert_allclose(y[0, 0], expected, atol=1e-9)


@pytest.mark.parametrize("wave", ["sine", "triangle", "learned"])
@pytest.mark.parametrize("spec", SWEPT, ids=lambda spec: spec.__name__)
def test_oscillators_of_segments_stand_where_they_would_be_in_the_recording(spec, wave):
    start, length = 30_011, 400
    x = torch.cat([torch.zeros(1, 2, start, dtype=torch.float64), noise(2, length)], -1)
    whole, _ = run(spec(wave=wave), x, STEREO, rate=3.0, spread=0.2)
    state = spec(wave=wave).build(STEREO).state_at(torch.tensor([start, 0]))
    both = x[..., start:].repeat(2, 1, 1)
    cut, _ = run(spec(wave=wave), both, STEREO, state, rate=3.0, spread=0.2)
    torch.testing.assert_close(cut[0], whole[0, :, start:], rtol=0, atol=1e-9)
    fresh, _ = run(spec(wave=wave), x[..., start:], STEREO, rate=3.0, spread=0.2)
    torch.testing.assert_close(cut[1], fresh[0], rtol=0, atol=1e-9)


def test_a_learned_wave_starts_as_a_sine():
    x = noise(1, 4000)
    sine, _ = run(Flanger(), x, rate=8.0)
    learned, _ = run(Flanger(wave="learned"), x, rate=8.0)
    torch.testing.assert_close(learned, sine)


def test_channels_have_a_spread_only_where_there_are_several():
    for spec in SWEPT:
        assert "spread" not in {parameter.name for parameter in spec().parameters(CTX)}
        assert "spread" in {parameter.name for parameter in spec().parameters(STEREO)}
