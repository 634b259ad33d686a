"""`fxkit check` finds every mistake of an experiment file, quickly and without torch."""

from __future__ import annotations

import json
import pathlib
import subprocess
import sys

import pytest
import tomli

from fxkit.experiment.shipped import shipped_bases, shipped_experiments

GOOD = """\
fxkit = 1
[data]
type = "virtual-device"
[nodes.tone]
type = "parametric-eq"
peaks = 2
controller = { type = "static" }
[nodes.amp]
type = "lstm"
hidden = 8
[model]
chain = ["tone", "amp"]
[losses.wave]
type = "esr"
[train]
optimizer = { type = "adamw" }
"""
# The interpreter reports at its exit whether the command loaded torch.
PROGRAM = """\
import sys
from fxkit.cli.main import main
code = main(["check", *sys.argv[1:]])
sys.exit(99 if "torch" in sys.modules else code)
"""


@pytest.fixture
def folder(tmp_path: pathlib.Path) -> pathlib.Path:
    (tmp_path / "good.toml").write_text(GOOD)
    return tmp_path


def check(folder: pathlib.Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run the command in a folder, and see that it writes nothing there."""
    before = sorted(folder.rglob("*"))
    command = [sys.executable, "-c", PROGRAM, *arguments]
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    assert done.returncode != 99, "torch was loaded"
    assert sorted(folder.rglob("*")) == before
    return done


def test_an_experiment_without_mistakes_is_summed_up(folder: pathlib.Path) -> None:
    done = check(folder, "good.toml")
    assert (done.returncode, done.stderr) == (0, "")
    first, second = done.stdout.splitlines()
    assert first == "good.toml: ok  2 nodes, 1 controller, 1 loss"
    assert second.startswith("fxkit ")
    assert second.endswith(": virtual-device, parametric-eq, lstm, esr, static, adamw")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            ("hidden = 8", "hiden = 8"),
            'bad.toml:10:1  nodes.amp.hiden: unknown option of processor "lstm"; did you mean "hidden"?',
        ),
        (
            ("hidden = 8", 'hidden = "8"'),
            'bad.toml:10:10  nodes.amp.hidden: expected int, got text "8"; remove the quotes',
        ),
        (('"lstm"', '"lstn"'), 'bad.toml:9:8  nodes.amp.type: no processor "lstn"; closest: "lstm" (fxkit '),
        (('"lstm"', '"esr"'), 'bad.toml:9:8  nodes.amp.type: no processor "esr"; "esr" is one of the losses'),
        (
            ('controller = { type = "static" }', ""),
            'bad.toml:4:2  [nodes.tone]: "parametric-eq" needs a controller for its parameters (',
        ),
        (
            ('["tone", "amp"]', '["tone", "anp"]'),
            'bad.toml:12:18  model.chain[1]: no node "anp"; did you mean "amp"?',
        ),
    ],
)
def test_mistakes_with_real_plugins_are_told(
    folder: pathlib.Path, change: tuple[str, str], message: str
) -> None:
    (folder / "bad.toml").write_text(GOOD.replace(*change))
    done = check(folder, "bad.toml")
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.startswith(message)
    assert len(done.stderr.splitlines()) == 1


def test_all_mistakes_come_at_once(folder: pathlib.Path) -> None:
    (folder / "bad.toml").write_text(GOOD.replace("hidden = 8", "hidden = 0").replace('"esr"', '"esrr"'))
    done = check(folder, "bad.toml", "--set", "run.seed=-1", "--set", "train.stesp=3")
    assert done.returncode == 2
    assert [line.split("  ")[0] for line in done.stderr.splitlines()] == [
        "--set #1",
        "--set #2",
        "bad.toml:10:10",
        "bad.toml:14:8",
    ]


def test_json_says_the_same_on_stdout(folder: pathlib.Path) -> None:
    done = check(folder, "good.toml", "--json")
    good = json.loads(done.stdout)
    assert (done.returncode, good["ok"], good["problems"]) == (0, True, [])
    assert {part["path"]: part["plugin"] for part in good["plugins"]}["nodes.amp"] == "fxkit/lstm"

    done = check(folder, "good.toml", "--json", "--set", "nodes.amp.hidden=0")
    bad = json.loads(done.stdout)
    assert (done.returncode, bad["ok"], done.stderr) == (2, False, "")
    assert bad["problems"] == [
        {
            "file": "--set #1",
            "line": 0,
            "column": 0,
            "path": "nodes.amp.hidden",
            "message": "0 is below the minimum 1",
            "via": "",
        }
    ]


def test_a_missing_file_is_told_with_what_ships(folder: pathlib.Path) -> None:
    done = check(folder, "quickstrat")
    assert done.returncode == 2
    assert done.stderr.endswith('; did you mean "quickstart"?\n')


@pytest.mark.parametrize("name", sorted(shipped_experiments()))
def test_every_shipped_experiment_is_right(folder: pathlib.Path, name: str) -> None:
    done = check(folder, name)
    # The folder of recordings is the user's.
    warnings = [line for line in done.stderr.splitlines() if "  data.root: no folder " not in line]
    assert (done.returncode, warnings) == (0, [])


@pytest.mark.parametrize("base", sorted(base for base in shipped_bases() if base.count("/") == 1))
def test_every_shipped_base_can_be_extended(folder: pathlib.Path, base: str) -> None:
    (folder / "mine.toml").write_text(GOOD.replace("fxkit = 1", f'fxkit = 1\nextends = ["{base}"]'))
    done = check(folder, "mine.toml")
    assert (done.returncode, done.stderr) == (0, "")


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
@pytest.mark.parametrize("path", [*shipped_experiments().values(), *shipped_bases().values()], ids=str)
def test_every_shipped_file_is_toml_1_0(path: pathlib.Path) -> None:
    import tomllib

    text = path.read_text(encoding="utf-8")
    assert tomllib.loads(text) == tomli.loads(text)


def test_help_shows_examples(folder: pathlib.Path) -> None:
    done = check(folder, "--help")
    assert done.returncode == 0
    assert "fxkit check quickstart" in done.stdout
