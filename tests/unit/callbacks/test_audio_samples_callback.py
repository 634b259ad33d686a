"""What can be heard in a run folder, and that nothing is written elsewhere."""

from __future__ import annotations

import time

import numpy as np
import pytest
import soundfile
import torch
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fxkit import BuildContext
from fxkit_callbacks._names import safe_name, safe_names
from fxkit_callbacks.audio_samples import AudioSamples

RATE = 8000
HOSTILE = ("../../x", "/etc/passwd", "a/b", "..", "", "C:\\x", "\x00", "\udcff", "\u00e9" * 300)


def build(**options):
    return AudioSamples(**options).build(BuildContext())


def written(run):
    return sorted(str(path.relative_to(run.folder.path)) for path in run.folder.audio.rglob("*.wav"))


def read(run, name, folder="test"):
    return soundfile.read(run.folder.audio / folder / name, dtype="float32", always_2d=True)


def test_the_test_leaves_input_target_prediction_and_residual(make_run, make_evaluation):
    run, evaluation = make_run(), make_evaluation(split="test")
    build().fx_run_end(run=run, evaluation=evaluation)
    names = ("input", "prediction", "residual", "target")
    assert written(run) == [f"audio/test/one.{name}.wav" for name in names]
    example = evaluation.examples[0]
    for name, expected in (
        ("input", example.input),
        ("target", example.target),
        ("prediction", example.prediction),
        ("residual", example.target - example.prediction),
    ):
        audio, rate = read(run, f"one.{name}.wav")
        assert rate == RATE
        np.testing.assert_array_equal(audio.T, expected.numpy())


def test_validations_are_written_when_their_step_is_a_multiple(make_run, make_evaluation):
    run, writer = make_run(), build(every=10)
    for step in (5, 10, 15, 20):
        writer.fx_validate_end(run=run, step=step, evaluation=make_evaluation(step=step))
    assert {name.split("/")[1] for name in written(run)} == {"step-000010", "step-000020"}


def test_the_files_are_what_was_scored(make_run, make_example, make_evaluation):
    run = make_run()
    example = make_example(skip=1000)
    example.prediction[:, :1000] = 5.0
    build().fx_run_end(run=run, evaluation=make_evaluation(example, split="test"))
    target, residual = (read(run, f"one.{name}.wav")[0] for name in ("target", "residual"))
    assert (residual**2).sum() / (target**2).sum() == pytest.approx(0.01, rel=1e-5)


def test_length_and_number_of_examples_are_limited(make_run, make_example, make_evaluation):
    run = make_run()
    evaluation = make_evaluation(*(make_example(name) for name in "abc"), split="test")
    build(max_examples=2, seconds=0.125).fx_run_end(run=run, evaluation=evaluation)
    assert {name[len("audio/test/")] for name in written(run)} == {"a", "b"}
    assert len(read(run, "a.target.wav")[0]) == 1000


def test_stereo_keeps_its_channels(make_run, make_example, make_evaluation):
    run = make_run()
    example = make_example(channels=2)
    example.target[1] *= -0.5
    build().fx_run_end(run=run, evaluation=make_evaluation(example, split="test"))
    np.testing.assert_array_equal(read(run, "one.target.wav")[0].T, example.target.numpy())


def test_stems_are_written_unless_switched_off(make_run, make_example, make_evaluation):
    stem = torch.full((1, 4000), 0.25)
    example = make_example(dry=False, stems={"noise": stem, "a+b": -stem})
    evaluation = make_evaluation(example, split="test")
    run = make_run()
    build(stems=False).fx_run_end(run=run, evaluation=evaluation)
    assert not [name for name in written(run) if "stem" in name or "input" in name]
    build(stems=True).fx_run_end(run=run, evaluation=evaluation)
    assert (read(run, "one.stem-noise.wav")[0] == 0.25).all()
    assert (read(run, "one.stem-a+b.wav")[0] == -0.25).all()


def test_float_files_hold_audio_beyond_full_scale(make_run, make_example, make_evaluation):
    run = make_run()
    build().fx_run_end(run=run, evaluation=make_evaluation(make_example(gain=3.0), split="test"))
    assert np.abs(read(run, "one.target.wav")[0]).max() > 2.5


