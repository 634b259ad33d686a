"""The sound behind each node: files, levels, and what is said of gain staging."""

from __future__ import annotations

import csv
import math
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch

import fxkit
from fxkit import BuildContext
from fxkit.runs.journal import read_journal
from fxkit_callbacks._levels import level_of
from fxkit_callbacks.block_audio import BlockAudio

RATE = 8000

EXPERIMENT = """
fxkit = 1
run = { name = "small", seed = 3, sample_rate = 8000 }
model = { chain = ["pre", ["dry", ["drive", "late"]], "post"] }
train = { steps = 2, batch_size = 2, validate_every = 2, optimizer = { type = "sgd", lr = 1e-12 } }

[data]
type = "virtual-device"
segment = 1024
train_seconds = 0.5
val_seconds = 0.25
test_seconds = 0.25

[nodes]
pre = { type = "gain", parameters.gain_db.fixed = 6.0 }
dry = { type = "gain", parameters.gain_db.fixed = -20.0 }
drive = { type = "gain", low = -60.0, high = 60.0, controller = { type = "static" } }
late = { type = "oversample", processor = { type = "tanh" }, controller = { type = "static" } }
post = { type = "gain", controller = { type = "static" }, parameters.gain_db.start = -6.0 }

[losses.esr]
type = "esr"

[callbacks.blocks]
type = "block-audio"
every = 2
far_db = 30.0
"""


def build(**options):
    return BlockAudio(**options).build(BuildContext())


@pytest.fixture
def model():
    nodes = {
        name: SimpleNamespace(ctx=SimpleNamespace(channels=1), parameters=()) for name in ("pre", "clip")
    }
    return SimpleNamespace(plan=SimpleNamespace(nodes=nodes))


@pytest.fixture
def evaluation(make_example, make_evaluation):
    def at(step=10, split="val", gain=1.0):
        example = make_example()
        nodes = {"pre": gain * example.target, "clip": 0.5 * example.target}
        stems = {"pre": gain * example.target}
        return make_evaluation(make_example(nodes=nodes, stems=stems), step=step, split=split)

    return at


def heard(folder, name):
    return soundfile.read(folder / name, dtype="float32", always_2d=True)[0].T


def test_every_node_is_written_in_order_with_its_level_kept(make_run, evaluation):
    run = make_run()
    build(every=10).fx_validate_end(run=run, step=10, evaluation=evaluation(gain=30.0))
    folder = run.folder.path / "blocks" / "step-000010"
    names = ["one.00-input.wav", "one.01-pre.wav", "one.02-clip.wav", "one.stem-pre.wav"]
    assert sorted(path.name for path in folder.glob("*.wav")) == names
    example = evaluation(gain=30.0).examples[0]
    np.testing.assert_array_equal(heard(folder, "one.01-pre.wav"), example.nodes["pre"].numpy())
    np.testing.assert_array_equal(heard(folder, "one.02-clip.wav"), example.nodes["clip"].numpy())
    assert np.abs(heard(folder, "one.stem-pre.wav")).max() > 10


def test_levels_are_a_table_and_are_published(make_run, evaluation):
    run = make_run()
    build(every=10).fx_validate_end(run=run, step=10, evaluation=evaluation())
    with (run.folder.path / "blocks" / "step-000010" / "levels.csv").open(newline="") as stream:
        rows = {row["behind"]: row for row in csv.DictReader(stream)}
    assert list(rows) == ["input", "pre", "clip", "target"]
    target = evaluation().examples[0].target.double()
    rms = 10 * math.log10(float(target.square().mean()))
    peak = 20 * math.log10(float(target.abs().max()))
    assert float(rows["target"]["rms_db"]) == pytest.approx(rms, abs=0.006)
    assert float(rows["clip"]["rms_db"]) == pytest.approx(rms - 6.0206, abs=0.006)
    assert float(rows["clip"]["crest_db"]) == pytest.approx(peak - rms, abs=0.006)
    (name, step, figures) = run.published[0]
    assert (name, step) == ("levels", 10)
    assert figures["pre.peak_db"] == pytest.approx(peak, abs=1e-4)


