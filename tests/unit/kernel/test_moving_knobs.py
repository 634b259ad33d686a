"""Knobs that are turned while the sound goes on: frames of knobs in place of one setting."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

import fxkit
from fxkit.engine.material import Material
from fxkit.engine.segments import Segments
from fxkit.engine.streaming import process
from fxkit.errors import RunError
from fxkit.experiment.reader import read_blueprint
from fxkit.model.assembly import build_model, model_context
from fxkit.values import Recording

HOP = 32
SAMPLES = 400
FRAMES = SAMPLES // HOP + 1


def build(*members, knobs=("drive", "tone")):
    document = fxkit.Model.chain(*members).document(run={"hop": HOP})
    blueprint = read_blueprint(document, "test")
    ctx = model_context(blueprint, channels=1, target_channels=1, knobs=knobs)
    torch.manual_seed(0)
    model = build_model(blueprint, ctx)
    with torch.no_grad():
        for weight in model.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return model.eval()


def gain(controller="knobs-mlp", **rest):
    return build(fxkit.node("gain", controller={"type": controller, **rest}))


def noise(batch=2):
    return torch.randn(batch, 1, SAMPLES, generator=torch.Generator().manual_seed(1))


def turning(batch=2):
    return torch.rand(batch, 2, FRAMES, generator=torch.Generator().manual_seed(2))


def test_knobs_act_at_their_frames_and_glide_in_between():
    model, knobs = gain(), turning()
    moved = process(model, noise(), knobs=knobs).parameters["gain.gain_db"]
    assert moved.shape == (2, 1, SAMPLES)
    for frame in range(FRAMES - 1):
        here = model(noise(), knobs=knobs[..., frame]).parameters["gain.gain_db"][..., 0]
        after = model(noise(), knobs=knobs[..., frame + 1]).parameters["gain.gain_db"][..., 0]
        middle = moved[..., frame * HOP + HOP // 2]
        assert torch.allclose(moved[..., frame * HOP], here, atol=1e-5)
        assert torch.allclose(middle, (here + after) / 2, atol=1e-5)


def test_knobs_that_stay_where_they_are_may_come_as_frames():
    model = gain()
    still = torch.rand(2, 2)
    frames = still[..., None].expand(-1, -1, FRAMES)
    with torch.no_grad():
        found = process(model, noise(), knobs=frames).audio
        assert torch.allclose(found, process(model, noise(), knobs=still).audio, atol=1e-6)


@pytest.mark.parametrize("conditioning", ["concat", "film", "tfilm", "tvfilm"])
@settings(max_examples=6, deadline=None)
@given(block=st.integers(1, 130))
def test_any_split_of_turning_knobs_is_one_signal(conditioning, block):
    network = fxkit.node(
        "lstm", hidden=4, conditioning={"type": conditioning, "size": 2}, controller={"type": "knobs"}
    )
    model = build(network)
    with torch.no_grad():
        whole = process(model, noise(), knobs=turning()).audio
        split = process(model, noise(), knobs=turning(), block=block).audio
    assert torch.allclose(split, whole, atol=1e-5)


def test_the_same_frames_again_are_later_frames():
    # A stream whose blocks are a frame long may pass one tensor again and again.
    model, knobs = gain(), torch.rand(2, 2, 1)
    first = torch.cat((torch.zeros(2, 2, 1), knobs), dim=-1)
    with torch.no_grad():
        state, found = None, []
        for block in range(4):
            output = model(noise()[..., :HOP], knobs=first if block == 0 else knobs, state=state)
            state = output.state
            found.append(output.parameters["gain.gain_db"])
    assert torch.allclose(found[1], found[3], atol=1e-6)
    assert not torch.allclose(found[0], found[1], atol=1e-3)


def test_a_knob_turned_between_two_blocks_acts_from_the_second_on():
    model = gain()
    low, high = torch.tensor([[0.1, 0.2]]), torch.tensor([[0.9, 0.4]])
    audio = noise(1)
    with torch.no_grad():
        state, found = None, []
        for knobs in (low, low, low, high, high):
            output = model(audio, knobs=knobs, state=state)
            state = output.state
            found.append(output.audio)
        assert torch.equal(found[2], model(audio, knobs=low).audio)
        assert torch.allclose(found[3], model(audio, knobs=high).audio, atol=1e-6)
    assert not torch.allclose(found[2], found[3], atol=1e-3)


def test_what_reads_audio_besides_says_that_its_knobs_cannot_move():
    with pytest.raises(RunError, match=r"gain.controller: reads more than knobs, and these move"):
        process(gain("lstm-control"), noise(), knobs=turning())


def test_training_reads_the_frames_of_each_segment():
    ramp = torch.arange(2000.0)
    frames = torch.stack((ramp[::HOP], -ramp[::HOP]))
    recording = Recording(name="a", input=ramp[None], target=ramp[None], knobs=frames)
    source = Material(recordings=(recording,), features=({},))
    batch = Segments(source, segment=96, warmup=10, batch_size=4, seed=1, hop=HOP).batch(0)
    assert batch.knobs.shape == (4, 2, (106 - 1) // HOP + 2)
    assert torch.equal(batch.knobs[:, 0, 0], batch.input[:, 0, 0])
    assert torch.equal(batch.knobs[:, 1, 2], -batch.input[:, 0, 2 * HOP])
