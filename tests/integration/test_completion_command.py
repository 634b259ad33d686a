"""A shell that asks how a line may go on gets experiments, runs, plugins, and paths with their values."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from fxkit.cli.evaluate import command as evaluate
from fxkit.cli.main import COMMANDS, COMPLETE_VARIABLE, main
from fxkit.experiment.shipped import shipped_experiments

PEDAL = """
fxkit = 1
extends = ["base/train.toml"]
[data]
type = "virtual-device"
[controllers.knobs]
type = "knobs-mlp"
[nodes.drive]
type = "gain"
controller = "knobs"
parameters.gain.low = -6.0
[nodes.amp]
type = "tcn"
conditioning = { type = "film" }
[losses.esr]
type = "esr"
[[phase]]
name = "first"
steps = 2
"""


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    tmp_path.joinpath("pedal.toml").write_text(PEDAL)
    tmp_path.joinpath("notes.txt").write_text("")
    tmp_path.joinpath("more").mkdir()
    tmp_path.joinpath("more", "amp.toml").write_text(PEDAL)
    for name in ("runs/first", "runs/second", "elsewhere/third"):
        tmp_path.joinpath(name).mkdir(parents=True)
        tmp_path.joinpath(name, "lock.toml").write_text("")
    tmp_path.joinpath("runs", "no-run").mkdir()
    monkeypatch.chdir(tmp_path)
    return tmp_path


class Shell:
    """Ask as a shell does, through the environment."""

    def __init__(self, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.capsys, self.monkeypatch = capsys, monkeypatch

    def ask(self, *words: str, shell: str = "bash") -> list[str]:
        self.monkeypatch.setenv("COMP_WORDS", ("\n" if shell == "bash" else " ").join(("fxkit", *words)))
        self.monkeypatch.setenv("COMP_CWORD", words[-1] if shell == "fish" else str(len(words)))
        self.monkeypatch.setenv(COMPLETE_VARIABLE, f"{shell}_complete")
        assert main([]) == 0
        return self.capsys.readouterr().out.splitlines()

    def values(self, *words: str) -> list[str]:
        return [line.partition(",")[2] for line in self.ask(*words) if line]


@pytest.fixture
def shell(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Shell:
    return Shell(capsys, monkeypatch)


def test_commands_are_offered(shell: Shell) -> None:
    assert shell.values("") == list(COMMANDS)
    assert "plugins" in shell.values("pl")


def test_commands_stay_as_they_are_for_who_calls_them(shell: Shell) -> None:
    before = [param.type for param in evaluate.params]
    assert shell.values("eval", "runs/")
    assert [param.type for param in evaluate.params] == before


def test_options_of_a_command_are_offered(shell: Shell) -> None:
    assert {"--set", "--allow-local", "--json"} <= set(shell.values("check", "--"))


@pytest.mark.parametrize("command", ["run", "check", "inspect", "bench"])
def test_experiments_that_ship_and_files_are_offered(shell: Shell, command: str) -> None:
    offered = shell.values(command, "")
    assert {*shipped_experiments(), "pedal.toml", "more/"} <= set(offered)
    assert "notes.txt" not in offered
    assert shell.values(command, "ped") == ["pedal.toml"]
    assert shell.values(command, "more/") == ["more/amp.toml"]


@pytest.mark.parametrize("words", [("eval",), ("render",), ("export",), ("run", "--resume"), ("inspect",)])
def test_runs_are_offered_from_their_folder_and_others(shell: Shell, words: tuple[str, ...]) -> None:
    offered = shell.values(*words, "")
    assert {"runs/first", "runs/second"} <= set(offered)
    assert "runs/no-run" not in offered
    assert "runs/first" in shell.values(*words, "fi")
    assert "elsewhere/third" in shell.values(*words, "elsewhere/t")


def test_plugins_are_offered_by_kind(shell: Shell) -> None:
    assert {"processors", "show", "check"} <= set(shell.values("plugins", ""))
    assert "processor" in shell.values("plugins", "show", "")
    assert shell.values("plugins", "show", "processor", "static-mlp") == ["static-mlp-nonlinearity"]
    assert shell.values("plugins", "show", "loss", "static-mlp") == []
    assert "nam" in shell.values("export", "runs/first", "--to", "")


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("no", ["nodes."]),
        ("nodes.", ["nodes.drive.", "nodes.amp."]),
        ("nodes.amp.bl", ["nodes.amp.blocks="]),
        ("nodes.amp.conditioning", ["nodes.amp.conditioning=", "nodes.amp.conditioning."]),
        ("nodes.drive.parameters.gain.h", ["nodes.drive.parameters.gain.high="]),
        ("controllers.knobs.hid", ["controllers.knobs.hidden="]),
        ("train.ba", ["train.batch_size="]),
        ("train.optimizer.weight", ["train.optimizer.weight_decay="]),
        ("phase.first.win", ["phase.first.window="]),
        ("data.pre", ["data.preload="]),
    ],
)
def test_paths_of_the_experiment_are_offered_level_by_level(
    shell: Shell, typed: str, offered: list[str]
) -> None:
    found = shell.values("check", "pedal.toml", "--set", typed)
    assert [one for one in found if one in offered] == offered
    assert all(one.startswith(typed) for one in found)


@pytest.mark.parametrize(
    ("typed", "offered"),
    [
        ("train.keep=", {"best", "last"}),
        ("train.compile=t", {"true"}),
        ("nodes.amp.type=lst", {"lstm"}),
        ("train.optimizer.type=adam", {"adam", "adamw"}),
        ("nodes.amp.preset=", {"45-s"}),
    ],
)
def test_known_values_are_offered_behind_the_sign(shell: Shell, typed: str, offered: set[str]) -> None:
    path, sign, value = typed.partition("=")
    assert offered <= set(shell.values("check", "pedal.toml", "--set", path, sign, value))
    whole = shell.ask("check", "pedal.toml", "--set", typed, shell="fish")
    assert {f"{path}={one}" for one in offered} <= {
        line.partition(",")[2].partition("\t")[0] for line in whole
    }


def test_the_command_that_shows_values_is_offered_paths_alone(shell: Shell) -> None:
    assert shell.values("config", "show", "pedal.toml", "train.ke") == ["train.keep"]
    assert "pedal.toml" in shell.values("config", "show", "")
    assert "runs/first" in shell.values("config", "diff", "pedal.toml", "")
    assert "runs/second" in shell.values("runs", "--compare", "runs/first", "")


def test_the_paths_of_a_sweep_are_offered(shell: Shell) -> None:
    assert shell.values("sweep", "pedal.toml", "--grid", "nodes.amp.blo") == ["nodes.amp.blocks="]
    assert shell.values("sweep", "pedal.toml", "--grid", "train.keep", "=", "best,l") == ["best,last"]


def test_an_experiment_that_cannot_be_read_leaves_the_kernels_tables(shell: Shell, folder: Path) -> None:
    folder.joinpath("broken.toml").write_text("fxkit = ")
    for name in ("broken.toml", "none.toml"):
        assert {"run.", "train."} <= set(shell.values("check", name, "--set", ""))


def test_zsh_is_told_what_each_is_for(shell: Shell) -> None:
    answer = shell.ask("check", "pedal.toml", "--set", "train.keep", shell="zsh")
    assert answer[:2] == ["open", "train.keep="]
    answer = shell.ask("che", shell="zsh")
    assert answer == ["plain", "check", COMMANDS["check"].summary]


@pytest.mark.parametrize("name", ["bash", "zsh", "fish"])
def test_each_shell_gets_a_script(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["completion", name]) == 0
    script = capsys.readouterr().out
    assert f"{COMPLETE_VARIABLE}={name}_complete" in script
    assert name == "fish" or "open" in script
    if shutil.which(name):
        subprocess.run([name, "-n"], input=script, text=True, check=True)


@pytest.mark.skipif(not shutil.which("bash"), reason="needs bash")
def test_bash_completes_a_line(folder: Path) -> None:
    command = Path(sys.executable).parent / "fxkit"
    lines = f"""
