"""Warnings: what runs and is probably not meant is told, and lets a file pass unless --strict is given."""

from __future__ import annotations

import json
import pathlib
from typing import Any

import pytest

from fxkit.catalog import Catalog
from fxkit.cli.main import main
from fxkit.errors import ExperimentError
from fxkit.experiment.reader import read_experiment
from fxkit.experiment.shipped import shipped_experiments
from fxkit.experiment.unmet import absent, require

FILE = """\
fxkit = 1
[data]
type = "virtual-device"
[nodes.amp]
type = "tcn"
[model]
chain = ["amp"]
[losses.esr]
type = "esr"
[train]
steps = 100
validate_every = 500
optimizer = { type = "adamw" }
"""
MESSAGE = "this training has 100 steps, so that it is validated at its end alone; 10 would do it ten times"
PLACE = "pedal.toml:12:18  train.validate_every"


@pytest.fixture
def check(
    write: Any, catalog: Catalog, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> Any:
    """Return a function that checks FILE with options; it gives exit code, stdout and stderr."""
    write(pedal=FILE)
    monkeypatch.setattr(Catalog, "installed", lambda **_: catalog)

    def check(*options: str) -> tuple[int, str, str]:
        code = main(["check", "pedal.toml", *options])
        return code, *capsys.readouterr()

    return check


def test_a_warning_is_told_with_its_place_and_lets_the_file_pass(check: Any) -> None:
    code, out, err = check()
    assert (code, err) == (0, f"warning: {PLACE}: {MESSAGE}\n")
    assert out.startswith("pedal.toml: ok  ")


def test_strict_takes_warnings_for_errors(check: Any) -> None:
    assert check("--strict") == (2, "", f"{PLACE}: {MESSAGE}\n")
    assert check("--strict", "--set", "train.validate_every=50")[0] == 0


def test_json_holds_warnings_beside_problems(check: Any) -> None:
    code, out, _ = check("--json")
    told = json.loads(out)
    assert (code, told["ok"], told["problems"]) == (0, True, [])
    (warning,) = told["warnings"]
    assert (warning["line"], warning["column"], warning["path"]) == (12, 18, "train.validate_every")
    code, out, _ = check("--json", "--strict")
    told = json.loads(out)
    assert (code, told["ok"], told["warnings"]) == (2, False, [])
    assert [one["message"] for one in told["problems"]] == [MESSAGE]
    code, out, _ = check("--json", "--set", "nodes.amp.type=tcm")
    told = json.loads(out)
    assert (code, len(told["problems"]), len(told["warnings"])) == (2, 1, 1)


def test_an_experiment_holds_its_warnings(write: Any, read: Any) -> None:
    write(pedal=FILE)
    assert [str(one) for one in read("pedal.toml").warnings] == [f"{PLACE}: {MESSAGE}"]
    assert read("pedal.toml", "train.steps=500").warnings == ()


@pytest.mark.parametrize("name", sorted(shipped_experiments()))
def test_no_shipped_experiment_has_a_warning(name: str) -> None:
    assert read_experiment(name).warnings == ()


def test_a_folder_that_is_not_there_keeps_an_experiment_from_running_but_not_from_being_read(
    tmp_path: pathlib.Path,
) -> None:
    (tmp_path / "recordings").mkdir()
    wrong = read_experiment("amp-lstm", overrides=[f"data.root={tmp_path / 'recording'}"])
    (problem,) = absent(wrong)
    assert str(problem) == f'--set #1  data.root: no folder {tmp_path}/recording; did you mean "recordings"?'
    with pytest.raises(ExperimentError, match="did you mean"):
        require(wrong)
    require(read_experiment("amp-lstm", overrides=[f"data.root={tmp_path / 'recordings'}"]))
