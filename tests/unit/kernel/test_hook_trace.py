"""Who took how long: calls, times and shares by callback and hook, without counting a second twice."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fxkit import hookimpl
from fxkit.callbacks import Callbacks
from fxkit.hook_trace import HookTrace


class Clock:
    """Tell a time that only moves when it is told to."""

    def __init__(self):
        self.now = 0.0

    def __call__(self):
        return self.now


class Slow:
    """Take one second per step, and what `publish` takes."""

    def __init__(self, clock, callbacks=None):
        self.clock, self.callbacks = clock, callbacks

    @hookimpl
    def fx_step_end(self, run, step):
        self.clock.now += 1.0 if step < 3 else 2.0
        if self.callbacks:
            self.callbacks.hook.fx_figures(run=run, step=step, name="n", values={})

    @hookimpl
    def fx_validate_end(self):
        """Never called here."""


class Log:
    """Take half a second per record."""

    def __init__(self, clock):
        self.clock = clock

    @hookimpl
    def fx_figures(self):
        self.clock.now += 0.5


@pytest.fixture
def trace():
    clock = Clock()
    trace = HookTrace(clock)
    callbacks = Callbacks(print, trace)
    callbacks.add_all({"slow": (Slow(clock, callbacks), "raise"), "log": (Log(clock), "raise")})
    for step in (1, 2, 3):
        callbacks.hook.fx_step_end(run=SimpleNamespace(step=step), step=step, losses={})
    clock.now += 4.5
    return trace


def test_time_in_another_callback_counts_there(trace):
    record = trace.record()
    assert record["wall"] == 10.0
    assert record["hooks"] == [
        {"callback": "slow", "hook": "fx_step_end", "calls": 3, "seconds": 4.0, "worst": 2.0,
         "worst_call": 3, "mean": pytest.approx(4 / 3)},
        {"callback": "log", "hook": "fx_figures", "calls": 3, "seconds": 1.5, "worst": 0.5,
         "worst_call": 1, "mean": 0.5},
    ]  # fmt: skip


def test_the_table_is_in_the_order_of_the_file(trace):
    head, columns, *rows = trace.table()
    assert head == "callbacks took 5.500 s of the run's 10.000 s (55.00%)"
    assert " ".join(columns.split()) == "callback hook calls total s mean ms worst ms share"
    assert [row.split() for row in rows] == [
        ["slow", "fx_step_end", "3", "4.000", "1333.333", "2000.000", "(call", "3)", "40.00%"],
        ["log", "fx_figures", "3", "1.500", "500.000", "500.000", "(call", "1)", "15.00%"],
    ]


def test_a_call_that_fails_is_counted_too():
    clock = Clock()
    trace = HookTrace(clock)

    def fails():
        clock.now += 3.0
        raise ValueError("late")

    with pytest.raises(ValueError, match="late"):
        trace.timed("one", "fx_close", fails)()
    assert [(row.calls, row.seconds) for row in trace.rows] == [(1, 3.0)]


def test_without_a_trace_nothing_stands_between_guard_and_method(monkeypatch):
    monkeypatch.setattr("time.perf_counter", None)
    callbacks, log = Callbacks(print), Log(Clock())
    callbacks.add_all({"log": (log, "raise")})
    callbacks.hook.fx_figures(run=SimpleNamespace(step=1), step=1, name="n", values={})
    assert log.clock.now == 0.5
