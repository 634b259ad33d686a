"""What TensorBoard reads from a run folder, also after a run was cut off and resumed."""

from __future__ import annotations

import io

import numpy as np
import pytest
import soundfile
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from fxkit import BuildContext
from fxkit_callbacks.tensorboard import TensorBoard


@pytest.fixture(autouse=True)
def first_writer(monkeypatch):
    """Number the files of a test from 0: of one second, the tenth would be read before the ninth."""
    from tensorboard.summary.writer import event_file_writer

    monkeypatch.setattr(event_file_writer, "_global_uid", event_file_writer.AtomicCounter(0))


def build(**options):
    return TensorBoard(**{"audio_every": 1, **options}).build(BuildContext())


def events(folder):
    everything = {"scalars": 0, "audio": 0, "tensors": 0}
    return EventAccumulator(str(folder), size_guidance=everything).Reload()


def steps(folder, tag):
    return [event.step for event in events(folder).Scalars(tag)]


def train(run, board, make_evaluation, last, *, first=1, validate_every=4):
    for step in range(first, last + 1):
        run.step = step
        if step % validate_every == 0:
            board.fx_validate_end(run=run, step=step, evaluation=make_evaluation(step=step))
        board.fx_step_end(run=run, step=step, losses={"esr": 1 / step, "total": 2 / step})


def test_losses_rates_and_metrics_become_curves(make_run, make_evaluation):
    run, board = make_run(), build(every=3)
    board.fx_run_start(run=run)
    train(run, board, make_evaluation, 8)
    board.fx_close()
    found = events(run.folder.tensorboard)
    assert [(e.step, e.value) for e in found.Scalars("train/total")] == [
        (1, 2.0),
        (3, pytest.approx(2 / 3)),
        (6, pytest.approx(1 / 3)),
    ]
    assert [e.value for e in found.Scalars("lr/amp")] == pytest.approx([0.01] * 3)
    assert [(e.step, e.value) for e in found.Scalars("val/esr")] == [
        (4, pytest.approx(0.01)),
        (8, pytest.approx(0.01)),
    ]
    text = found.Tensors("resolved.toml/text_summary")[0].tensor_proto.string_val[0]
    assert text == b"```toml\nfxkit = 1\n\n```"


def test_a_prediction_is_heard_at_each_validation_and_its_target_once(make_run, make_evaluation):
    run, board = make_run(), build()
    board.fx_run_start(run=run)
    train(run, board, make_evaluation, 8)
    board.fx_close()
    found = events(run.folder.tensorboard)
    heard = {tag: [e.step for e in found.Audio(tag)] for tag in found.Tags()["audio"]}
    assert heard == {"val/one/input": [4], "val/one/target": [4], "val/one/prediction": [4, 8]}


def test_validations_that_follow_too_soon_are_not_heard(make_run, make_evaluation):
    run, board = make_run(), build(audio_every=8)
    board.fx_run_start(run=run)
    train(run, board, make_evaluation, 20)
    board.fx_close()
    found = events(run.folder.tensorboard)
    assert [e.step for e in found.Audio("val/one/prediction")] == [4, 12, 20]
    assert [e.step for e in found.Scalars("val/esr")] == [4, 8, 12, 16, 20]


def test_audio_is_whole_and_in_stereo(make_run, make_example, make_evaluation):
    run, board = make_run(), build(seconds=0.25)
    example = make_example(channels=2)
    example.prediction[1] *= -0.5
    board.fx_run_start(run=run)
    board.fx_validate_end(run=run, step=1, evaluation=make_evaluation(example))
    board.fx_close()
    clip = events(run.folder.tensorboard).Audio("val/one/prediction")[0]
    audio, rate = soundfile.read(io.BytesIO(clip.encoded_audio_string), always_2d=True)
    assert rate == 8000
    np.testing.assert_allclose(audio.T, example.prediction[:, :2000].numpy(), atol=2**-15)


def test_audio_beyond_full_scale_is_not_clipped_and_prints_nothing(
    make_run, make_example, make_evaluation, capsys
):
    run, board = make_run(), build()
    board.fx_run_start(run=run)
    board.fx_validate_end(run=run, step=1, evaluation=make_evaluation(make_example(gain=3.0)))
    board.fx_close()
    clip = events(run.folder.tensorboard).Audio("val/one/target")[0]
    assert np.abs(soundfile.read(io.BytesIO(clip.encoded_audio_string))[0]).max() > 2.5
    assert capsys.readouterr().out == ""


