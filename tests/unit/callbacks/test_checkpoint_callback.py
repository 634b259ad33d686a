"""When the training state is saved, and which old states go."""

from __future__ import annotations

from types import SimpleNamespace

import pytest

from fxkit import BuildContext, RunError
from fxkit_callbacks.checkpoint import Checkpoint


def train(run, saver, steps, first=1):
    for step in range(first, steps + 1):
        run.step = step
        saver.fx_step_end(run=run, step=step)
        run.save_requested()


def files(run):
    return sorted(path.name for path in run.folder.checkpoints.iterdir())


def build(**options):
    return Checkpoint(**options).build(BuildContext())


def test_saves_on_multiples_and_last_is_the_newest(make_run):
    run = make_run()
    train(run, build(every=3, keep=5), 8)
    assert files(run) == ["last.pt", "step-000003.pt", "step-000006.pt"]
    assert run.folder.last.read_text() == "state of step 6"


def test_the_numbered_state_is_asked_for_before_last(make_run):
    run = make_run()
    run.step = 3
    build(every=3).fx_step_end(run=run, step=3)
    assert [path.name for path in run.requested] == ["step-000003.pt", "last.pt"]


def test_an_older_state_goes_only_when_the_newer_one_is_on_disk(make_run):
    run, saver = make_run(), build(every=2, keep=1)
    train(run, saver, 2)
    run.step = 4
    saver.fx_step_end(run=run, step=4)
    assert "step-000002.pt" in files(run)
    run.save_requested()
    assert "step-000002.pt" in files(run)
    saver.fx_step_end(run=run, step=5)
    assert files(run) == ["last.pt", "step-000004.pt"]


def test_a_save_that_failed_costs_no_older_state(make_run):
    run, saver = make_run(), build(every=2, keep=1)
    train(run, saver, 2)
    run.step = 4
    saver.fx_step_end(run=run, step=4)
    saver.fx_close(run=run)
    assert files(run) == ["last.pt", "step-000002.pt"]


def test_the_end_of_the_run_removes_what_the_last_save_left(make_run):
    run, saver = make_run(), build(every=2, keep=1)
    train(run, saver, 4)
    saver.fx_close(run=run)
    assert files(run) == ["last.pt", "step-000004.pt"]


def test_keeping_none_leaves_last_alone(make_run):
    run = make_run()
    train(run, build(every=1, keep=0), 3)
    assert files(run) == ["last.pt"]


def test_a_run_set_back_to_an_older_state_keeps_its_own_new_states(make_run):
    run = make_run()
    train(run, build(every=2, keep=3), 9)
    assert files(run) == ["last.pt", "step-000004.pt", "step-000006.pt", "step-000008.pt"]
    again = build(every=1, keep=2)
    train(run, again, 6, first=5)
    again.fx_close(run=run)
    assert files(run) == ["last.pt", "step-000005.pt", "step-000006.pt", "step-000008.pt"]
    assert run.folder.checkpoints.joinpath("step-000006.pt").read_text() == "state of step 6"


def validate(run, saver, make_evaluation, values, metric="loss"):
    saver.fx_run_start(run=run)
    for step, value in enumerate(values, 1):
        run.step = step
        saver.fx_validate_end(run=run, step=step, evaluation=make_evaluation(step=step, **{metric: value}))
        saver.fx_step_end(run=run, step=step)
        run.save_requested()
    saver.fx_close(run=run)


def test_the_best_stay_beside_the_newest(make_run, make_evaluation):
    run = make_run()
    validate(run, build(every=1, keep=1, best=2), make_evaluation, [3.0, 1.0, 2.0, 5.0, 4.0, float("nan")])
    assert files(run) == ["last.pt", "step-000002.pt", "step-000003.pt", "step-000006.pt"]


def test_the_best_alone_are_saved_where_nothing_else_is_due(make_run, make_evaluation):
    run = make_run()
    validate(run, build(every=0, keep=0, best=1), make_evaluation, [3.0, 1.0, 2.0])
    assert files(run) == ["last.pt", "step-000002.pt"]
    assert run.folder.last.read_text() == "state of step 2"


def test_a_state_that_is_due_and_best_is_written_once(make_run, make_evaluation):
    run, saver = make_run(), build(every=1, best=1)
    saver.fx_run_start(run=run)
    run.step = 1
    saver.fx_validate_end(run=run, step=1, evaluation=make_evaluation(step=1))
    saver.fx_step_end(run=run, step=1)
    assert [path.name for path in run.requested] == ["step-000001.pt", "last.pt"]


def test_more_is_better_where_the_metric_says_so(make_run, make_evaluation):
    run = make_run()
    run.prepared.terms = [SimpleNamespace(name="snr", higher_is_better=True)]
    validate(
        run, build(every=0, keep=0, best=1, metric="snr"), make_evaluation, [3.0, 9.0, 2.0], metric="snr"
    )
    assert files(run) == ["last.pt", "step-000002.pt"]


def test_the_ranking_survives_a_resume(make_run, make_evaluation):
    run, first, second = make_run(), build(every=0, keep=0, best=1), build(every=0, keep=0, best=1)
    validate(run, first, make_evaluation, [2.0])
    second.load_state_dict(first.state_dict())
    run.step = 2
    second.fx_validate_end(run=run, step=2, evaluation=make_evaluation(step=2, loss=3.0))
    assert run.requested == []


def test_a_best_state_goes_only_when_its_better_is_on_disk(make_run, make_evaluation):
    run, saver = make_run(), build(every=0, keep=0, best=1)
    validate(run, saver, make_evaluation, [2.0])
    run.step = 2
    saver.fx_validate_end(run=run, step=2, evaluation=make_evaluation(step=2, loss=1.0))
    saver.fx_close(run=run)
    assert files(run) == ["last.pt", "step-000001.pt"]


def test_a_metric_that_no_validation_has_is_refused(make_run):
    with pytest.raises(RunError, match=r'metric: no loss or metric "esrr"; .* did you mean "esr"'):
        build(metric="esrr").fx_run_start(run=make_run())


def test_a_new_best_is_saved_where_that_is_asked_for(make_run, make_evaluation):
    run = make_run()
    validate(run, build(every=0, improves="esr"), make_evaluation, [3.0, 4.0, 2.0], metric="esr")
    assert files(run) == ["last.pt", "step-000001.pt", "step-000003.pt"]


def test_other_files_among_the_checkpoints_stay(make_run):
    run = make_run()
    run.folder.checkpoints.mkdir()
    mine = run.folder.checkpoints / "step-best-of-all.pt"
    mine.write_text("mine")
    train(run, build(every=1, keep=1), 4)
    assert mine.read_text() == "mine"
