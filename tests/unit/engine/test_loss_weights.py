"""Weights of losses move with the run, its phases or its time; looking at them changes nothing."""

from __future__ import annotations

import json

import pytest
import torch

from fxkit import job
from fxkit.errors import AssemblyError
from fxkit.experiment.reader import read_document
from fxkit.runs.progress import Silent

RAMP = {"type": "linear", "final": 0.5}
BASE = {
    "fxkit": 1,
    "run": {"name": "small", "seed": 3, "sample_rate": 16000, "device": "cpu"},
    "data": {
        "type": "virtual-device",
        "segment": 1024,
        "train_seconds": 1.0,
        "val_seconds": 0.25,
        "test_seconds": 0.25,
    },
    "nodes": {"amp": {"type": "lstm", "hidden": 2}},
    "model": {"chain": ["amp"]},
    "losses": {"wave": {"type": "l1"}, "spectral": {"type": "stft", "fft_size": 256, "weight": RAMP}},
    "train": {
        "steps": 9,
        "batch_size": 2,
        "validate_every": 4,
        "log_every": 1,
        "optimizer": {"type": "adam", "lr": 0.01},
    },
}


class Told(Silent):
    def __init__(self):
        self.lines = []

    def message(self, text):
        self.lines.append(text)


def run(tmp_path, name="run", **tables):
    document = {**BASE, **{key: value for key, value in tables.items() if value is not None}}
    experiment = read_document(document, str(tmp_path / "experiment.toml"))
    progress = Told()
    result = job.run_experiment(experiment, progress=progress, out=tmp_path / name)
    lines = (tmp_path / name / "metrics.jsonl").read_text(encoding="utf-8").splitlines()
    return result, [json.loads(line) for line in lines], progress.lines


def weights_of(records, loss="spectral"):
    return [record["weights"][loss] for record in records if record["kind"] == "terms"]


def test_a_ramp_follows_the_share_of_the_steps(tmp_path):
    _, records, _ = run(tmp_path)
    assert weights_of(records) == pytest.approx([0.5 * step / 8 for step in range(9)])
    for train, terms in zip(
        [one for one in records if one["kind"] == "train"],
        [one for one in records if one["kind"] == "terms"],
        strict=True,
    ):
        assert set(train) == {"kind", "step", "wave", "spectral", "total"}
        assert sum(terms["weighted"].values()) == pytest.approx(train["total"], rel=1e-5)


def test_validations_weigh_as_the_end_does(tmp_path):
    result, records, _ = run(tmp_path)
    for record in (one for one in records if one["kind"] == "val"):
        assert record["loss"] == pytest.approx(record["wave"] + 0.5 * record["spectral"])
    assert result.test["loss"] == pytest.approx(result.test["wave"] + 0.5 * result.test["spectral"])


def test_ramps_of_losses_follow_the_whole_training_and_those_of_a_phase_that_phase(tmp_path):
    phases = [
        {"steps": 4},
        {"steps": 5, "losses": {"wave": {"type": "linear", "start": 1.0, "final": 3.0}, "spectral": 0.25}},
    ]
    train = {key: value for key, value in BASE["train"].items() if key != "steps"}
    _, records, _ = run(tmp_path, train=train, phase=phases)
    assert weights_of(records)[:4] == pytest.approx([0.5 * step / 8 for step in range(4)])
    assert weights_of(records)[4:] == [0.25] * 5
    assert weights_of(records, "wave") == pytest.approx([1.0] * 4 + [1.0, 1.5, 2.0, 2.5, 3.0])


def test_in_a_run_of_limited_time_a_ramp_follows_the_clock(tmp_path):
    train = {**{k: v for k, v in BASE["train"].items() if k != "steps"}, "until": "0.6 s"}
    _, records, _ = run(tmp_path, train=train)
    found = weights_of(records)
    assert found == sorted(found)
    assert found[0] < 0.25 < 0.3 < found[-1] <= 0.5


def test_phases_of_steps_and_of_time_are_as_much_of_the_training(tmp_path):
    train = {key: value for key, value in BASE["train"].items() if key != "steps"}
    phases = [{"steps": 3}, {"until": "0.2 s"}]
    _, records, _ = run(tmp_path, train=train, phase=phases)
    found = weights_of(records)
    assert found[:3] == pytest.approx([0.0, 0.125, 0.25])
    assert found == sorted(found)


CHAINS = {
    "lstm": ({"amp": {"type": "lstm", "hidden": 3}}, ["amp"]),
    "tcn": ({"amp": {"type": "tcn"}}, ["amp"]),
    "gray": (
        {
            "eq": {"type": "parametric-eq", "controller": {"type": "static"}},
            "squeeze": {"type": "compressor", "controller": {"type": "static"}},
            "clip": {"type": "diode-clipper", "controller": {"type": "static"}},
            "sweep": {"type": "phaser", "controller": {"type": "static"}},
        },
        ["eq", "squeeze", "clip", "sweep"],
    ),
}


