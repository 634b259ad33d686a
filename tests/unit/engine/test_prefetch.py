"""Batches prepared ahead are those of their step; what fails in the thread is told at its step."""

from __future__ import annotations

import threading
import time

import attrs
import pytest
import torch

from fxkit.engine.material import Material
from fxkit.engine.prefetch import Prefetch
from fxkit.engine.segments import Segments
from fxkit.values import Recording


def make(transforms=(), batch_size=4):
    ramp = torch.arange(2000.0)[None]
    material = Material(recordings=(Recording(name="a", input=ramp, target=-ramp),), features=({},))
    return Segments(material, segment=10, warmup=2, batch_size=batch_size, seed=1, transforms=transforms)


@pytest.mark.parametrize("depth", [0, 1, 2])
def test_batches_are_those_of_their_step(depth):
    plain = make()
    with Prefetch(make(), depth=depth) as ahead:
        for step in [*range(12), 5, 6, 40, 3]:
            got, expected = ahead.batch(step), plain.batch(step)
            assert torch.equal(got.input, expected.input)
            assert torch.equal(got.target, expected.target)
            assert torch.equal(got.starts, expected.starts)


def test_a_batch_stays_whole_until_the_next_but_one_is_asked_for():
    with Prefetch(make()) as ahead:
        first = ahead.batch(0)
        kept = first.input.clone()
        ahead.batch(1)
        time.sleep(0.05)
        assert torch.equal(first.input, kept)


def test_the_next_batch_is_prepared_while_the_step_runs():
    prepared = []

    def note(batch, generator):
        prepared.append(threading.current_thread().name)
        return batch

    with Prefetch(make((note,)), depth=1) as ahead:
        ahead.batch(0)
        deadline = time.monotonic() + 5
        while len(prepared) < 2 and time.monotonic() < deadline:
            time.sleep(0.001)
        assert len(prepared) == 2
    assert all(name.startswith("fxkit-batches") for name in prepared)


def test_an_error_is_raised_at_its_step_with_its_message():
    seen = []

    def fail(batch, generator):
        seen.append(1)
        if len(seen) == 3:
            raise ValueError("the third batch is bad")
        return batch

    with Prefetch(make((fail,)), depth=2) as ahead:
        ahead.batch(0)
        ahead.batch(1)
        with pytest.raises(ValueError, match="the third batch is bad"):
            ahead.batch(2)


def test_closing_leaves_no_thread():
    before = threading.active_count()
    ahead = Prefetch(make())
    ahead.batch(0)
    ahead.close()
    assert threading.active_count() == before


def test_transformed_batches_do_not_depend_on_what_was_prepared_before():
    def scale(batch, generator):
        factor = torch.rand(1, generator=generator)
        return attrs.evolve(batch, input=batch.input * factor, target=batch.target * factor)

    plain = make((scale,))
    with Prefetch(make((scale,))) as ahead:
        for step in (3, 4, 9):
            assert torch.equal(ahead.batch(step).input, plain.batch(step).input)
