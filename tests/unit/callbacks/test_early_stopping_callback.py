"""When a run that no longer gets better is ended."""

from __future__ import annotations

import math
from types import SimpleNamespace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxkit import BuildContext
from fxkit.errors import RunError
from fxkit.runs import checkpoint
from fxkit_callbacks.early_stopping import EarlyStopping


def build(**options):
    return EarlyStopping(**options).build(BuildContext())


def feed(stopper, values, first=0):
    """Give a validation for each value and return the index of the first stop, or None."""
    for index, value in enumerate(values, start=first):
        evaluation = SimpleNamespace(metrics={"loss": value, "esr": value / 2})
        stopper.fx_validate_end(step=10 * (index + 1), evaluation=evaluation)
        if stopper.fx_should_stop():
            return index
    return None


def test_stops_after_as_many_validations_without_a_lower_value():
    assert feed(build(patience=3), [1.0, 0.5, 0.6, 0.5, 0.7, 0.4]) == 4


def test_a_lower_value_starts_the_count_anew():
    assert feed(build(patience=2), [1.0, 1.1, 0.9, 1.0, 0.8, 0.9, 0.85]) == 6


def test_the_reason_names_metric_value_and_step():
    stopper = build(metric="esr", patience=2)
    feed(stopper, [1.0, 0.25, 0.3, 0.3])
    expected = "early-stopping: no better than esr 0.125 at step 20 for 2 validations"
    assert stopper.fx_should_stop() == expected


def test_a_gain_below_min_delta_does_not_count():
    values = [1.0, 0.95, 0.91]
    assert feed(build(patience=2, min_delta=0.1), values) == 2
    assert feed(build(patience=2, min_delta=0.04), values) is None


def test_min_delta_is_a_share_of_the_size_of_negative_values_too():
    assert feed(build(patience=1, min_delta=0.1), [-10.0, -10.5]) == 1
    assert feed(build(patience=1, min_delta=0.1), [-10.0, -11.5]) is None


def test_a_value_that_is_not_a_number_is_never_better():
    assert feed(build(patience=2), [math.nan, math.nan]) == 1
    assert feed(build(patience=2), [1.0, math.nan, 0.5, math.nan, math.nan]) == 4


def test_an_unknown_metric_is_refused_before_training_with_those_there_are(make_run):
    with pytest.raises(RunError) as error:
        build(metric="ers").fx_run_start(run=make_run())
    expected = 'early-stopping.metric: no "ers"; available: esr, spectral, loss; did you mean "esr"?'
    assert str(error.value) == expected


def test_an_unknown_metric_is_refused_at_a_validation():
    with pytest.raises(RunError, match=r'no "l1"; available: loss, esr'):
        feed(build(metric="l1"), [1.0])


def test_says_that_nothing_will_be_stopped_without_validation_recordings(make_run):
    run = make_run()
    run.prepared.materials["val"].recordings = ()
    build().fx_run_start(run=run)
    assert run.said == ["early-stopping: there are no validation recordings; it will not stop this run"]


@given(
    values=st.lists(st.floats(0, 2, width=16), min_size=1, max_size=20),
    cut=st.integers(0, 20),
    patience=st.integers(1, 4),
)
def test_a_resumed_run_stops_where_an_uninterrupted_one_does(values, cut, patience):
    whole = feed(build(patience=patience), values)
    first = build(patience=patience)
    stopped = feed(first, values[:cut])
    if stopped is None:
        second = build(patience=patience)
        second.load_state_dict(first.state_dict())
        stopped = feed(second, values[cut:], first=cut)
    assert stopped == whole


def test_the_state_survives_a_checkpoint_before_any_validation(tmp_path):
    stopper = build(patience=1)
    checkpoint.save(tmp_path / "state.pt", {"callbacks": stopper.state_dict()})
    again = build(patience=1)
    again.load_state_dict(checkpoint.load(tmp_path / "state.pt")["callbacks"])
    assert feed(again, [1.0, 2.0]) == 1