def test_pcm24_is_as_fine_as_24_bits(make_run, make_evaluation):
    run, evaluation = make_run(), make_evaluation(split="test")
    build(format="pcm24").fx_run_end(run=run, evaluation=evaluation)
    assert soundfile.info(run.folder.audio / "test" / "one.target.wav").subtype == "PCM_24"
    error = read(run, "one.target.wav")[0].T - evaluation.examples[0].target.numpy()
    assert np.abs(error).max() <= 2**-23


def test_pcm24_never_clips_and_says_so_once(make_run, make_example, make_evaluation):
    run = make_run()
    examples = [make_example("loud", gain=3.0), make_example("quiet")]
    build(format="pcm24").fx_run_end(run=run, evaluation=make_evaluation(*examples, split="test"))
    np.testing.assert_array_equal(read(run, "loud.target.wav")[0].T, examples[0].target.numpy())
    assert soundfile.info(run.folder.audio / "test" / "quiet.target.wav").subtype == "PCM_24"
    expected = "audio-samples: loud.target.wav goes beyond full scale; such files are written as float"
    assert run.said == [expected]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60, deadline=None)
@given(name=st.text(max_size=300) | st.sampled_from(HOSTILE))
def test_no_name_leads_out_of_its_folder(tmp_path, name):
    folder = tmp_path / "audio"
    path = folder / f"{safe_name(name)}.prediction.wav"
    assert path.resolve().parent == folder.resolve()
    assert not path.name.startswith(".")
    folder.mkdir(exist_ok=True)
    path.write_bytes(b"")
    path.unlink()


def test_hostile_names_are_written_inside_the_run_folder(make_run, make_example, make_evaluation, tmp_path):
    run = make_run()
    stems = {"../../up": torch.zeros(1, 4000)}
    names = ("../../x", "/tmp/absolute", "..", "a/b", "a_b", "A_B")
    evaluation = make_evaluation(*(make_example(name, stems=stems) for name in names), split="test")
    build(max_examples=10).fx_run_end(run=run, evaluation=evaluation)
    wavs = list(tmp_path.rglob("*.wav"))
    assert len(wavs) == len(names) * 5
    assert {path.parent for path in wavs} == {run.folder.audio / "test"}


@given(st.lists(st.sampled_from(["a", "A", "a-2", "a/2", "é", "e\u0301"]), max_size=8))
def test_equal_names_are_kept_apart(names):
    assert len({name.casefold() for name in safe_names(names)}) == len(names)


def test_an_old_file_survives_a_write_that_fails(make_run, make_evaluation, monkeypatch):
    run, writer = make_run(), build()
    evaluation = make_evaluation(split="test")
    writer.fx_run_end(run=run, evaluation=evaluation)
    before = {path: path.read_bytes() for path in run.folder.audio.rglob("*") if path.is_file()}

    def full(descriptor):
        raise OSError("disk full")

    monkeypatch.setattr("os.fsync", full)
    with pytest.raises(OSError, match="disk full"):
        writer.fx_run_end(run=run, evaluation=evaluation)
    after = {path: path.read_bytes() for path in run.folder.audio.rglob("*") if path.is_file()}
    assert after == before


def test_the_same_audio_gives_the_same_bytes_at_any_time(make_run, make_evaluation, monkeypatch):
    contents = []
    for name, pause in (("first", 0.0), ("second", 1.1)):
        time.sleep(pause)  # libsndfile stamps whole seconds
        run = make_run(name=name)
        build().fx_run_end(run=run, evaluation=make_evaluation(split="test"))
        contents.append([(run.folder.path / wav).read_bytes() for wav in written(run)])
    assert contents[0] == contents[1]


def test_a_silent_or_empty_recording_is_written(make_run, make_example, make_evaluation):
    run = make_run()
    examples = [make_example("silence", gain=0.0), make_example("empty", skip=4000)]
    build(format="pcm24").fx_run_end(run=run, evaluation=make_evaluation(*examples, split="test"))
    assert (read(run, "silence.target.wav")[0] == 0).all()
    assert len(read(run, "empty.target.wav")[0]) == 0
