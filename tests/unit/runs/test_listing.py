"""Run folders are listed as what they are, damaged ones too."""

from __future__ import annotations

import json
import os
import socket
from pathlib import Path

import pytest

from fxkit.cli.main import main
from fxkit.runs.folder import RunFolder
from fxkit.runs.listing import find_runs, read_run
from fxkit.runs.presence import announce, presence, withdraw
from fxkit.runs.query import QueryError, ordered, read_condition, refuse_unknown, value_of

RESOLVED = """fxkit = 1

[run]
seed = 0
name = "{name}"

[train]
steps = {steps}

[nodes.amp]
type = "lstm"
hidden = {hidden}
"""


def make(path: Path, *, name: str = "amp", hidden: int = 16, esr: float | None = 0.1, **facts) -> Path:
    path.mkdir(parents=True)
    (path / "checkpoints").mkdir()
    (path / "resolved.toml").write_text(RESOLVED.format(name=name, steps=100, hidden=hidden))
    (path / "lock.toml").write_text("started = 1\n")
    lines = [
        {"kind": "train", "step": 50, "total": 1.0},
        {"kind": "val", "step": 50, "loss": 0.5, "esr": 0.4},
    ]
    lines += [{"kind": "val", "step": 100, "loss": 0.6, "esr": 0.5}]
    (path / "metrics.jsonl").write_text("".join(f"{json.dumps(line)}\n" for line in lines))
    if esr is not None:
        results = {
            "test": {"esr": esr},
            "best": 50,
            "stopped": None,
            "seconds": 90.0,
            "steps": 100,
            "weights": 7,
        }
        (path / "results.json").write_text(json.dumps({**results, "higher_is_better": ["f1"], **facts}))
    return path


def test_a_finished_run_has_its_figures(tmp_path: Path) -> None:
    row = read_run(make(tmp_path / "a"))
    assert (row.name, row.state, row.steps, row.minutes, row.weights) == ("amp", "finished", 100, 1.5, 7)
    assert row.test == {"esr": 0.1}
    # Those of the weights that it has kept.
    assert row.val == {"loss": 0.5, "esr": 0.4}


def test_unfinished_runs_say_why(tmp_path: Path) -> None:
    saved = make(tmp_path / "saved", esr=None)
    (saved / "checkpoints" / "last.pt").touch()
    ended = make(tmp_path / "ended", esr=None)
    with (ended / "metrics.jsonl").open("a") as stream:
        stream.write('{"kind": "end", "step": 100, "reason": "failed", "error": "esr is not finite"}\n')
    going = make(tmp_path / "going", esr=None)
    announce(RunFolder(going))
    dead = make(tmp_path / "dead", esr=None)
    (dead / "running.json").write_text(json.dumps({"host": socket.gethostname(), "pid": 2**22 + 1}))
    states = {path.name: read_run(path) for path in (saved, ended, going, dead)}
    assert {name: row.state for name, row in states.items()} == {
        "saved": "interrupted",
        "ended": "failed",
        "going": "running",
        "dead": "killed",
    }
    assert states["ended"].reason == "esr is not finite"
    assert states["saved"].steps == 100


def test_the_note_lasts_as_long_as_the_work(tmp_path: Path) -> None:
    folder = RunFolder(tmp_path)
    assert presence(folder) == ""
    announce(folder)
    assert json.loads(folder.running.read_text())["pid"] == os.getpid()
    assert presence(folder) == "running"
    withdraw(folder)
    withdraw(folder)
    assert presence(folder) == ""


