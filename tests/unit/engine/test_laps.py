"""Where the time of steps goes: each second counts once, and nothing is measured unasked."""

from __future__ import annotations

from contextlib import nullcontext, suppress

import pytest

from fxkit.engine.laps import Laps


@pytest.fixture
def clock(monkeypatch):
    now = [0.0]
    monkeypatch.setattr("time.perf_counter", lambda: now[0])

    def wait(seconds):
        now[0] += seconds

    return wait


def test_seconds_go_to_the_innermost_part_and_the_remainder_to_rest(clock):
    laps = Laps()
    laps.start()
    for _ in range(2):
        with laps.of("data"):
            clock(1.0)
        clock(0.25)
        with laps.of("optimiser"):
            clock(2.0)
            with laps.of("hooks"):
                clock(4.0)
    assert laps.stop() == {"data": 2.0, "optimiser": 4.0, "hooks": 8.0, "rest": 0.5}


def test_what_is_open_when_measuring_ends_counts_until_then(clock):
    laps = Laps()
    laps.start()
    with laps.of("hooks"):
        clock(3.0)
        assert laps.stop() == {"hooks": 3.0, "rest": 0.0}
        clock(5.0)
    laps.start()
    assert laps.stop() == {"rest": 0.0}


def test_a_part_that_began_before_measuring_is_left_alone(clock):
    laps = Laps()
    with laps.of("hooks"):
        laps.start()
        clock(1.0)
    assert laps.stop() == {"rest": 1.0}


def test_a_part_that_fails_is_counted(clock):
    laps = Laps()
    laps.start()
    with suppress(OSError), laps.of("backward"):
        clock(1.0)
        raise OSError("full")
    assert laps.stop()["backward"] == 1.0


def test_nothing_is_measured_unasked():
    assert isinstance(Laps().of("forward"), nullcontext)
    assert Laps().of("forward") is Laps().of("backward")
