"""The envelope controller against a loop over samples."""

from __future__ import annotations

import math

import pytest
import torch

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs
from fxkit_control.envelope import Envelope
from fxkit_signal.framing import frames_given

HOP, RATE = 48, 48000
PARAMETERS = (
    Parameter(name="tone.gain", low=-12, high=12, default=3, unit="dB"),
    Parameter(name="tone.frequency", low=20, high=20000, default=1000, unit="Hz", mapping="log"),
)


def build(spec, knobs=()):
    return spec.build(BuildContext(sample_rate=RATE, hop=HOP, knobs=knobs, parameters=PARAMETERS))


def inputs(audio, knobs=None):
    return ControlInputs(audio=audio, knobs=knobs, frames=frames_given(audio.shape[-1], HOP))


def noise(channels=1, samples=700):
    fade = torch.linspace(0, 9, samples).sin()
    return fade * torch.randn(1, channels, samples, generator=torch.Generator().manual_seed(0))


def drives(audio):
    """Follow the first 2 channels' larger magnitude with the times and the threshold at the start."""
    rise, fall = (math.exp(-1000 / (time * RATE)) for time in (5.0, 100.0))
    envelope, found = 0.0, []
    for x in audio.abs().amax(0).tolist():
        c = rise if x > envelope else fall
        envelope = c * envelope + (1 - c) * x
        over = 20 * math.log10(max(envelope, 1e-6)) + 40
        inside = abs(over) < 6
        found.append(((over + 6) ** 2 / 24 if inside else max(over, 0.0)) / 24)
    return found


def test_values_start_at_the_defaults_whatever_is_heard():
    values, _ = build(Envelope())(inputs(noise()))
    expected = torch.tensor([p.to_normalised(p.default) for p in PARAMETERS])
    assert torch.allclose(values[0], expected[:, None].expand_as(values[0]), atol=1e-6)


@pytest.mark.parametrize("rate", ["sample", "frame"])
def test_values_follow_the_level_by_their_depth(rate):
    module, audio = build(Envelope(rate=rate)), noise(channels=2)
    with torch.no_grad():
        module.depth.copy_(torch.tensor([[1.5], [-0.5]]))
    values, _ = module(inputs(audio))
    heard = drives(audio[0])
    if rate == "frame":
        # Frame j knows the samples before (j - 1) * hop; frames 0 and 1 know silence.
        heard = [0.0, 0.0] + [heard[(j - 1) * HOP - 1] for j in range(2, frames_given(700, HOP))]
    for row, (parameter, depth) in enumerate(zip(PARAMETERS, (1.5, -0.5), strict=True)):
        share = parameter.to_normalised(parameter.default)
        bias = math.log(share / (1 - share))
        expected = [1 / (1 + math.exp(-bias - depth * drive)) for drive in heard]
        assert values[0, row].tolist() == pytest.approx(expected, abs=1e-6)


def test_knobs_shift_values_and_depths():
    module, audio = build(Envelope(), knobs=("drive",)), noise()
    with torch.no_grad():
        module.knobs.weight.copy_(torch.tensor([[1.0], [0.0], [0.0], [2.0]]))
    off, on = (module(inputs(audio, torch.tensor([[knob]])))[0][0] for knob in (0.0, 1.0))
    assert (on[0] > off[0]).all()
    assert torch.allclose(on[1, :2], off[1, :2])
    assert (on[1, 6:] > off[1, 6:]).all()


def test_times_and_thresholds_are_learned():
    module = build(Envelope(detectors=2, rate="sample"))
    with torch.no_grad():
        module.depth.fill_(1.0)
    module(inputs(noise()))[0].square().sum().backward()
    for weight in (module.attack, module.release, module.threshold):
        assert (weight.grad.abs() > 1e-6).all()
