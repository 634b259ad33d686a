"""`fxkit config` shows, compares and fills in experiment files, without torch."""

from __future__ import annotations

import json
import os
import pathlib
import subprocess
import sys

import pytest
import tomli

from fxkit.experiment.shipped import shipped_folder

GOOD = """\
fxkit = 1   # the format
[data]
type = "virtual-device"
[nodes.amp]
type = "lstm"
hidden = 8 # small
[model]
chain = ["amp"]
[losses.wave]
type = "esr"
[train]
optimizer = { type = "adamw" }
"""
# The interpreter reports at its exit whether the command loaded torch.
PROGRAM = """\
import sys
from fxkit.cli.main import main
code = main(["config", *sys.argv[1:]])
sys.exit(99 if "torch" in sys.modules else code)
"""


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "good.toml").write_text(GOOD)
    (tmp_path / "other.toml").write_text(GOOD.replace("hidden = 8", "hidden = 9"))
    return tmp_path


def config(folder: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=folder,
        env={**os.environ, "COLUMNS": ""},
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def test_show_writes_every_value_of_a_path(folder: pathlib.Path) -> None:
    done = config(folder, "show", "good.toml", "nodes.amp.hidden", "train.optimizer", "--set", "run.seed=2")
    assert (done.returncode, done.stderr) == (0, "")
    lines = done.stdout.splitlines()
    assert lines[0] == 'train.optimizer.type = "adamw"'
    assert lines[-1] == "nodes.amp.hidden = 8"
    assert tomli.loads(done.stdout)["train"]["optimizer"]["type"] == "adamw"


def test_show_says_where_values_come_from(folder: pathlib.Path) -> None:
    done = config(folder, "show", "good.toml", "run", "nodes.amp", "--origins", "--set", "run.seed=2")
    table = [line.split() for line in done.stdout.splitlines()]
    assert (done.returncode, done.stderr) == (0, "")
    assert table[0] == ["PATH", "VALUE", "FROM"]
    assert ["nodes.amp.hidden", "8", "good.toml:6"] in table
    assert ["run.seed", "2", "--set", "#1"] in table
    assert ["run.hop", "64", "default"] in table
    assert ["nodes.amp.layers", "1", "default", "of", "fxkit/lstm"] in table


def test_show_writes_json(folder: pathlib.Path) -> None:
    done = config(folder, "show", "good.toml", "nodes.amp.hidden", "--set", "nodes.amp.hidden=4", "--json")
    assert json.loads(done.stdout) == {
        "fxkit": 1,
        "file": "good.toml",
        "values": [{"path": "nodes.amp.hidden", "value": 4, "default": False, "from": "--set #1"}],
    }


def test_show_names_the_nearest_path(folder: pathlib.Path) -> None:
    done = config(folder, "show", "good.toml", "nodes.amp.hiden")
    assert done.returncode == 2
    assert done.stderr == 'good.toml  nodes.amp.hiden: there is nothing; did you mean "nodes.amp.hidden"?\n'


def test_diff_tells_by_its_exit_code_whether_there_is_a_difference(folder: pathlib.Path) -> None:
    same = config(folder, "diff", "good.toml", "good.toml")
    assert (same.returncode, same.stdout, same.stderr) == (0, "", "")
    done = config(folder, "diff", "good.toml", "other.toml")
    assert (done.returncode, done.stderr) == (1, "")
    assert done.stdout == "~ nodes.amp.hidden: 8 -> 9  (good.toml:6 -> other.toml:6)\n"
    assert config(folder, "diff", "good.toml", "none.toml").returncode == 2


def test_diff_reads_run_folders(folder: pathlib.Path) -> None:
    from fxkit.experiment.reader import read_experiment
    from fxkit.experiment.resolved import dump_toml

    run = folder / "runs" / "first"
    run.mkdir(parents=True)
    (run / "resolved.toml").write_text(dump_toml(read_experiment(folder / "good.toml").resolved))
    assert config(folder, "diff", "good.toml", "runs/first").returncode == 0
    done = config(folder, "diff", "runs/first", "other.toml", "--json")
    assert done.returncode == 1
    (change,) = json.loads(done.stdout)["changes"]
    assert (change["path"], change["kind"], change["old"], change["new"]) == (
        "nodes.amp.hidden",
        "changed",
        8,
        9,
    )
    assert change["old_from"].startswith("runs/first/resolved.toml:")
    empty = config(folder, "diff", "runs", "other.toml")
    assert empty.returncode == 4
    assert empty.stderr == "runs: not a run folder (it has no resolved.toml)\n"


def test_diff_is_coloured_on_a_terminal_only(
    folder: pathlib.Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    from fxkit.cli.main import main

    monkeypatch.chdir(folder)
    monkeypatch.delenv("NO_COLOR", raising=False)
    monkeypatch.setenv("TERM", "xterm")
    main(["config", "diff", "good.toml", "other.toml"])
    assert "\x1b[" not in capsys.readouterr().out
    monkeypatch.setattr("fxkit.cli.output.styled", lambda: True)
    main(["config", "diff", "good.toml", "other.toml"])
    assert "\x1b[31m8\x1b[0m -> \x1b[32m9\x1b[0m" in capsys.readouterr().out


def test_fill_writes_to_stdout_and_leaves_the_file(folder: pathlib.Path) -> None:
    done = config(folder, "fill", "good.toml")
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "good.toml").read_text() == GOOD
    assert "fxkit = 1   # the format\n" in done.stdout
    assert "hidden = 8 # small\n" in done.stdout
    (folder / "filled.toml").write_text(done.stdout)
    assert config(folder, "diff", "good.toml", "filled.toml").returncode == 0


def test_fill_in_place_replaces_the_file_behind_a_link(folder: pathlib.Path) -> None:
    (folder / "link.toml").symlink_to(folder / "good.toml")
    done = config(folder, "fill", "link.toml", "--in-place", "--comments", "none")
    assert (done.returncode, done.stderr) == (0, "")
    assert (folder / "link.toml").is_symlink()
    assert "layers = 1\n" in (folder / "good.toml").read_text()
    assert sorted(path.name for path in folder.iterdir()) == ["good.toml", "link.toml", "other.toml"]


def test_fill_flat_writes_a_shipped_experiment_as_one_file(folder: pathlib.Path) -> None:
    done = config(folder, "fill", "amp-tcn", "--flat", "--out", "sub/whole.toml")
    assert (done.returncode, done.stdout) == (0, "sub/whole.toml\n")
    assert "extends" not in tomli.loads((folder / "sub" / "whole.toml").read_text())
    assert config(folder, "diff", "amp-tcn", "sub/whole.toml").stdout == ""


def test_fill_overwrites_nothing_that_it_was_not_told_to(folder: pathlib.Path) -> None:
    done = config(folder, "fill", "good.toml", "--out", "other.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert "other.toml exists already; choose another --out, or fill it --in-place" in done.stderr
    done = config(folder, "fill", "quickstart", "--in-place")
    assert done.returncode == 2
    assert "ships with fxkit and stays as it is; use --out FILE" in done.stderr
    assert (shipped_folder() / "quickstart.toml").is_file()
    (folder / "run").mkdir()
    (folder / "run" / "resolved.toml").write_text(GOOD)
    (folder / "run" / "lock.toml").touch()
    done = config(folder, "fill", "run", "--in-place")
    assert done.returncode == 2
    assert "is the record of a run and stays as it is; use --out FILE" in done.stderr
    assert (folder / "run" / "resolved.toml").read_text() == GOOD
    done = config(folder, "fill", "good.toml", "--out", "other.toml/x.toml")
    assert (done.returncode, done.stdout) == (1, "")
    assert "other.toml/x.toml: cannot be written (" in done.stderr
    done = config(folder, "fill", "good.toml", "--in-place", "--out", "x.toml")
    assert done.returncode == 2
    assert "--out and --in-place cannot both be" in done.stderr


def test_a_wrong_file_is_told_like_everywhere(folder: pathlib.Path) -> None:
    (folder / "bad.toml").write_text(GOOD.replace("hidden = 8", "hiden = 8"))
    for words in (("fill", "bad.toml"), ("show", "bad.toml"), ("diff", "good.toml", "bad.toml")):
        done = config(folder, *words)
        assert (done.returncode, done.stdout) == (2, "")
        assert (
            'bad.toml:6:1  nodes.amp.hiden: unknown option of processor "lstm"; did you mean' in done.stderr
        )
