"""Training segments: a pure function of seed and step that covers everything once an epoch."""

from __future__ import annotations

import attrs
import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.engine.material import Material, Series, Side
from fxkit.engine.segments import Segments
from fxkit.errors import DataError
from fxkit.values import Recording


def counting(name, samples, first=0, **rest):
    """A recording whose samples are their own positions."""
    ramp = torch.arange(first, first + samples, dtype=torch.float32)[None]
    return Recording(name=name, input=ramp, target=-ramp, **rest)


def material(*recordings, features=None):
    return Material(recordings=recordings, features=tuple(features or ({} for _ in recordings)))


def make(source, **rest):
    return Segments(source, **{"segment": 10, "warmup": 0, "batch_size": 4, "seed": 5, **rest})


def test_input_and_target_are_cut_at_the_same_place():
    batch = make(material(counting("a", 500)), warmup=3).batch(7)
    assert batch.input.shape == batch.target.shape == (4, 1, 13)
    assert torch.equal(batch.input, -batch.target)
    assert torch.equal(batch.input[:, 0].diff(), torch.ones(4, 12))
    assert batch.warmup == 3


def test_the_same_seed_and_step_give_the_same_batch_whatever_came_before():
    source = material(counting("a", 1000), counting("b", 700, first=5000))
    warm, cold = make(source), make(source)
    for step in range(60):
        warm.batch(step)
    for step in (59, 3, 41, 0):
        assert torch.equal(warm.batch(step).input, cold.batch(step).input)


def test_another_seed_gives_another_order():
    source = material(counting("a", 1000))
    assert not torch.equal(make(source, seed=1).batch(0).input, make(source, seed=2).batch(0).input)


@settings(max_examples=40, deadline=None)
@given(
    lengths=st.lists(st.integers(25, 300), min_size=1, max_size=4),
    segment=st.integers(5, 20),
    seed=st.integers(0, 1000),
)
def test_an_epoch_visits_each_slot_once_without_overlap(lengths, segment, seed):
    recordings = [counting(str(i), n, first=10_000 * i) for i, n in enumerate(lengths)]
    cuts = make(material(*recordings), segment=segment, batch_size=1, seed=seed)
    seen = torch.cat([cuts.batch(step).input.flatten() for step in range(len(cuts))])
    assert seen.unique().numel() == seen.numel() == len(cuts) * segment


def test_over_many_epochs_every_sample_is_seen():
    cuts = make(material(counting("a", 205)), batch_size=1)
    steps = len(cuts) * 200
    seen = torch.cat([cuts.batch(step).input.flatten() for step in range(steps)]).unique()
    assert seen.numel() == 205


def test_recordings_that_are_too_short_are_all_named():
    with pytest.raises(DataError) as caught:
        make(material(counting("short.wav", 9), counting("fine.wav", 100), counting("tiny.wav", 1)))
    assert [line.split(":")[0] for line in caught.value.problems] == ["short.wav", "tiny.wav"]
    assert "data.segment" in caught.value.problems[0]


def test_an_empty_split_is_an_error():
    with pytest.raises(DataError, match="no recordings"):
        make(material())


def test_features_are_cut_with_the_audio_on_the_hop():
    hop, samples = 4, 400
    series = torch.arange(samples // hop + 1, dtype=torch.float32)[None] * hop
    source = material(counting("a", samples), features=[{"position": series}])
    batch = make(source, segment=16, hop=hop).batch(2)
    frames = batch.features["position"]
    assert frames.shape == (4, 1, 5)
    assert torch.equal(frames[:, 0, 0], batch.input[:, 0, 0])
    assert torch.equal(frames[:, 0, -1], batch.input[:, 0, -1] + 1)


def test_frames_past_the_end_hold_the_last():
    series = torch.tensor([[1.0, 2.0, 3.0]])
    cut = Series([series]).of(np.array([0]), np.array([4]), 10, 4)
    assert cut.tolist() == [[[2.0, 3.0, 3.0, 3.0]]]


def test_knobs_follow_their_recording():
    one = counting("one", 100, knobs=torch.tensor([0.25]))
    two = counting("two", 100, first=1000, knobs=torch.tensor([0.75]))
    batch = make(material(one, two), batch_size=16).batch(0)
    high = batch.input[:, 0, 0] >= 1000
    assert torch.equal(batch.knobs[:, 0] == 0.75, high)
    assert high.any()
    assert not high.all()


def test_transforms_change_each_batch_in_order_and_repeat_with_the_step():
    def scale(batch, generator):
        factor = torch.rand(1, generator=generator)
        return attrs.evolve(batch, input=batch.input * factor, target=batch.target * factor)

    def shift(batch, generator):
        return attrs.evolve(batch, input=batch.input + 1000)

    source = material(counting("a", 500))
    plain = make(source).batch(3)
    one, other = (make(source, transforms=(scale, shift)) for _ in range(2))
    other.batch(0)
    assert torch.equal(one.batch(3).input, other.batch(3).input)
    assert torch.allclose(one.batch(3).input - 1000, -one.batch(3).target, atol=1e-3)
    assert not torch.equal(one.batch(3).target, plain.target)


def test_workers_share_the_batch_that_one_process_with_all_items_would_read():
    source = material(counting("a", 1000), counting("b", 700, first=5000))
    alone = make(source, batch_size=12)
    workers = [make(source, batch_size=4, rank=rank, ranks=3) for rank in range(3)]
    for step in (0, 5, 40):
        joined = torch.cat([worker.batch(step).input for worker in workers])
        assert torch.equal(joined, alone.batch(step).input)


def test_a_batch_may_reach_over_several_epochs():
    source = material(counting("a", 45))
    one, all_at_once = make(source, batch_size=1), make(source, batch_size=11)
    separate = torch.cat([one.batch(step).input for step in range(11, 22)])
    assert torch.equal(all_at_once.batch(1).input, separate)


def test_transforms_of_workers_draw_for_themselves():
    def scale(batch, generator):
        return attrs.evolve(batch, target=torch.rand(1, generator=generator))

    source = material(counting("a", 500))
    first, second = (make(source, transforms=(scale,), rank=rank, ranks=2).batch(3) for rank in range(2))
    assert not torch.equal(first.target, second.target)


def test_several_channels_are_cut_alike():
    ramp = torch.arange(300.0)
    stereo = Recording(name="s", input=torch.stack([ramp, ramp + 1000]), target=-ramp[None])
    batch = make(material(stereo)).batch(0)
    assert batch.input.shape == (4, 2, 10)
    assert torch.equal(batch.input[:, 1], batch.input[:, 0] + 1000)
    assert torch.equal(batch.input[:, 0], -batch.target[:, 0])


def test_audio_in_any_layout_is_read():
    ramp = torch.arange(600.0).reshape(300, 2).T
    other = Recording(name="s", input=ramp, target=ramp.double())
    batch = make(material(other)).batch(0)
    assert torch.equal(batch.input, batch.target)
    assert torch.equal(batch.input[:, 1] - batch.input[:, 0], torch.ones(4, 10))


def test_recordings_of_unlike_channels_are_named():
    ramp = torch.zeros(2, 100)
    with pytest.raises(DataError, match="b: 2 channels where a has 1"):
        make(material(counting("a", 100), Recording(name="b", input=ramp, target=ramp)))


def test_a_stretch_beyond_its_recording_is_refused():
    side = Side(["a"], [torch.zeros(1, 20)])
    with pytest.raises(IndexError, match="beyond"):
        side.copy(np.array([0]), np.array([15]), torch.empty(1, 1, 10))