source <({command} completion bash)
COMP_WORDS=({command} check pedal.toml --set train.keep = b); COMP_CWORD=6
_fxkit_completion {command} 2>/dev/null
echo "${{COMPREPLY[*]}}"
COMP_WORDS=({command} eval runs/f); COMP_CWORD=2; COMPREPLY=()
_fxkit_completion {command} 2>/dev/null
echo "${{COMPREPLY[*]}}"
"""
    done = subprocess.run(["bash", "-c", lines], cwd=folder, capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["best", "runs/first"]


PROGRAM = """
import json, sys
from fxkit.cli.main import main
main([])
print(json.dumps(sorted(sys.modules)), file=sys.stderr)
"""


def test_nothing_heavy_is_imported_to_answer(folder: Path) -> None:
    words = ("fxkit", "check", "pedal.toml", "--set", "nodes.amp.b")
    asked = {"COMP_WORDS": "\n".join(words), "COMP_CWORD": "4", COMPLETE_VARIABLE: "bash_complete"}
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM],
        env={**os.environ, **asked},
        capture_output=True,
        text=True,
        check=True,
    )
    assert "open,nodes.amp.blocks=" in done.stdout
    modules = set(json.loads(done.stderr))
    assert not {"torch", "numpy", "scipy", "rich", "fxkit.cli.run"} & modules