@pytest.mark.parametrize(
    ("name", "content", "reason"),
    [
        ("results.json", "{", "results.json: "),
        ("results.json", "[]", "results.json: holds no table"),
        ("results.json", "{}", "results.json: KeyError 'stopped'"),
        ("resolved.toml", "[run\n", "resolved.toml: "),
        ("resolved.toml", "fxkit = 1\n", "resolved.toml: 'run'"),
        ("resolved.toml", None, "resolved.toml is missing"),
        ("trial.json", "no", "trial.json: "),
    ],
)
def test_damaged_folders_are_listed_with_the_reason(
    tmp_path: Path, name: str, content: str, reason: str
) -> None:
    make(tmp_path / "well")
    damaged = make(tmp_path / "damaged")
    (damaged / name).unlink(missing_ok=True)
    if content is not None:
        (damaged / name).write_text(content)
    rows = {path.name: read_run(path) for path in find_runs(tmp_path)}
    assert rows["well"].state == "finished"
    assert rows["damaged"].state == "damaged"
    assert rows["damaged"].reason.startswith(reason)


def test_runs_are_found_at_any_depth_and_nothing_else_is(tmp_path: Path) -> None:
    for place in ("one", "sweep/trial-0000", "deep/er/two"):
        make(tmp_path / place)
    (tmp_path / "other").mkdir()
    (tmp_path / "sweep" / "best.toml").touch()
    found = [path.relative_to(tmp_path).as_posix() for path in find_runs(tmp_path)]
    assert found == ["deep/er/two", "one", "sweep/trial-0000"]
    assert list(find_runs(tmp_path / "one")) == [tmp_path / "one"]


def test_conditions_choose(tmp_path: Path) -> None:
    rows = [
        read_run(make(tmp_path / "a", esr=0.1, hidden=16)),
        read_run(make(tmp_path / "b", esr=0.02, hidden=32, name="bass")),
        read_run(make(tmp_path / "c", esr=None)),
    ]

    def names(text: str) -> str:
        return "".join(row.path.name for row in rows if read_condition(text).holds(row))

    assert names("metrics.esr<0.05") == "b"
    assert names("esr >= 0.1") == "ac"
    assert names("name=am*") == "ac"
    assert names("name!=am*") == "b"
    assert names("nodes.amp.hidden==32") == "b"
    assert names("state=finished") == "ab"
    assert names("val.esr>0.45") == "c"
    assert names("test.esr!=0.1") == "bc"
    with pytest.raises(QueryError, match="expected a condition"):
        read_condition("esr")
    with pytest.raises(QueryError, match=r'hiden: no run has it; did you mean "nodes\.amp\.hidden"'):
        refuse_unknown(["nodes.amp.hiden"], rows)


def test_the_best_stand_first(tmp_path: Path) -> None:
    rows = [
        read_run(
            make(tmp_path / name, esr=esr, test={"esr": esr, "f1": esr})
            if esr
            else make(tmp_path / name, esr=None)
        )
        for name, esr in (("a", 0.3), ("b", None), ("c", 0.1))
    ]
    assert [row.path.name for row in ordered(rows, "test.esr", False)] == ["c", "a", "b"]
    assert [row.path.name for row in ordered(rows, "f1", False)] == ["a", "c", "b"]
    assert [row.path.name for row in ordered(rows, "test.esr", True)] == ["a", "c", "b"]
    assert value_of(rows[0], "train.steps") == 100


def test_two_runs_are_compared_in_settings_and_figures(tmp_path: Path, capsys) -> None:
    first, second = make(tmp_path / "a", hidden=16, esr=0.1), make(tmp_path / "b", hidden=32, esr=0.05)
    assert main(["runs", "--compare", str(first), str(second), "--json"]) == 0
    told = json.loads(capsys.readouterr().out)
    assert told["settings"] == {"nodes.amp.hidden": [16, 32]}
    assert told["figures"]["test.esr"] == [0.1, 0.05]
    assert main(["runs", "--compare", str(first), str(second)]) == 0
    assert "nodes.amp.hidden" in capsys.readouterr().out


def test_the_table_shows_damaged_runs_beside_the_others(tmp_path: Path, capsys) -> None:
    make(tmp_path / "a")
    (make(tmp_path / "b") / "results.json").write_text("{")
    assert main(["runs", str(tmp_path), "--sort", "esr"]) == 0
    shown = capsys.readouterr().out
    assert "damaged: results.json" in shown
    assert "1 finished, 1 damaged" in shown
    assert main(["runs", str(tmp_path / "none")]) == 4
