"""The engine in memory: what is minimised, kept, scored, reported and refused."""

from __future__ import annotations

import json

import attrs
import pytest
import torch

import fxkit
from fxkit.engine.baselines import baselines
from fxkit.engine.evaluation import evaluate
from fxkit.engine.objective import aligned
from fxkit.engine.setup import prepare
from fxkit.errors import NonFiniteError, RunError
from fxkit.job import dry_run, run_experiment
from fxkit.runs import checkpoint
from fxkit.runs.folder import RunFolder
from fxkit.runs.journal import read_journal
from fxkit.values import Batch, Output


class Collected:
    """Progress that keeps what it is told."""

    def __init__(self):
        self.messages, self.losses = [], []

    def start(self, step, steps, seconds):
        self.first = (step, steps, seconds)

    def step(self, step, loss):
        self.losses.append(loss)

    def message(self, text):
        self.messages.append(text)

    def close(self):
        self.closed = True


def scaling(kit, **rest):
    nodes = {"a": kit.node("a", kit.Scale(), kit.Learned(start=0.5))}
    return kit.make_experiment(nodes, ("a",), **rest)


def callback_part(kit, name, hooks, on_error="raise"):
    from fxkit.experiment.tables import CallbackKeys

    @attrs.frozen
    class Spec:
        def build(self, ctx):
            return hooks

    return kit.make_part(f"callbacks.{name}", "callbacks", Spec(), CallbackKeys(on_error=on_error))


def test_training_finds_the_factor(kit, tmp_path):
    progress = Collected()
    experiment = scaling(kit, train={"steps": 200, "validate_every": 50})
    result = run_experiment(experiment, progress=progress, out=tmp_path / "run")
    assert result.test["mse"] < 1e-6
    assert result.baselines["gain"]["mse"] < 1e-9
    assert result.baselines["silence"]["mse"] == pytest.approx(4, rel=0.2)
    assert progress.losses[-1] < progress.losses[0]
    assert progress.closed
    assert json.loads((tmp_path / "run" / "results.json").read_text())["test"] == result.test


def test_the_callers_random_numbers_are_left_alone(kit, tmp_path):
    torch.manual_seed(11)
    expected = torch.randn(4)
    torch.manual_seed(11)
    run_experiment(scaling(kit), progress=Collected(), out=tmp_path / "run")
    assert torch.equal(torch.randn(4), expected)


def test_latency_is_cut_from_prediction_and_target(kit, tmp_path):
    nodes = {
        "a": kit.node("a", kit.Scale(), kit.Learned(start=0.75)),
        "late": kit.node("late", kit.Late(samples=9)),
    }
    result = run_experiment(
        kit.make_experiment(nodes, ("a", "late")), progress=Collected(), out=tmp_path / "r"
    )
    assert result.test["mse"] < 1e-9


def test_alignment_pairs_sample_with_sample():
    ramp = torch.arange(20.0)[None, None]
    output = Output(audio=torch.nn.functional.pad(ramp, (4, 0))[..., :20], latency=4)
    cut, batch = aligned(output, Batch(target=ramp, input=ramp, warmup=3))
    assert torch.equal(cut.audio, batch.target)
    assert torch.equal(batch.input, batch.target)
    assert batch.target[0, 0, 0] == 3


def test_a_stem_that_is_less_late_than_the_output_pairs_with_it_sample_with_sample():
    ramp = torch.arange(20.0)[None, None]
    early, late = (torch.nn.functional.pad(ramp, (lag, 0))[..., :20] for lag in (1, 4))
    output = Output(audio=late, latency=4, stems={"early": early, "late": late}, stems_late={"early": 1})
    cut, batch = aligned(output, Batch(target=ramp, input=ramp, warmup=3))
    assert torch.equal(cut.stems["early"], batch.target)
    assert torch.equal(cut.stems["late"], batch.target)


def test_a_loss_in_training_hears_the_stem_of_a_model_where_the_target_is(kit):
    branches = (fxkit.node("gain", name="dry"), fxkit.node("gain", name="wet"))
    model = fxkit.Model.chain(list(branches), fxkit.node("limiter", name="held")).build()
    audio = 0.1 * torch.randn(1, 1, 4000, generator=torch.Generator().manual_seed(0))
    output = model(audio)
    assert output.latency > 0
    cut, batch = aligned(output, Batch(target=audio, input=audio, warmup=500))
    assert set(cut.stems) == {"dry", "wet"}
    for stem in cut.stems.values():
        assert torch.allclose(stem, batch.target, atol=1e-6)


def test_samples_that_are_skipped_do_not_count(kit):
    def score(skip):
        experiment = scaling(kit, data=kit.Doubler(samples=100, skip=skip))
        prepared = prepare(experiment, device="cpu")
        prepared.materials["test"].recordings[0].target[:, :50] += 100.0
        return evaluate(
            prepared.model, prepared.terms, prepared.materials["test"], split="test", step=0, sample_rate=1
        ).metrics["mse"]

    assert score(0) > 1000
    assert score(50) < 10