@pytest.mark.parametrize("name", CHAINS)
def test_comparing_gradients_leaves_the_training_bit_for_bit_as_it_is(tmp_path, monkeypatch, name):
    nodes, chain = CHAINS[name]
    states = []
    for compares in (True, False):
        monkeypatch.setattr("fxkit.engine.course.looks_at_gradients", lambda *_, compares=compares: compares)
        folder = f"run-{compares}"
        train = {**BASE["train"], "steps": 4}
        _, records, _ = run(tmp_path, folder, nodes=nodes, model={"chain": chain}, train=train)
        shares = [one.get("gradient_share") for one in records if one["kind"] == "terms"]
        assert all((one is not None) == compares for one in shares)
        states.append(torch.load(tmp_path / folder / "checkpoints" / "last.pt", weights_only=True)["model"])
    for key, value in states[0].items():
        assert torch.equal(value, states[1][key]), key


def test_shares_are_those_of_gradients_taken_one_by_one(tmp_path, monkeypatch):
    monkeypatch.setattr("fxkit.engine.course.looks_at_gradients", lambda *_: True)
    losses = {"wave": {"type": "l1", "weight": 2.0}, "dc": {"type": "l2", "weight": 0.5}}
    train = {**BASE["train"], "steps": 1}
    norms = {}
    for name, table in losses.items():
        # One step of plain descent without momentum moves the weights by the gradient.
        alone = {name: table}
        plain = {**train, "optimizer": {"type": "sgd", "lr": 1.0, "momentum": 0.0}}
        run(tmp_path, name, losses=alone, train=plain)
        run(
            tmp_path,
            f"{name}-still",
            losses=alone,
            train={**plain, "optimizer": {**plain["optimizer"], "lr": 1e-12}},
        )
        moved, still = (
            torch.load(tmp_path / folder / "checkpoints" / "last.pt", weights_only=True)["model"]
            for folder in (name, f"{name}-still")
        )
        norms[name] = sum(float((moved[key] - still[key]).double().square().sum()) for key in moved) ** 0.5
    _, records, _ = run(tmp_path, losses=losses, train=train)
    (shares,) = [one["gradient_share"] for one in records if one["kind"] == "terms"]
    assert shares["wave"] == pytest.approx(norms["wave"] / sum(norms.values()), rel=1e-3)


def test_the_parts_of_sums_are_recorded_however_deep(tmp_path):
    inner = {"type": "weighted-sum", "terms": [{"type": "l1"}, {"type": "l2"}], "weights": [1.0, 3.0]}
    outer = {
        "type": "weighted-sum",
        "terms": [inner, {"type": "esr"}],
        "weights": [0.5, 0.2],
        "names": ["error", "ratio"],
    }
    losses = {"all": {"type": "filtered", "inner": outer, "weight": 2.0}}
    result, records, _ = run(tmp_path, losses=losses)
    first = next(one for one in records if one["kind"] == "terms")
    assert {name: part["weight"] for name, part in first["parts"].items()} == pytest.approx(
        {"all.error.l1": 1.0, "all.error.l2": 3.0, "all.ratio": 0.4}
    )
    total = sum(part["raw"] * part["weight"] for part in first["parts"].values())
    assert total == pytest.approx(first["weighted"]["all"], rel=1e-5)
    assert result.test["loss"] == pytest.approx(2.0 * result.test["all"])


def test_several_losses_are_summed_up_at_the_end(tmp_path):
    _, _, lines = run(tmp_path)
    (told,) = [line for line in lines if line.startswith("losses of step 9")]
    assert [line.split()[0] for line in told.splitlines()[1:]] == ["wave", "spectral"]
    _, _, lines = run(tmp_path, "alone", losses={"wave": {"type": "l1"}})
    assert not [line for line in lines if line.startswith("losses of")]


def test_a_loss_that_alone_makes_the_gradient_is_named_once(tmp_path, monkeypatch):
    monkeypatch.setattr("fxkit.engine.course.looks_at_gradients", lambda *_: True)
    losses = {"wave": {"type": "l1", "weight": 1e-6}, "ratio": {"type": "esr"}}
    _, _, lines = run(tmp_path, losses=losses)
    told = [line for line in lines if "of the gradient (" in line]
    assert len(told) == 1
    assert told[0].startswith("step 2  losses.ratio makes 100.0% of the gradient (wave 0.0%)")


@pytest.mark.parametrize(
    ("tables", "message"),
    [
        (
            {
                "data": {**BASE["data"], "val_seconds": 0.3},
                "metrics": {"long": {"type": "stft", "fft_size": 8192}},
            },
            r'metrics\.long: needs 8192 samples, and ".*" of val has 4800 that are scored; leave that',
        ),
        (
            {
                "nodes": {
                    "amp": {"type": "lstm", "hidden": 2},
                    "cut": {"type": "limiter", "lookahead": 40.0, "controller": {"type": "static"}},
                },
                "model": {"chain": ["amp", "cut"]},
                "losses": {"far": {"type": "stft", "fft_size": 1024}},
            },
            r"losses\.far: needs 1024 samples, and a segment of train behind the model's latency of",
        ),
    ],
)
def test_what_is_too_short_to_measure_is_refused_before_the_first_step(tmp_path, tables, message):
    with pytest.raises(AssemblyError, match=message):
        run(tmp_path, **tables)
    assert (
        not (tmp_path / "run" / "metrics.jsonl").exists()
        or not (tmp_path / "run" / "metrics.jsonl").read_text()
    )
