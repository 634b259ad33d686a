"""Phases, turns and time limits: what learns, by which losses, until when."""

from __future__ import annotations

import itertools

import attrs
import pytest
import torch

import fxkit
from fxkit import opt
from fxkit.engine import budget
from fxkit.engine.course import Course
from fxkit.engine.setup import prepare
from fxkit.errors import AssemblyError
from fxkit.experiment.tables import CallbackKeys, PhaseTable, TurnTable
from fxkit.job import run_experiment, training_segments
from fxkit.runs.journal import read_journal
from fxkit.runs.progress import Silent


@attrs.frozen(kw_only=True)
class Rival:
    """Tell prediction from target by a factor, which learns against the model."""

    def build(self, ctx):
        return _Rival()


class _Rival(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.factor = torch.nn.Parameter(torch.tensor(0.5))
        self.still = torch.nn.Parameter(torch.tensor(1.0), requires_grad=False)

    def forward(self, output, batch):
        return (self.factor * output.audio - 1).square().mean((1, 2))

    def judge(self, output, batch):
        assert not output.audio.requires_grad
        return (self.factor * output.audio).square().mean((1, 2))


@attrs.frozen(kw_only=True)
class Counting:
    """Count how often it is measured."""

    calls: list = opt(factory=list, help="one entry for each")

    def build(self, ctx):
        def measure(output, batch):
            self.calls.append(1)
            return output.audio.abs().mean((1, 2))

        return measure


def experiment_of(kit, phases, *, losses=None, **rest):
    nodes = {
        "a": kit.node("a", kit.Scale(), kit.Learned(start=0.6)),
        "b": kit.node("b", kit.Scale(), kit.Learned(start=0.6)),
    }
    parts = {"mse": kit.make_part("losses.mse", "losses", kit.Squared(), kit.LossKeys())}
    for name, spec in (losses or {}).items():
        parts[name] = kit.make_part(f"losses.{name}", "losses", spec, kit.LossKeys())
    made = kit.make_experiment(nodes, ("a", "b"), losses=parts, **rest)
    train = attrs.evolve(made.train, steps=None) if phases else made.train
    return attrs.evolve(made, phases=tuple(phases), train=train)


def course_of(kit, phases, **rest):
    prepared = prepare(experiment_of(kit, phases, **rest), device="cpu")
    return Course(prepared=prepared, report=lambda text: None), prepared


def walked(course, prepared, steps, start=0):
    """Make steps, and return after each the values of a, b and the rival."""
    found = []
    for step in range(start, start + steps):
        assert course.goes_on(step)
        segments = training_segments(prepared, course.stage)
        course.step(step, segments.batch(course.batch_at(step)))
        found.append(values(prepared))
    return found


def values(prepared):
    model = prepared.model
    rival = next((term.loss.factor for term in prepared.terms if hasattr(term.loss, "factor")), None)
    controllers = (model.controller(f"{name}.controller") for name in ("a", "b"))
    learned = [float(controller.value.detach()) for controller in controllers]
    return [*learned, None if rival is None else rival.item()]


def changed(before, after):
    return [one != other for one, other in zip(before, after, strict=True)]


def test_a_phase_trains_what_it_names_and_no_more(kit):
    phases = [
        PhaseTable(steps=2, train=("a",)),
        PhaseTable(steps=2, train=("b.controller",)),
        PhaseTable(steps=1),
    ]
    course, prepared = course_of(kit, phases)
    found = [values(prepared), *walked(course, prepared, 5)]
    moves = [changed(*pair)[:2] for pair in itertools.pairwise(found)]
    assert moves == [[True, False], [True, False], [False, True], [False, True], [True, True]]
    assert not course.goes_on(5)


def test_losses_that_a_phase_leaves_out_are_not_computed(kit):
    counting = Counting()
    phases = [
        PhaseTable(steps=2, losses={"mse": 1.0}),
        PhaseTable(steps=3, losses={"count": 0.5, "mse": 2.0}),
    ]
    course, prepared = course_of(kit, phases, losses={"count": counting})
    walked(course, prepared, 2)
    assert not counting.calls
    walked(course, prepared, 1, start=2)
    assert len(counting.calls) == 1
    segments = training_segments(prepared, course.stage)
    losses = course.step(3, segments.batch(1))
    assert losses["total"] == pytest.approx(0.5 * losses["count"] + 2 * losses["mse"])


def test_model_and_rival_take_turns_with_optimizers_of_their_own(kit):
    turns = (TurnTable(train=("a", "b")), TurnTable(train=("losses.rival",), losses={"rival": 1.0}, steps=2))
    course, prepared = course_of(kit, [PhaseTable(steps=9, alternate=turns)], losses={"rival": Rival()})
    found = [values(prepared), *walked(course, prepared, 6)]
    moves = [changed(*pair) for pair in itertools.pairwise(found)]
    model, rival = [True, True, False], [False, False, True]
    assert moves == [model, rival, rival, model, rival, rival]
    first, second = (learner.optimizer for learner in course.learners)
    owned = [{id(w) for group in one.param_groups for w in group["params"]} for one in (first, second)]
    assert not owned[0] & owned[1]
    assert [len(one) for one in owned] == [2, 1]


def test_a_rival_that_would_learn_in_the_models_own_step_is_refused(kit):
    with pytest.raises(
        AssemblyError, match=r"losses\.rival: .* give it a turn of its own in \[\[phase\]\] alternate"
    ):
        course_of(kit, [], losses={"rival": Rival()})


def test_what_a_loss_holds_still_is_never_trained(kit):
    phases = [PhaseTable(steps=1, train=("losses.rival",)), PhaseTable(steps=1, train=("losses.rival",))]
    course, prepared = course_of(kit, phases, losses={"rival": Rival()})
    for _ in walked(course, prepared, 2):
        names = [group["name"] for learner in course.learners for group in learner.optimizer.param_groups]
        assert names == ["losses.rival"]
        assert len(course.learners[0].weights) == 1


def test_each_phase_reads_segments_of_its_own(kit):
    phases = [PhaseTable(steps=1), PhaseTable(steps=1, batch_size=3, segment=32)]
    course, prepared = course_of(kit, phases)
    first = training_segments(prepared, course.stages[0]).batch(0)
    second = training_segments(prepared, course.stages[1]).batch(0)
    assert (first.target.shape, second.target.shape) == ((2, 1, 64), (3, 1, 32))


def test_phases_are_told_in_the_journal(kit, tmp_path):
    phases = [PhaseTable(name="one", steps=3), PhaseTable(steps=2)]
    result = run_experiment(experiment_of(kit, phases), progress=Silent(), out=tmp_path / "run")
    told = [
        record for record in read_journal(tmp_path / "run" / "metrics.jsonl") if record["kind"] == "phase"
    ]
    assert [(record["step"], record["name"]) for record in told] == [(1, "one"), (4, "phase 1")]
    assert result.steps == 5


class _Time:
    """A clock that the test moves."""

    def __init__(self):
        self.now = 100.0

    def monotonic(self):
        return self.now


def test_time_ends_a_run_and_validations_count(kit, tmp_path, monkeypatch):
    clock = _Time()
    monkeypatch.setattr(budget, "time", clock)

    class Slow:
        @fxkit.hookimpl
        def fx_step_end(self):
            clock.now += 1.0

        @fxkit.hookimpl
        def fx_validate_end(self):
            clock.now += 10.0

    @attrs.frozen
    class Spec:
        def build(self, ctx):
            return Slow()

    callbacks = {"slow": kit.make_part("callbacks.slow", "callbacks", Spec(), CallbackKeys())}
    train = {"steps": None, "until": "34 s", "validate_every": 4}
    result = run_experiment(
        experiment_of(kit, [], train=train, callbacks=callbacks), progress=Silent(), out=tmp_path / "run"
    )
    # Ten seconds go to each of the validations at steps 4, 8 and 12.
    assert result.steps == 12


def test_the_share_of_a_stage_is_that_of_the_nearer_limit(kit):
    course, _ = course_of(kit, [PhaseTable(steps=11, until="100 s")])
    stage = course.stage
    assert budget.share(stage, 5, 20.0) == pytest.approx(0.5)
    assert budget.share(stage, 5, 80.0) == pytest.approx(0.8)
    assert not budget.over(stage, 10, 99.0)
    assert budget.over(stage, 11, 0.0)
    assert budget.over(stage, 1, 100.0)


def test_the_clock_goes_on_where_a_saved_run_stood(kit, monkeypatch):
    clock = _Time()
    monkeypatch.setattr(budget, "time", clock)
    course, prepared = course_of(kit, [PhaseTable(until="10 s"), PhaseTable(until="10 s")])
    assert course.goes_on(0)
    clock.now += 7.0
    walked(course, prepared, 1)
    state = course.state_dict()
    clock.now += 1000.0
    other, _ = course_of(kit, [PhaseTable(until="10 s"), PhaseTable(until="10 s")])
    other.load_state_dict(state)
    assert other.goes_on(1)
    assert other.index == 0
    clock.now += 4.0
    assert other.goes_on(2)
    assert (other.index, other.begun, other.since) == (1, 2, 11.0)