def test_audio_can_be_left_out_or_limited(make_run, make_example, make_evaluation):
    for name, options, count in (("none", {"audio": False}, 0), ("one", {"max_examples": 1}, 3)):
        run, board = make_run(name=name), build(**options)
        board.fx_run_start(run=run)
        board.fx_validate_end(
            run=run, step=1, evaluation=make_evaluation(make_example("a"), make_example("b"))
        )
        board.fx_close()
        assert len(events(run.folder.tensorboard).Tags()["audio"]) == count


@pytest.mark.parametrize("closed", [True, False], ids=["stopped", "killed"])
def test_a_resumed_run_goes_on_with_undoubled_curves(make_run, make_evaluation, closed):
    run, first = make_run(), build(every=1)
    first.fx_run_start(run=run)
    train(run, first, make_evaluation, 6)
    state = first.state_dict()
    train(run, first, make_evaluation, 9, first=7)
    first._writer.flush()
    if closed:
        first.fx_close()
    resumed, second = make_run(), build(every=1)
    resumed.step = 6
    second.load_state_dict(state)
    second.fx_run_start(run=resumed)
    train(resumed, second, make_evaluation, 12, first=7)
    second.fx_close()
    assert steps(run.folder.tensorboard, "train/total") == list(range(1, 13))
    assert steps(run.folder.tensorboard, "val/esr") == [4, 8, 12]
    found = events(run.folder.tensorboard)
    assert [e.step for e in found.Audio("val/one/prediction")] == [4, 8, 12]
    assert [e.step for e in found.Audio("val/one/target")] == [4]
    first.fx_close()


def test_a_last_event_cut_off_by_a_crash_costs_nothing_else(make_run, make_evaluation):
    run, first = make_run(), build(every=1)
    first.fx_run_start(run=run)
    train(run, first, make_evaluation, 6)
    first.fx_close()
    path = next(run.folder.tensorboard.iterdir())
    path.write_bytes(path.read_bytes()[:-5])
    resumed, second = make_run(), build(every=1)
    resumed.step = 4
    second.fx_run_start(run=resumed)
    train(resumed, second, make_evaluation, 8, first=5)
    second.fx_close()
    assert steps(run.folder.tensorboard, "train/total") == list(range(1, 9))


def test_a_step_whose_hooks_had_not_run_is_written_on_resume_alone(make_run, make_evaluation):
    run, first = make_run(), build(every=1)
    first.fx_run_start(run=run)
    train(run, first, make_evaluation, 4)
    first.fx_close()
    resumed, second = make_run(), build(every=1)
    resumed.step, resumed.pending = 4, {"total": 0.5}
    second.fx_run_start(run=resumed)
    train(resumed, second, make_evaluation, 5, first=4)
    second.fx_close()
    assert steps(run.folder.tensorboard, "train/total") == [1, 2, 3, 4, 5]
    assert steps(run.folder.tensorboard, "val/esr") == [4]


def test_a_run_started_over_without_a_checkpoint_drops_everything_before(make_run, make_evaluation):
    for last in (6, 3):
        run, board = make_run(), build(every=1)
        board.fx_run_start(run=run)
        train(run, board, make_evaluation, last)
        board.fx_close()
    assert steps(run.folder.tensorboard, "train/total") == [1, 2, 3]
    assert len(events(run.folder.tensorboard).Tensors("resolved.toml/text_summary")) == 1


def test_the_test_of_a_finished_run_that_is_resumed_stands_once(make_run, make_evaluation):
    for start in (0, 6):
        run, board = make_run(), build(every=1)
        run.step = start
        board.fx_run_start(run=run)
        run.step = 6
        board.fx_run_end(run=run, evaluation=make_evaluation(split="test", step=6))
        board.fx_close()
    assert steps(run.folder.tensorboard / "test", "test/esr") == [6]


def test_closing_before_the_start_does_nothing():
    build().fx_close()


def test_figures_of_other_callbacks_become_curves(make_run):
    run, board = make_run(), build()
    board.fx_run_start(run=run)
    board.fx_figures(step=4, name="levels", values={"drive.rms_db": -12.5})
    board.fx_close()
    found = events(run.folder.tensorboard).Scalars("levels/drive.rms_db")
    assert [(e.step, e.value) for e in found] == [(4, -12.5)]