def test_a_node_far_from_the_target_is_pointed_out_once(make_run, evaluation):
    run, listener = make_run(), build(every=10, far_db=30.0)
    for step, gain in ((10, 31.0), (20, 32.0), (30, 32.0)):
        run.step = step
        listener.fx_validate_end(run=run, step=step, evaluation=evaluation(step, gain=gain))
    assert run.said == ["block-audio: step 20: behind pre it is 30 dB louder than the target; see levels.csv"]


def test_the_level_of_a_sine_and_of_silence():
    time = torch.arange(RATE) / RATE
    sine = level_of([0.5 * torch.sin(2 * torch.pi * 100 * time)[None]])
    assert sine.peak_db == pytest.approx(-6.0206, abs=1e-3)
    assert sine.crest_db == pytest.approx(3.0103, abs=1e-3)
    silence = level_of([torch.zeros(1, 10)])
    assert (silence.peak_db, silence.crest_db) == (-200.0, 0.0)


def test_it_needs_the_heard_recordings_alone_and_tells_their_memory(make_run, model):
    run, listener = make_run(), build(max_examples=1)
    run.model = model
    listener.fx_run_start(run=run)
    assert listener.needs == ("nodes",)
    assert tuple(listener.nodes_of(run, "val")) == ("one",)
    assert run.said == ["block-audio: keeps the sound behind 2 nodes during a validation, about 32 kB"]


def test_nothing_is_kept_in_validations_that_are_not_acted_on(make_run, model):
    run, every, best = make_run(), build(every=10), build(every=0, improves="mse")
    run.model = model
    for step, kept in ((5, ()), (10, ("one",))):
        run.step = step
        assert tuple(every.nodes_of(run, "val"))[:1] == kept
        assert tuple(best.nodes_of(run, "val"))[:1] == ("one",)
        assert tuple(every.nodes_of(run, "test"))[:1] == ("one",)


def test_levels_alone_write_no_audio(make_run, evaluation):
    run = make_run()
    build(every=10, audio=False).fx_validate_end(run=run, step=10, evaluation=evaluation())
    folder = run.folder.path / "blocks" / "step-000010"
    assert [path.name for path in folder.iterdir()] == ["levels.csv"]


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    path = tmp_path_factory.mktemp("blocks")
    (path / "small.toml").write_text(EXPERIMENT)
    return fxkit.run(path / "small.toml", out=path / "run").run


def test_in_a_run_each_file_is_what_its_node_made_of_the_one_before(folder):
    clip = folder / "blocks" / "step-000002"
    stem = next(clip.glob("*.00-input.wav")).name.removesuffix(".00-input.wav")
    audio = {
        path.name.removeprefix(f"{stem}.").removesuffix(".wav"): heard(clip, path.name)
        for path in clip.glob("*.wav")
    }
    assert set(audio) == {
        "00-input", "01-pre", "02-dry", "03-drive", "04-late", "05-post", "stem-dry", "stem-drive+late",
    }  # fmt: skip
    np.testing.assert_allclose(audio["01-pre"], audio["00-input"] * 10 ** (6 / 20), atol=1e-6)
    np.testing.assert_allclose(audio["02-dry"], audio["01-pre"] * 0.1, atol=1e-6)
    summed = audio["stem-dry"] + audio["stem-drive+late"]
    np.testing.assert_allclose(audio["05-post"], summed * 10 ** (-6 / 20), atol=1e-6)
    # The oversampled branch is late; its file is not.
    shift = (
        np.correlate(audio["04-late"][0], audio["03-drive"][0], "full").argmax()
        - audio["03-drive"].shape[1]
        + 1
    )
    assert shift == 0


def test_in_a_run_levels_are_on_record_for_validation_and_test(folder):
    kinds = [record["kind"] for record in read_journal(folder / "metrics.jsonl")]
    assert "levels" in kinds
    assert "levels.test" in kinds
    assert (folder / "blocks" / "test" / "levels.csv").is_file()
