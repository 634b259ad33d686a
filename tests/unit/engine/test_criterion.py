"""What chooses the best weights knows whether more or less is better."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fxkit.context import BuildContext
from fxkit.engine.objective import Criterion, Term, criterion
from fxkit_callbacks.early_stopping import EarlyStopping
from fxkit_training.plateau import Plateau

TERMS = (
    Term("esr", lambda output, batch: output.audio, 1.0),
    Term("pitch", lambda output, batch: output.audio, None, higher_is_better=True),
)
VALUES = st.floats(-1e6, 1e6)


def test_a_metric_is_judged_by_what_it_declares():
    assert criterion(TERMS, None) == Criterion("loss")
    assert criterion(TERMS, "esr") == Criterion("esr")
    assert criterion(TERMS, "pitch") == Criterion("pitch", higher_is_better=True)


@given(VALUES, VALUES)
def test_one_of_two_values_is_better_and_directions_are_opposite(a, b):
    low, high = Criterion("x"), Criterion("x", higher_is_better=True)
    assert low.prefers(a, b) == (a < b) == high.prefers(b, a)
    assert not high.prefers(math.nan, a)
    assert not low.prefers(math.nan, a)


class Course:
    """Be as much of a run as early stopping asks for."""

    def __init__(self, metric):
        self.prepared = self
        self.terms = TERMS
        self.materials = {"val": self}
        self.recordings = ["one"]


class Found:
    def __init__(self, value):
        self.metrics = {"esr": value, "pitch": value, "loss": value}


def stops_after(metric, values, **options):
    stopper = EarlyStopping(metric=metric, **options).build(BuildContext())
    stopper.fx_run_start(run=Course(metric))
    for step, value in enumerate(values, start=1):
        stopper.fx_validate_end(step=step, evaluation=Found(value))
        if stopper.fx_should_stop():
            return step
    return None


def test_early_stopping_waits_for_more_where_more_is_better():
    rising = [0.1, 0.2, 0.3, 0.4]
    assert stops_after("pitch", rising, patience=2) is None
    assert stops_after("esr", rising, patience=2) == 3
    assert stops_after("pitch", [-x for x in rising], patience=2) == 3
    # A gain of 5 % is less than the 10 % that count.
    assert stops_after("pitch", [1.0, 1.05, 1.05], patience=2, min_delta=0.1) == 3
    assert stops_after("pitch", [1.0, 1.2, 1.4], patience=2, min_delta=0.1) is None


@pytest.mark.parametrize("higher", [False, True])
def test_the_plateau_schedule_is_told_costs(higher):
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    schedule = Plateau(patience=1, ratio=0.5).build(optimizer, 100)
    chosen = Criterion("x", higher_is_better=higher)
    for value in (0.1, 0.2, 0.3):
        schedule.observe(chosen.cost(value))
        schedule.step()
    assert optimizer.param_groups[0]["lr"] == (1.0 if higher else 0.25)
