"""When the training state is saved, and which old states go."""

from __future__ import annotations

from fxkit import BuildContext
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


def test_other_files_among_the_checkpoints_stay(make_run):
    run = make_run()
    run.folder.checkpoints.mkdir()
    mine = run.folder.checkpoints / "step-best-of-all.pt"
    mine.write_text("mine")
    train(run, build(every=1, keep=1), 4)
    assert mine.read_text() == "mine"
