"""`fxkit eval` on runs that were trained on a folder of pairs."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
import soundfile
from scipy.signal import lfilter

import fxkit
from fxkit.cli.main import main
from fxkit_exchange.guitarml import GuitarML

pytestmark = pytest.mark.slow

RATE = 16000
EXPERIMENT = """
fxkit = 1

[run]
name = "pairs"
sample_rate = 16000

[data]
type = "paired-audio"
root = "pairs"
segment = 1024

[nodes.amp]
type = "gain"
controller = { type = "static" }

[model]
chain = ["amp"]

[losses.error]
type = "esr"

[metrics.l1]
type = "l1"

[train]
steps = 3
batch_size = 2
optimizer = { type = "adam", lr = 0.1 }
"""


def device(dry):
    """A linear device: the best filter is all that it is."""
    return 0.5 * lfilter([1.0, 0.6], [1.0, -0.4], dry)


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """Two runs on six test recordings, and one on a single long one."""
    folder = tmp_path_factory.mktemp("eval")
    for root, tests, seconds in (("pairs", 6, 0.5), ("one", 1, 6)):
        for split, count in (("train", 1), ("val", 1), ("test", tests)):
            for number in range(count):
                rng = np.random.default_rng([number, ["train", "val", "test"].index(split)])
                dry = (0.1 + 0.05 * number) * rng.standard_normal(int(seconds * RATE))
                for side, audio in (("input", dry), ("target", device(dry))):
                    path = folder / root / split / side / f"take{number}.wav"
                    path.parent.mkdir(parents=True, exist_ok=True)
                    soundfile.write(path, audio, RATE, subtype="FLOAT")
    (folder / "pairs.toml").write_text(EXPERIMENT)
    for name, settings in {
        "a": {},
        "b": {"train.steps": 12},
        "long": {"data.root": str(folder / "one")},
    }.items():
        fxkit.run(folder / "pairs.toml", settings, out=folder / "runs" / name)
    return folder


@pytest.fixture
def ask(folder, monkeypatch, capsys):
    """Call the command in the folder; returns exit code, stdout and stderr."""
    monkeypatch.chdir(folder)
    monkeypatch.setenv("COLUMNS", "200")

    def ask(*arguments):
        code = main(["eval", *map(str, arguments)])
        told = capsys.readouterr()
        return code, told.out, told.err

    return ask


def test_a_table_shows_each_recording_the_model_and_the_baselines(ask):
    code, table, _ = ask("runs/a")
    assert code == 0
    rows = [line.split("  ")[0] for line in table.splitlines()]
    baselines = ["silence", "input unchanged", "best single gain", "best linear filter"]
    assert rows[1:12] == [*(f"take{n}" for n in range(6)), "model", *baselines]
    assert "confidence limits for other recordings of the kind, by 6 recordings" in table


def test_json_holds_limits_recordings_and_baselines(ask, folder):
    code, line, _ = ask("runs/a", "--json")
    assert code == 0
    scores = json.loads(line)
    low, high = scores["intervals"]["error"]
    assert low < scores["metrics"]["error"] < high
    assert set(scores["recordings"]) == {f"take{n}" for n in range(6)}
    assert scores["baselines"]["filter"]["error"] < 1e-6 < scores["baselines"]["gain"]["error"]
    results = json.loads((folder / "runs/a/results.json").read_text())
    assert results["test"] == pytest.approx(scores["metrics"])
    assert results["intervals"]["error"] == pytest.approx([low, high])
    assert results["recordings"]["take3"] == pytest.approx(scores["recordings"]["take3"])
    assert results["baselines"]["filter"] == pytest.approx(scores["baselines"]["filter"], abs=1e-9)


def test_runs_are_compared_recording_by_recording(ask):
    code, table, _ = ask("runs/a", "--against", "runs/b")
    assert code == 0
    assert "b less a" in table
    _, line, _ = ask("runs/a", "--against", "runs/b", "--json")
    found = json.loads(line)
    first, second = found["runs"]
    difference = found["differences"]["runs/b"]["error"]
    assert difference["value"] == pytest.approx(second["metrics"]["error"] - first["metrics"]["error"])
    assert difference["low"] <= difference["value"] <= difference["high"] < 0
    assert found["over"] == "recordings"
    better = next(line for line in table.splitlines() if line.strip().startswith("better on"))
    assert better.split()[2:5] == ["6", "of", "6"]


def test_one_long_recording_has_limits_over_its_stretches(ask):
    code, table, _ = ask("runs/long")
    assert code == 0
    assert "other stretches of time of the same recordings; 1 recording: too few" in table
    _, line, _ = ask("runs/long", "--json", "--stretches", "0")
    assert json.loads(line)["intervals"] == json.loads(line)["stretches"] == {}


def test_runs_without_a_common_recording_are_refused(ask):
    code, out, told = ask("runs/a", "--against", "runs/long")
    assert (code, out) == (4, "")
    assert "runs/a, runs/long: have no recording in common, by content" in told
    assert len(told.strip().splitlines()) == 1


def test_recordings_of_another_experiment_make_runs_comparable(ask, folder):
    code, table, _ = ask("runs/a", "--against", "runs/long", "--data", "pairs.toml")
    assert code == 0
    assert "long less a" in table


def test_further_metrics_are_measured_for_all_runs(ask):
    table = 'bright={ type = "esr", pre_emphasis = 0.9 }'
    code, line, _ = ask("runs/a", "--against", "runs/b", "--json", "--metric", "mape", "--metric", table)
    assert code == 0
    found = json.loads(line)
    assert {"mape", "bright"} <= set(found["runs"][0]["metrics"]) & set(found["differences"]["runs/b"])
    metrics = found["runs"][0]["metrics"]
    assert not math.isclose(metrics["bright"], metrics["error"], rel_tol=0.01)


@pytest.mark.parametrize(
    ("arguments", "code", "words"),
    [
        (["--metric", "espr"], 2, 'closest: "esr"'),
        (["--set", "nodes.amp.type=lstm"], 4, "only data, losses and metrics can be set"),
        (["--against", "runs/a"], 2, "named twice"),
        (["--against", "runs/none"], 4, "runs/none: no such run folder"),
        (["--data", "none.toml"], 2, "none.toml"),
    ],
)
def test_what_cannot_be_scored_says_so(ask, arguments, code, words):
    found, out, told = ask("runs/a", *arguments)
    assert (found, out) == (code, "")
    assert words in told


def test_recordings_that_were_moved_are_found_where_they_are_set(ask, folder):
    moved = folder / "pairs-moved"
    (folder / "pairs").rename(moved)
    try:
        code, _, told = ask("runs/a")
        assert code == 3, told
        code, table, told = ask("runs/a", "--set", f"data.root={json.dumps(str(moved))}")
        assert code == 0, told
        assert "take5" in table
    finally:
        moved.rename(folder / "pairs")


def test_an_imported_model_is_scored_on_an_experiments_recordings(ask, folder, tmp_path):
    path = next(iter(GuitarML().files(tmp_path)))
    fxkit.import_model(path, {"sample_rate": RATE}, out=folder / "runs/imported")
    code, _, told = ask("runs/imported")
    assert code == 4
    assert "--data EXPERIMENT" in told
    code, line, told = ask("runs/imported", "--data", "pairs.toml", "--json")
    assert code == 0, told
    assert set(json.loads(line)["metrics"]) == {"error", "l1", "loss"}


def test_a_report_is_written_where_asked(ask, folder, tmp_path):
    code, _, told = ask("runs/a", "--against", "runs/b", "--report", tmp_path / "page.html")
    assert code == 0
    assert f"report: {tmp_path / 'page.html'}" in told
    assert "<html" in (tmp_path / "page.html").read_text()
    assert (folder / "runs/a/report.html").is_file()


def test_a_report_that_cannot_be_written_is_a_warning(ask, tmp_path):
    (tmp_path / "file").write_text("")
    code, table, told = ask("runs/a", "--report", tmp_path / "file" / "page.html")
    assert code == 0
    assert "model" in table
    assert told.startswith("warning: ")
    assert len(told.strip().splitlines()) == 1
