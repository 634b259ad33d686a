"""When callbacks act: counts, steps, phases and new bests, and what is refused or noted."""

from __future__ import annotations

from types import SimpleNamespace
from typing import ClassVar

import attrs
import pytest

from fxkit import RunError, Trigger, Triggers, opt


@attrs.frozen(kw_only=True)
class Rarely(Triggers):
    """Stand for a callback with a default of its own."""

    every: int = opt(4, ge=0, help="own default")


@pytest.fixture
def run(make_run):
    made = make_run(validate_every=2)
    made.experiment.phases = ("warm", "main")
    stages = tuple(SimpleNamespace(name=name) for name in ("warm", "main"))
    made.course = SimpleNamespace(stages=stages, stage=stages[0])
    return made


def due_steps(run, trigger, steps=12, phase_from=None):
    found = []
    for step in range(1, steps + 1):
        run.course.stage = run.course.stages[phase_from is not None and step >= phase_from]
        if trigger.due(run, step):
            found.append(step)
    return found


def validate(run, trigger, make_evaluation, values, metric="esr"):
    steps = range(2, 2 * len(values) + 1, 2)
    pairs = zip(steps, values, strict=True)
    return [s for s, v in pairs if trigger.due(run, s, make_evaluation(step=s, **{metric: v}))]


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        (Triggers(), list(range(1, 13))),
        (Triggers(every=5), [5, 10]),
        (Triggers(at=(3, 7)), [3, 7]),
        (Triggers(every=5, at=(3,)), [3, 5, 10]),
        (Triggers(every=0), []),
        (Rarely(), [4, 8, 12]),
        (Rarely(every=0, at=(1,)), [1]),
        (Triggers(phases=("main",)), [6, 7, 8, 9, 10, 11, 12]),
        (Rarely(phases=("warm",)), [4]),
        (Rarely(phases=("warm", "main")), [4, 8, 12]),
    ],
)
def test_acts_at_counts_and_steps_in_its_phases(run, options, expected):
    assert due_steps(run, Trigger(options), phase_from=6) == expected


def test_acts_at_each_new_best_alone_when_nothing_else_is_given(run, make_evaluation):
    trigger = Trigger(Triggers(improves="esr"))
    trigger.check(run)
    values = [0.5, 0.6, 0.4, float("nan"), 0.4, 0.3]
    assert validate(run, trigger, make_evaluation, values) == [2, 6, 12]


def test_a_new_best_adds_to_the_count(run, make_evaluation):
    trigger = Trigger(Rarely(improves="esr"))
    trigger.check(run)
    assert validate(run, trigger, make_evaluation, [0.5, 0.6, 0.4, 0.9, 0.9]) == [2, 4, 6, 8]


def test_more_is_better_where_the_loss_says_so(run, make_evaluation):
    run.prepared.terms = [SimpleNamespace(name="snr", higher_is_better=True)]
    trigger = Trigger(Triggers(improves="snr"))
    trigger.check(run)
    assert validate(run, trigger, make_evaluation, [10.0, 9.0, 12.0], metric="snr") == [2, 6]


def test_a_best_outside_its_phases_counts_as_seen_but_not_as_due(run, make_evaluation):
    trigger = Trigger(Triggers(improves="esr", phases=("main",)))
    trigger.check(run)
    assert not trigger.due(run, 1, make_evaluation(esr=0.1))
    run.course.stage = run.course.stages[1]
    assert validate(run, trigger, make_evaluation, [0.2, 0.05]) == [4]


def test_one_that_acts_on_steps_hears_of_the_best_at_the_end_of_that_step_only(run, make_evaluation):
    trigger = Trigger(Triggers(improves="esr"), on_steps=True)
    trigger.check(run)
    trigger.due(run, 4, make_evaluation(step=4, esr=0.5))
    assert [step for step in (4, 5, 6) if trigger.due(run, step)] == [4]


def test_the_best_survives_a_resume(run, make_evaluation):
    first, second = Trigger(Triggers(improves="esr")), Trigger(Triggers(improves="esr"))
    first.check(run)
    first.due(run, 2, make_evaluation(esr=0.3))
    second.load_state_dict(first.state_dict())
    second.check(run)
    assert not second.due(run, 4, make_evaluation(esr=0.4))
    assert second.due(run, 6, make_evaluation(esr=0.2))


def test_a_metric_that_does_not_exist_is_refused_by_path(run):
    options = Rarely(improves="spectrl")
    run.experiment.callbacks = {"listen": SimpleNamespace(spec=options, path="callbacks.listen")}
    expected = (
        r'callbacks\.listen\.improves: no loss or metric "spectrl"; there are: esr, spectral, loss;'
        r' did you mean "spectral"\?'
    )
    with pytest.raises(RunError, match=expected):
        Trigger(options).check(run)


def test_a_phase_that_does_not_exist_is_refused(run):
    with pytest.raises(RunError, match='no phase "mian"; there are: warm, main; did you mean "main"'):
        Trigger(Triggers(phases=("mian",))).check(run)
    run.experiment.phases = ()
    with pytest.raises(RunError, match='no phase "main"; this experiment has no phase'):
        Trigger(Triggers(phases=("main",))).check(run)


@attrs.frozen(kw_only=True)
class OnSteps(Triggers):
    """Stand for a callback that acts on training steps."""

    on_steps: ClassVar[bool] = True


def test_tells_when_validations_seldom_fall_on_its_steps():
    (found,) = Triggers(every=500).missed(300, None)
    expected = "500 and train.validate_every = 300 meet at multiples of 1500 only; make it a multiple of 300"
    assert found == ("every", expected)
    (found,) = Triggers(at=(300, 310)).missed(300, None)
    assert found == ("at", "310 is no multiple of train.validate_every = 300: no validation there")


def test_tells_when_the_training_is_over_before_it_acts():
    (found,) = Triggers(every=500).missed(300, 900)
    expected = "500 falls on no multiple of train.validate_every = 300 within the 900 steps of this training"
    assert found == ("every", expected)
    assert list(OnSteps(every=2000, at=(10, 1500)).missed(300, 1000)) == [
        ("every", "2000 falls on no step within the 1000 steps of this training"),
        ("at", "1500 is behind the end of this training of 1000 steps"),
    ]


@pytest.mark.parametrize(
    ("options", "steps"),
    [
        (Triggers(), 1000),
        (Triggers(every=600), None),
        (Triggers(every=100), 1000),
        (Triggers(every=0), 1000),
        # The end is validated, wherever it falls.
        (Triggers(every=1000), 1000),
        (Triggers(at=(300, 1000)), 1000),
        (OnSteps(every=7, at=(3,)), 1000),
    ],
)
def test_tells_nothing_when_all_is_met(options, steps):
    assert list(options.missed(300, steps)) == []


@pytest.mark.parametrize("options", [Triggers(every=0), Triggers(every=3), Triggers(every=4)])
@pytest.mark.parametrize("steps", [5, 8, 9])
def test_what_is_told_to_never_act_never_does(run, options, steps):
    trigger = Trigger(options)
    validations = {*range(2, steps + 1, 2), steps}
    acts = [step for step in sorted(validations) if trigger.due(run, step)]
    never = any("falls on no" in message for _, message in options.missed(2, steps))
    assert never == (bool(options.every) and not acts)
