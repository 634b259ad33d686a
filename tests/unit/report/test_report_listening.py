"""What is to be heard: the loudest part of the first recordings, alike for all signals and runs."""

from __future__ import annotations

import base64
import io
import math

import attrs
import numpy as np
import soundfile

from fxkit.report import listening
from fxkit.report.contents import Contents
from fxkit.report.listening import excerpts

RATE = 8000


def heard(lane):
    data = lane.sound.uri.partition(",")[2]
    return soundfile.read(io.BytesIO(base64.b64decode(data)), always_2d=True)[0].T


def test_all_signals_of_a_recording_are_cut_alike(contents, example):
    riff = example(seconds=20.0)
    (one,) = excerpts(contents(examples=(riff,)), ("pedal",))
    assert [lane.role for lane in one.lanes] == ["input", "target", "prediction", "residual"]
    first = round(one.start * RATE)
    stop = first + round(one.seconds * RATE)
    wanted = {
        "input": riff.input, "target": riff.target,
        "prediction": riff.prediction, "residual": riff.target - riff.prediction,
    }  # fmt: skip
    for lane in one.lanes:
        np.testing.assert_allclose(heard(lane), wanted[lane.role][:, first:stop].numpy(), atol=2**-15)


def test_the_loudest_part_is_taken_and_it_is_not_too_long(contents, example):
    (one,) = excerpts(contents(examples=(example(seconds=20.0),)), ("pedal",))
    assert one.seconds == listening.SECONDS[1]
    # The recording gets louder until its end; starts are tried in sixteenths.
    assert one.start >= 20 - one.seconds * (1 + 1 / 16)


def test_what_is_not_scored_is_not_heard(contents, example):
    faded = example(seconds=4.0)
    backwards = attrs.evolve(faded, target=faded.target.flip(-1), skip=RATE)
    (one,) = excerpts(contents(examples=(backwards,)), ("pedal",))
    assert one.start == 1.0
    assert one.seconds == 3.0


def test_residual_tells_how_far_it_is_below_the_target(contents):
    (one,) = excerpts(contents(), ("pedal",))
    assert math.isclose(one.lanes[-1].below, 20.0, abs_tol=1e-3)


def test_without_a_dry_side_there_is_no_input(contents, example):
    (one,) = excerpts(contents(examples=(example(dry=False),)), ("pedal",))
    assert [lane.role for lane in one.lanes] == ["target", "prediction", "residual"]


def test_three_recordings_at_most(contents, example):
    many = tuple(example(name=f"take {n}") for n in range(5))
    assert [one.name for one in excerpts(contents(examples=many), ("pedal",))] == [
        "take 0",
        "take 1",
        "take 2",
    ]


def test_sound_keeps_to_its_budget(contents, example, monkeypatch):
    many = tuple(example(name=f"take {n}", seconds=9.0, channels=2) for n in range(3))
    for budget in (150_000, 400_000):
        monkeypatch.setattr(listening, "BUDGET", budget)
        made = excerpts(contents(examples=many), ("pedal",))
        size = sum(lane.sound.size for one in made for lane in one.lanes)
        assert size <= 1.25 * budget
        assert made[0].seconds >= listening.SECONDS[0]


def test_each_run_has_its_own_prediction_and_residual(run):
    both = Contents(runs=(run(path="runs/a"), run(path="runs/b")))
    (one,) = excerpts(both, ("a", "b"))
    assert [lane.name for lane in one.lanes] == [
        "input", "target", "prediction of a", "residual of a", "prediction of b", "residual of b",
    ]  # fmt: skip


def test_only_recordings_that_all_runs_share_are_compared(run, example):
    both = Contents(
        runs=(run(examples=(example(name="x"), example(name="y"))), run(examples=(example(name="y"),)))
    )
    assert [one.name for one in excerpts(both, ("a", "b"))] == ["y"]


def test_silence_empty_and_very_short_recordings_do_not_stop_the_report(contents, example):
    silent = example(name="silent")
    silent = attrs.evolve(silent, target=0 * silent.target, prediction=0 * silent.target, input=None)
    short, empty = example(name="short", seconds=0.01), example(name="empty", seconds=0.0)
    made = excerpts(contents(examples=(silent, short, empty)), ("pedal",))
    assert [one.name for one in made] == ["silent", "short"]
