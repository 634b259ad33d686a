"""What has a clock of its own keeps time across segments that are cut at random."""

from __future__ import annotations

import torch

from fxkit.adapters import as_module
from fxkit.engine.segments import Material, Segments
from fxkit.model.drive import state_at
from fxkit.values import Recording


class Ticking(torch.nn.Module):
    """Add the sample's number since the start."""

    def forward(self, audio, params, state=None):
        first = torch.zeros(audio.shape[0], dtype=torch.int64) if state is None else state
        return audio + first[:, None, None] + torch.arange(audio.shape[-1]), first + audio.shape[-1]

    def state_at(self, starts):
        return starts


def test_a_batch_tells_where_each_segment_starts():
    ramp = torch.arange(1000.0)[None]
    recording = Recording(name="ramp", target=ramp, input=ramp)
    segments = Segments(
        Material(recordings=(recording,), features=({},)), segment=90, warmup=10, batch_size=4, seed=5
    )
    for step in range(3):
        batch = segments.batch(step)
        assert batch.starts.tolist() == batch.target[:, 0, 0].tolist()


def test_segments_of_an_excerpt_count_from_the_start_of_its_take():
    ramp = torch.arange(700.0, 1700.0)[None]
    recording = Recording(name="ramp", target=ramp, input=ramp, start=700)
    material = Material(recordings=(recording,), features=({},))
    batch = Segments(material, segment=90, warmup=10, batch_size=4, seed=5).batch(0)
    assert batch.starts.tolist() == batch.target[:, 0, 0].tolist()


def test_a_clock_is_set_to_the_start_of_the_segment():
    module = Ticking()
    whole, _ = module(torch.zeros(1, 1, 500), {})
    starts = torch.tensor([17, 203])
    cut, _ = module(torch.zeros(2, 1, 100), {}, state_at(module, starts))
    assert torch.equal(cut, torch.cat([whole[..., s : s + 100] for s in starts.tolist()]))


def test_what_has_no_clock_starts_from_silence():
    assert state_at(torch.nn.Identity(), torch.tensor([5])) is None


def test_a_plain_callable_can_have_a_clock():
    class Plain:
        def __call__(self, audio, params, state=None):
            return audio, state

        def state_at(self, starts):
            return starts + 1

    assert state_at(as_module(Plain()), torch.tensor([5])).tolist() == [6]
