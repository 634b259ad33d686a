"""`set-distance` and `fad` in small runs: what is told, recorded and refused."""

from __future__ import annotations

import shutil

import attrs
import pytest
import torch

from fxkit import BuildContext
from fxkit.engine.recording_sets import predictions, run_yardstick, targets
from fxkit.errors import ExperimentError, RunError
from fxkit.job import run_experiment
from fxkit.runs.folder import open_folder
from fxkit.runs.journal import read_journal
from fxkit.runs.progress import Silent
from fxkit.testing.small_run import small_experiment, small_run
from fxkit.testing.stock import Levels, Noise
from fxkit_callbacks.checkpoint import Checkpoint
from fxkit_callbacks.fad import FAD
from fxkit_callbacks.set_distance import SetDistance

LEVELS = Levels(window=0.005)


@attrs.frozen(kw_only=True)
class Unpublished:
    """Declare nothing: an embedding of somebody's own."""

    def build(self, ctx):
        return LEVELS.build(ctx)


class Lines(Silent):
    """Keep what a run says."""

    def __init__(self):
        self.lines = []

    def message(self, text):
        self.lines.append(text)


def told(folder, **callbacks):
    """Run six steps, three validations; return what was said and the journal."""
    progress = Lines()
    experiment = small_experiment(folder, callbacks=callbacks)
    run_experiment(experiment, progress=progress, out=folder / "run", device="cpu")
    return progress.lines, read_journal(folder / "run" / "metrics.jsonl")


def records(journal, kind):
    return {record["step"]: record for record in journal if record["kind"] == kind}


def test_each_validation_and_the_test_are_measured_and_recorded(tmp_path):
    lines, journal = told(tmp_path, sets=SetDistance(embedding=LEVELS))
    assert not [line for line in lines if line.startswith("warning")]
    said = [line for line in lines if "set-distance" in line]
    assert [line.split("  ")[0] for line in said] == ["step 2", "step 4", "step 6", "test"]
    assert all("noise floor" in line and "real recordings" in line and "memorised" in line for line in said)
    found = records(journal, "set-distance")
    assert sorted(found) == [2, 4, 6]
    names = {"mmd", "mmd_floor_low", "mmd_floor_high", "mmd_real", "memorised"}
    names |= {name.replace("mmd", "frechet") for name in names if "mmd" in name}
    assert set(found[2]) == {"kind", "step", *names}
    assert set(records(journal, "set-distance-test")) == {6}
    by = records(journal, "set-distance-by")[4]["provenance"]
    assert (by["embedding"], by["dims"], by["reference"], by["test"]) == ("levels of 80 samples", 2, 50, 50)


def test_the_figures_are_those_of_the_runs_own_recordings(tmp_path):
    seen = []

    class Spy(SetDistance):
        def build(self, ctx):
            comparer = super().build(ctx)
            measure = comparer._measure

            def watch(run, step, evaluation, *rest):
                seen.append((run.prepared.materials, evaluation))
                measure(run, step, evaluation, *rest)

            comparer._measure = watch
            return comparer

    spy = attrs.frozen(kw_only=True)(Spy)(embedding=LEVELS, at=(6,))
    _, journal = told(tmp_path, sets=spy)
    (materials, evaluation), _ = seen
    yardstick = run_yardstick(LEVELS.build(BuildContext(sample_rate=16000)), materials, sample_rate=16000)
    expected = yardstick.measure(predictions(evaluation)).figures()
    found = records(journal, "set-distance")[6]
    assert {name: found[name] for name in expected} == pytest.approx(expected, rel=1e-12)
    assert torch.equal(targets(materials["val"])[0], materials["val"].recordings[0].target)


def test_distances_can_be_from_what_was_predicted(tmp_path):
    options = {"embedding": LEVELS, "memorised": False}
    _, journal = told(tmp_path, near=SetDistance(reference="val", **options), far=SetDistance(**options))
    near, far = records(journal, "set-distance near"), records(journal, "set-distance far")
    assert near[2]["mmd"] != far[2]["mmd"]
    assert "mmd_real" not in near[2]
    assert "memorised" not in far[2]


