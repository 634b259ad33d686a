"""Which parts of which recordings are heard: the same every time, whatever the model does."""

from __future__ import annotations

import attrs
import pytest
import torch

from fxkit.errors import RunError
from fxkit_callbacks._clips import Clips

RATE = 8000


@pytest.fixture
def evaluation(make_example, make_evaluation):
    """Three recordings of 4 s, loud from 3 s, 1 s and 2 s on for half a second."""

    def recording(name, second):
        target = 0.01 * torch.ones(1, 4 * RATE)
        target[:, second * RATE : second * RATE + RATE // 2] = 0.5
        return make_example(name, target=target, prediction=torch.zeros_like(target))

    return make_evaluation(recording("a", 3), recording("b", 1), recording("c @ 2", 2))


def places(clips, evaluation):
    return [(clip.stem, clip.excerpt.start / RATE, clip.excerpt.stop / RATE) for clip in clips.of(evaluation)]


def test_the_loudest_part_of_the_first_recordings_is_heard(evaluation):
    assert places(Clips(seconds=0.5, count=2), evaluation) == [("a", 3.0, 3.5), ("b", 1.0, 1.5)]


def test_what_the_model_plays_chooses_nothing(evaluation):
    clips = Clips(seconds=0.5, count=3)
    before = places(clips, evaluation)
    noise = torch.Generator().manual_seed(0)
    examples = tuple(
        attrs.evolve(example, prediction=10 * torch.randn(1, 4 * RATE, generator=noise))
        for example in evaluation.examples
    )
    changed = attrs.evolve(evaluation, step=99, examples=examples)
    assert places(clips, changed) == before
    assert places(Clips(seconds=0.5, count=3), changed) == before


def test_clips_can_be_named_with_or_without_a_place(evaluation):
    clips = Clips(seconds=0.5, count=1, named=("b", "a @ 0.25", "b@3.75", "c @ 2"))
    assert places(clips, evaluation) == [
        ("b", 1.0, 1.5),
        ("a", 0.25, 0.75),
        ("b-2", 3.75, 4.0),
        ("c_2", 2.0, 2.5),
    ]
    assert clips.names(["a", "b", "c @ 2"]) == ("b", "a", "b", "c @ 2")


def test_a_split_without_a_named_recording_has_its_first_ones(evaluation):
    assert [stem for stem, _, _ in places(Clips(seconds=1.0, count=1, named=("elsewhere",)), evaluation)] == [
        "a"
    ]


def test_recordings_of_one_name_are_kept_apart(evaluation):
    first, second, _ = evaluation.examples
    twins = attrs.evolve(evaluation, examples=(first, attrs.evolve(second, name="a")))
    assert places(Clips(seconds=0.5, count=2), twins) == [("a", 3.0, 3.5), ("a-2", 1.0, 1.5)]


def test_a_name_that_no_split_has_is_an_error_with_the_nearest(make_run):
    with pytest.raises(RunError, match=r'listen.clips: no recording "onne" is .*; did you mean "one"\?'):
        Clips(seconds=1.0, count=1, named=("two", "onne @ 3")).check(make_run(), "listen")