def test_a_value_does_not_depend_on_how_a_model_is_cut_into_blocks(kit):
    prepared = prepare(scaling(kit, data=kit.Doubler(samples=70000)), device="cpu")
    evaluation = evaluate(
        prepared.model, prepared.terms, prepared.materials["val"], split="val", step=0, sample_rate=1
    )
    example = evaluation.examples[0]
    assert example.prediction.shape == example.target.shape == (1, 70000)
    assert example.parameters["a.factor"].shape == (1, 1)


def test_the_best_weights_are_kept(kit, tmp_path):
    experiment = scaling(kit, train={"steps": 40, "validate_every": 1})
    steep = attrs.evolve(experiment.optimizer, spec=attrs.evolve(experiment.optimizer.spec, lr=0.022))
    experiment = attrs.evolve(experiment, optimizer=steep)
    result = run_experiment(experiment, progress=Collected(), out=tmp_path / "run")
    validations = [r for r in read_journal(tmp_path / "run" / "metrics.jsonl") if r["kind"] == "val"]
    best = min(validations, key=lambda record: record["loss"])
    assert result.best == best["step"]
    assert checkpoint.load(tmp_path / "run" / "checkpoints" / "best.pt")["value"] == best["loss"]


def test_best_weights_of_steps_that_were_given_up_are_not_used(kit, tmp_path):
    import shutil

    class Keeps:
        @fxkit.hookimpl
        def fx_step_end(self, run, step):
            if step == 1:
                run.request_save(run.folder.checkpoints / "early.pt")

    progress = Collected()
    callbacks = {"keeps": callback_part(kit, "keeps", Keeps())}
    experiment = scaling(kit, callbacks=callbacks, train={"steps": 6, "validate_every": 1})
    run_experiment(experiment, progress=progress, out=tmp_path / "run")
    folder = RunFolder(tmp_path / "run")
    shutil.copy(folder.checkpoints / "early.pt", folder.last)
    stale = checkpoint.load(folder.best)
    shortened = attrs.evolve(experiment, train=attrs.evolve(experiment.train, steps=1))
    assert stale["step"] == 6
    result = run_experiment(shortened, progress=progress, resume=folder)
    assert result.best is None
    assert any("the last weights are used" in text for text in progress.messages)


def test_keep_last_ends_with_the_last_weights(kit, tmp_path):
    result = run_experiment(scaling(kit, train={"keep": "last"}), progress=Collected(), out=tmp_path / "run")
    assert result.best is None


def test_a_loss_that_is_not_finite_names_step_and_term(kit, tmp_path):
    @attrs.frozen
    class Blows:
        def build(self, ctx):
            calls = []

            def loss(output, batch):
                calls.append(1)
                value = output.audio.square().mean((1, 2))
                return value * float("nan") if len(calls) > 3 else value

            return loss

    from fxkit.experiment.tables import LossKeys

    losses = {"wild": kit.make_part("losses.wild", "losses", Blows(), LossKeys())}
    with pytest.raises(NonFiniteError, match=r"step 4: wild, total is not finite; no checkpoint was saved"):
        run_experiment(
            scaling(kit, losses=losses, train={"validate_every": 100}),
            progress=Collected(),
            out=tmp_path / "r",
        )


def test_weights_that_are_not_finite_are_never_saved(kit, tmp_path):
    class Poison:
        @fxkit.hookimpl
        def fx_step_end(self, run, step):
            if step == 2:
                next(run.model.parameters()).data.fill_(float("nan"))
                run.request_save()

    callbacks = {"poison": callback_part(kit, "poison", Poison())}
    with pytest.raises(NonFiniteError, match="is not finite"):
        run_experiment(scaling(kit, callbacks=callbacks), progress=Collected(), out=tmp_path / "run")
    assert not (tmp_path / "run" / "checkpoints" / "last.pt").exists()


def test_hooks_run_in_file_order_and_see_the_run(kit, tmp_path):
    calls = []

    def recorder(name):
        class Recorder:
            @fxkit.hookimpl
            def fx_run_start(self, run):
                calls.append((name, "start", run.step))

            @fxkit.hookimpl
            def fx_step_end(self, step, losses):
                calls.append((name, "step", step))
                assert set(losses) == {"mse", "total"}

            @fxkit.hookimpl
            def fx_validate_end(self, evaluation, step):
                calls.append((name, "val", step))
                assert evaluation.examples[0].name == "val.wav"

            @fxkit.hookimpl
            def fx_run_end(self, evaluation):
                calls.append((name, "end", evaluation.split))

            @fxkit.hookimpl
            def fx_close(self):
                calls.append((name, "close", None))

        return callback_part(kit, name, Recorder())

    experiment = scaling(
        kit,
        callbacks={"one": recorder("one"), "two": recorder("two")},
        train={"steps": 2, "validate_every": 2},
    )
    run_experiment(experiment, progress=Collected(), out=tmp_path / "run")
    expected = [("start", 0), ("step", 1), ("val", 2), ("step", 2), ("end", "test"), ("close", None)]
    assert calls == [(name, *event) for event in expected for name in ("one", "two")]


