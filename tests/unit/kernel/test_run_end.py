"""What a run leaves behind when it is over."""

from __future__ import annotations

import json

import attrs
import pytest

from fxkit import run_end
from fxkit.engine import evaluation
from fxkit.job import run_experiment
from fxkit.runs.progress import Silent
from fxkit.values import Recording


class Told(Silent):
    """Keep the messages."""

    def __init__(self):
        self.lines = []

    def message(self, text):
        self.lines.append(text)


def experiment(kit, **rest):
    return kit.make_experiment({"a": kit.node("a", kit.Scale(), kit.Learned())}, ("a",), **rest)


@pytest.fixture
def several(kit):
    """Six test recordings, which is enough for limits."""

    class Several:
        def __init__(self, data):
            self._data = data

        def __getattr__(self, name):
            return getattr(self._data, name)

        def recordings(self, split):
            first = self._data.recordings(split)[0]
            if split != "test":
                return (first,)
            return tuple(self._varied(first, number) for number in range(6))

        def _varied(self, recording: Recording, number):
            factor = 1 + 0.1 * number
            return attrs.evolve(
                recording,
                name=f"take{number}",
                target=factor * recording.target,
                input=factor * recording.input,
                digest=f"sha{number}",
            )

    @attrs.frozen
    class Spec:
        def build(self, ctx):
            return Several(kit.Doubler().build(ctx))

    return Spec()


def test_results_hold_limits_recordings_and_the_old_keys(kit, several, tmp_path):
    result = run_experiment(experiment(kit, data=several), progress=Told(), out=tmp_path / "run")
    written = json.loads((tmp_path / "run" / "results.json").read_text())
    old = {"run", "steps", "test", "baselines", "best", "stopped", "seconds", "weights"}
    assert old <= set(written)
    low, high = written["intervals"]["mse"]
    assert low < written["test"]["mse"] < high
    assert written["recordings"]["take5"]["mse"] == pytest.approx(result.scores.recordings["take5"]["mse"])
    assert written["higher_is_better"] == []
    assert written["device"] == "cpu"


def test_the_test_recordings_run_through_the_model_once(kit, several, tmp_path, monkeypatch):
    passes, process = [], evaluation.process

    def counted(*arguments, **options):
        passes.append(1)
        return process(*arguments, **options)

    monkeypatch.setattr(evaluation, "process", counted)
    train = {"steps": 1, "validate_every": 1}
    run_experiment(experiment(kit, data=several, train=train), progress=Told(), out=tmp_path / "run")
    assert len(passes) == 1 + 6


def test_a_report_that_fails_is_a_warning(kit, tmp_path, monkeypatch):
    def fail(path, contents):
        raise ZeroDivisionError("no width")

    monkeypatch.setattr(run_end, "write_report", fail)
    told = Told()
    result = run_experiment(experiment(kit), progress=told, out=tmp_path / "run")
    warning = f"warning: {tmp_path / 'run' / 'report.html'}: not written (ZeroDivisionError: no width)"
    assert warning in told.lines
    assert (tmp_path / "run" / "results.json").is_file()
    assert result.test["mse"] >= 0


def test_a_run_ends_with_its_report(kit, tmp_path):
    told = Told()
    run_experiment(experiment(kit), progress=told, out=tmp_path / "run")
    assert "<html" in (tmp_path / "run" / "report.html").read_text()
    assert not [line for line in told.lines if line.startswith("warning")]