def test_small_sets_are_told_of_before_the_training(tmp_path):
    lines, journal = told(tmp_path, sets=SetDistance(embedding=Levels(window=0.05)))
    first = next(line for line in lines if "set-distance" in line)
    assert first.startswith("set-distance: 5 windows in the reference and 5 to measure, of 2 dimensions: no")
    assert "frechet" not in records(journal, "set-distance")[2]
    assert lines.index(first) < next(index for index, line in enumerate(lines) if line.startswith("step 2"))


def test_triggers_are_obeyed(tmp_path):
    _, journal = told(tmp_path, sets=SetDistance(embedding=LEVELS, every=4))
    assert sorted(records(journal, "set-distance")) == [4]


class TestFAD:
    def test_it_is_the_frechet_distance_alone(self, tmp_path):
        lines, journal = told(tmp_path, fad=FAD(embedding=LEVELS), sets=SetDistance(embedding=LEVELS))
        one, other = records(journal, "fad")[2], records(journal, "set-distance")[2]
        assert one["frechet"] == other["frechet"]
        assert "memorised" not in one
        (line,) = [line for line in lines if line.startswith("step 2  fad")]
        assert line.startswith(f"step 2  fad {one['frechet']:.1e}, noise floor ")

    def test_where_there_are_too_few_windows_it_says_so(self, tmp_path):
        lines, journal = told(tmp_path, fad=FAD(embedding=LEVELS, windows_per_dimension=26.0))
        (line,) = [line for line in lines if line.startswith("step 2  fad")]
        assert line.startswith("step 2  fad not told, too few windows; maximum mean discrepancy ")
        assert "frechet" not in records(journal, "fad")[2]

    def test_an_embedding_that_is_not_published_for_it_is_refused(self, tmp_path):
        reason = "no Fréchet audio distance was published with it; use the callback set-distance"
        with pytest.raises(ValueError, match=reason):
            FAD(embedding=Unpublished()).build(BuildContext())
        with pytest.raises(ExperimentError, match=f"callbacks.fad.embedding: {reason}"):
            small_experiment(tmp_path, callbacks={"fad": FAD(embedding=Unpublished())})

    def test_logmel_stats_is_refused_and_published_ones_are_not(self, tmp_path):
        from fxkit_embeddings.clap import CLAP
        from fxkit_embeddings.logmel_stats import LogmelStats
        from fxkit_embeddings.vggish import VGGish

        assert [option for option, _ in FAD(embedding=LogmelStats()).problems()] == ["embedding"]
        for published in (VGGish(weights=tmp_path), CLAP(weights=tmp_path)):
            assert not list(FAD(embedding=published).problems())


def test_drawing_weights_leaves_torchs_generator_alone():
    @attrs.frozen(kw_only=True)
    class Drawn(Unpublished):
        """Draw weights that are never used."""

        def build(self, ctx):
            torch.randn(100)
            return LEVELS.build(ctx)

    before = torch.random.get_rng_state()
    SetDistance(embedding=Drawn()).build(BuildContext())
    assert torch.equal(torch.random.get_rng_state(), before)


def test_a_split_without_recordings_is_no_reference(tmp_path, monkeypatch):
    recordings = type(Noise().build(BuildContext())).recordings
    monkeypatch.setattr(
        "fxkit.testing.stock.NoiseSplits.recordings",
        lambda self, split: () if split == "val" else recordings(self, split),
    )
    with pytest.raises(RunError, match="set-distance: the val split is empty"):
        small_run(tmp_path, callbacks={"sets": SetDistance(embedding=LEVELS, reference="val")})


def test_a_resumed_run_tells_the_same(tmp_path):
    sets = SetDistance(embedding=LEVELS, improves="loss", every=4)
    callbacks = {"sets": sets, "save": Checkpoint(every=3, keep=3)}
    experiment = small_experiment(tmp_path, callbacks=callbacks)
    run_experiment(experiment, progress=Silent(), out=tmp_path / "run", device="cpu")
    before = read_journal(tmp_path / "run" / "metrics.jsonl")
    saved = tmp_path / "run" / "checkpoints"
    shutil.copy(saved / "step-000003.pt", saved / "last.pt")
    run_experiment(experiment, progress=Silent(), resume=open_folder(tmp_path / "run"), device="cpu")
    after = read_journal(tmp_path / "run" / "metrics.jsonl")
    kinds = {record["kind"] for record in before if "set-distance" in record["kind"]}
    assert len(kinds) == 4
    for kind in kinds:
        assert records(after, kind) == records(before, kind)