@pytest.mark.parametrize(("policy", "survives"), [("raise", False), ("warn", True), ("disable", True)])
def test_an_error_in_a_callback_does_what_its_policy_says(kit, tmp_path, policy, survives):
    class Fails:
        calls = 0

        @fxkit.hookimpl
        def fx_step_end(self, step):
            self.calls += 1
            raise OSError("disk full")

    hooks, progress = Fails(), Collected()
    experiment = scaling(kit, callbacks={"fails": callback_part(kit, "fails", hooks, policy)})
    if survives:
        run_experiment(experiment, progress=progress, out=tmp_path / "run")
        error = "callbacks.fails: fx_step_end at step 1: OSError: disk full"
        assert len([text for text in progress.messages if text.startswith(error)]) == 1
        assert hooks.calls == {"warn": 6, "disable": 1}[policy]
    else:
        with pytest.raises(RunError, match="fx_step_end at step 1: OSError: disk full"):
            run_experiment(experiment, progress=progress, out=tmp_path / "run")


def test_a_callback_can_stop_the_run(kit, tmp_path):
    class Stops:
        @fxkit.hookimpl
        def fx_should_stop(self, step):
            return "enough" if step == 2 else None

    callbacks = {"stops": callback_part(kit, "stops", Stops())}
    result = run_experiment(scaling(kit, callbacks=callbacks), progress=Collected(), out=tmp_path / "run")
    assert (result.steps, result.stopped) == (2, "enough")


def test_a_misspelt_hook_is_refused(kit, tmp_path):
    class Wrong:
        @fxkit.hookimpl
        def fx_stepend(self, step):
            pass

    callbacks = {"wrong": callback_part(kit, "wrong", Wrong())}
    with pytest.raises(RunError, match=r"callbacks.wrong: fx_stepend is no hook; did you mean fx_step_end"):
        run_experiment(scaling(kit, callbacks=callbacks), progress=Collected(), out=tmp_path / "run")


def test_baselines_without_an_input_are_silence_alone(kit):
    prepared = prepare(scaling(kit), device="cpu")
    material = prepared.materials["test"]
    dry = attrs.evolve(material, recordings=(attrs.evolve(material.recordings[0], input=None),))
    assert set(baselines(prepared.terms, dry)) == {"silence"}


def test_a_dry_run_returns_losses_and_leaves_no_folder(kit, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    losses = dry_run(scaling(kit), progress=Collected())
    assert losses["total"] == pytest.approx(losses["mse"])
    assert list(tmp_path.iterdir()) == []


def test_a_plugin_that_cannot_be_built_is_named_with_its_version(kit, tmp_path):
    @attrs.frozen
    class Broken:
        def build(self, ctx):
            raise ZeroDivisionError("oops")

    experiment = scaling(kit)
    experiment = attrs.evolve(experiment, data=attrs.evolve(experiment.data, spec=Broken()))
    with pytest.raises(
        fxkit.FxkitError, match=r"data: test/Doubler 1 cannot be built: ZeroDivisionError: oops"
    ):
        run_experiment(experiment, progress=Collected(), out=tmp_path / "run")
    assert not (tmp_path / "run").exists()


def test_weights_of_another_model_are_refused_with_every_difference(tmp_path):
    model = torch.nn.Linear(2, 1)
    with pytest.raises(RunError, match=r"missing bias; unexpected extra; weight is \(3, 1\)"):
        checkpoint.load_weights(
            model, {"weight": torch.zeros(3, 1), "extra": torch.zeros(1)}, tmp_path / "w.pt"
        )


def test_a_validation_that_is_not_finite_is_never_the_best_and_the_results_stay_json(kit, tmp_path):
    @attrs.frozen
    class Sometimes:
        def build(self, ctx):
            calls = []

            def metric(output, batch):
                calls.append(1)
                value = output.audio.square().mean((1, 2))
                # The first validation and the test: everything but the second validation.
                return value if len(calls) == 2 else value * float("nan")

            return metric

    experiment = scaling(kit, train={"best": "odd"})
    odd = kit.make_part("metrics.odd", "losses", Sometimes(), kit.NoKeys())
    experiment = attrs.evolve(experiment, metrics={"odd": odd})
    result = run_experiment(experiment, progress=Collected(), out=tmp_path / "run")
    assert result.best == 6
    written = json.loads((tmp_path / "run" / "results.json").read_text())
    assert written["test"]["odd"] is None
    assert written["test"]["mse"] == result.test["mse"]
