from __future__ import annotations

import pytest
import torch

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs
from fxkit_synth._ddsp_decoder import midi_share
from fxkit_synth.ddsp_decoder import DDSPDecoder

F0 = Parameter(
    name="harmonic.f0", low=20.0, high=21600.0, default=220.0, unit="Hz", mapping="log", rate="frame"
)
LEVEL = Parameter(
    name="harmonic.amplitude", low=0.0, high=2.0, default=0.1, mapping="exp-sigmoid", rate="frame"
)
NOISE = Parameter(name="noise.magnitudes", low=0.0, high=1.0, default=1e-3, mapping="exp-sigmoid", size=4)
FEATURES = {"f0": 2, "loudness": 1}
CTX = BuildContext(parameters=(LEVEL, F0, NOISE), features=FEATURES)


def features(frames: int, batch: int = 2, seed: int = 0) -> dict[str, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    hertz = 40 + 2000 * torch.rand(batch, 1, frames, generator=draw)
    confidence = torch.rand(batch, 1, frames, generator=draw)
    loudness = -80 * torch.rand(batch, 1, frames, generator=draw)
    return {"f0": torch.cat((hertz, confidence), 1), "loudness": loudness}


def inputs(values: dict[str, torch.Tensor]) -> ControlInputs:
    frames = values["f0"].shape[-1]
    return ControlInputs(audio=torch.zeros(2, 0, 64), features=values, frames=frames)


def stirred(ctx: BuildContext = CTX) -> torch.nn.Module:
    torch.manual_seed(0)
    module = DDSPDecoder(hidden=16).build(ctx)
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return module


@pytest.mark.parametrize("mapping", ["log", "linear", "exp-sigmoid"])
def test_the_pitch_parameter_is_the_feature(mapping):
    pitch = Parameter(name="tone.f0", low=20.0, high=4000.0, default=220.0, mapping=mapping, rate="frame")
    values = {name: value.double() for name, value in features(200).items()}
    module = DDSPDecoder(hidden=8).build(BuildContext(parameters=(pitch, NOISE), features=FEATURES)).double()
    hertz = pitch.to_physical(module(inputs(values))[0][:, 0])
    assert torch.allclose(hertz, values["f0"][:, 0], rtol=1e-12)


def test_the_pitch_parameter_is_exact_to_a_millionth_in_float32():
    values = features(500)
    hertz = F0.to_physical(stirred()(inputs(values))[0][:, 1].detach())
    assert float((hertz / values["f0"][:, 0] - 1).abs().max()) < 1e-6


def test_pitch_outside_the_range_is_held_to_its_ends():
    values = features(2)
    values["f0"][:, 0] = torch.tensor([0.0, 30000.0])
    hertz = F0.to_physical(stirred()(inputs(values))[0][0, 1].detach())
    assert hertz.tolist() == pytest.approx([20.0, 21600.0], rel=1e-5)


def test_everything_else_starts_at_its_default():
    emitted = DDSPDecoder().build(CTX)(inputs(features(7)))[0]
    assert LEVEL.to_physical(emitted[:, 0]).flatten().tolist() == pytest.approx([0.1] * 14, rel=1e-4)
    assert NOISE.to_physical(emitted[:, 2:]).flatten().tolist() == pytest.approx([1e-3] * 56, rel=1e-4)


def test_a_block_without_frames_due_keeps_the_state():
    module = stirred()
    _, state = module(inputs(features(3)))
    emitted, after = module(inputs(features(0)), state)
    assert tuple(emitted.shape) == (2, 6, 0)
    assert after is state


@pytest.mark.parametrize(("feature", "dimension"), [("f0", 0), ("f0", 1), ("loudness", 0)])
def test_pitch_confidence_and_loudness_are_all_read(feature, dimension):
    module, values = stirred(), features(6)
    changed = {name: value.clone() for name, value in values.items()}
    changed[feature][:, dimension] *= 0.7
    before, after = (module(inputs(given))[0][:, 2:] for given in (values, changed))
    assert (after - before).abs().min().item() > 0


def test_pitch_and_loudness_pass_stacks_of_their_own():
    module = DDSPDecoder(hidden=8, layers=2).build(CTX)
    pitch, loudness = (list(stack.parameters()) for stack in (module.pitch, module.loudness))
    assert [tuple(weight.shape) for weight in (pitch[0], loudness[0])] == [(8, 2), (8, 1)]
    assert {id(weight) for weight in pitch}.isdisjoint(id(weight) for weight in loudness)


def test_pitch_is_scaled_in_semitones():
    notes = midi_share(torch.tensor([440.0, 880.0, 0.0]).double()) * 127
    assert notes.tolist() == pytest.approx([69.0, 81.0, 0.0], abs=1e-9)


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        ({}, '"f0" of 2 dimensions .* is absent; give .features.f0. the type'),
        ({"f0": 2}, '"loudness" of 1 dimensions .* is absent; give .features.loudness. the type'),
        ({"f0": 1, "loudness": 1}, '"f0" of 2 dimensions .* has 1'),
    ],
)
def test_absent_features_are_named(given, complaint):
    with pytest.raises(AssemblyError, match=complaint):
        DDSPDecoder().build(BuildContext(parameters=(F0,), features=given))
