"""Callbacks that raise in each hook, under each `on_error`: what the run does, says and leaves behind."""

from __future__ import annotations

import json
import math

import pytest

from fxkit.cli.main import main
from fxkit.files import strict_json
from fxkit.hooks import hook_names
from fxkit.runs import checkpoint
from fxkit.runs.folder import RunFolder
from fxkit.runs.journal import read_journal

PLUGINS = """
import os

import attrs

import fxkit
from fxkit import opt
from fxkit.hooks import hook_arguments, hook_names


@attrs.frozen(kw_only=True)
class Fails:
    "Fail in one hook, from a step on, for as long as the environment says so."

    hook: str = opt(help="name of the hook")
    first: int = opt(0, help="first step that fails")

    def build(self, ctx):
        def method(callback, run, step):
            if step >= self.first and os.environ.get("FAIL", "1") == "1":
                raise ValueError("no luck")

        def stepless(callback, run):
            method(callback, run, run.step)

        chosen = method if "step" in hook_arguments(self.hook) else stepless
        return type("Failing", (), {self.hook: fxkit.hookimpl(chosen)})()


@attrs.frozen(kw_only=True)
class Notes:
    "Note each call in a file of the run folder."

    name: str = opt(help="what it calls itself")

    def build(self, ctx):
        def noting(hook):
            def method(callback, run):
                with (run.folder.path / "calls.txt").open("a") as stream:
                    stream.write(f"{hook} {run.step} {self.name}" + chr(10))

            return fxkit.hookimpl(method)

        return type("Noting", (), {hook: noting(hook) for hook in hook_names()})()


@attrs.frozen(kw_only=True)
class Publishes:
    "Publish a figure at each step."

    def build(self, ctx):
        class Publishing:
            @fxkit.hookimpl
            def fx_step_end(self, run, step):
                run.publish("squares", step, {"square": float(step * step)})

        return Publishing()
"""

HEAD = """
[plugins.local]
"callbacks:fails" = "plugins.py:Fails"
"callbacks:notes" = "plugins.py:Notes"
"callbacks:publishes" = "plugins.py:Publishes"

[callbacks.publish]
type = "publishes"

[callbacks.checkpoint]
type = "checkpoint"
every = 2

[callbacks.one]
type = "notes"
name = "one"
"""
TAIL = """
[callbacks.two]
type = "notes"
name = "two"

[callbacks.log]
type = "csv"
every = 1
"""
AT_THE_END = ("fx_exception", "fx_close")
CALLED = [name for name in hook_names() if name != "fx_exception"]


def failing(hook, policy, first=3):
    return f"""
[callbacks.bad_{hook}]
type = "fails"
hook = "{hook}"
first = {first}
on_error = "{policy}"
"""


@pytest.fixture
def run(tmp_path, monkeypatch, small, capsys):
    """Run the command on an experiment with these failing callbacks; return code, stderr and the folder."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "plugins.py").write_text(PLUGINS)

    def go(*bad, resume=False, extra="", flags=()):
        text = small.replace("steps = 12", "steps = 6").replace("validate_every = 5", "validate_every = 3")
        (tmp_path / "bad.toml").write_text(text + extra + HEAD + "".join(bad) + TAIL)
        arguments = ["--resume", "out"] if resume else ["bad.toml", "--out", "out"]
        code = main(["run", *arguments, "--allow-local", *flags])
        return code, capsys.readouterr().err.splitlines(), RunFolder(tmp_path / "out")

    return go


@pytest.fixture(scope="module")
def expected():
    return {}


@pytest.fixture
def scores(expected, tmp_path_factory, monkeypatch, small):
    """The test's scores of the run in which nothing fails, made once."""
    if not expected:
        folder = tmp_path_factory.mktemp("good")
        text = small.replace("steps = 12", "steps = 6").replace("validate_every = 5", "validate_every = 3")
        (folder / "good.toml").write_text(text)
        assert main(["run", str(folder / "good.toml"), "--out", str(folder / "out"), "--quiet"]) == 0
        expected.update(test_scores(RunFolder(folder / "out")))
    return expected


def test_scores(folder):
    return json.loads(folder.results.read_text())["test"]


test_scores.__test__ = False


def assert_whole(folder):
    """No file is half written."""
    assert not list(folder.path.rglob("*.part"))
    for path in folder.path.rglob("*.jsonl"):
        for line in path.read_text().splitlines():
            strict_json(json.loads(line))
    for path in folder.path.rglob("*.pt"):
        assert checkpoint.load(path)["step"] > 0
    if (folder.path / "log.csv").exists():
        lines = (folder.path / "log.csv").read_text().splitlines()
        assert all(line.count(",") == 3 for line in lines)


def calls(folder):
    return [line.split() for line in (folder.path / "calls.txt").read_text().splitlines()]


@pytest.mark.parametrize("policy", ["warn", "disable"])
def test_a_run_goes_on_though_a_callback_fails_in_every_hook(run, scores, policy):
    code, err, folder = run(*(failing(hook, policy) for hook in CALLED))
    assert code == 0
    assert test_scores(folder) == scores
    assert_whole(folder)
    steps = {
        "fx_run_start": None,
        "fx_validate_end": 3,
        "fx_validation_weights": 3,
        "fx_run_end": 6,
        "fx_close": 6,
    }
    end = {"warn": "further such errors are counted", "disable": "it is disabled for the rest of the run"}[
        policy
    ]
    for hook in CALLED:
        step = steps.get(hook, 3)
        first = [line for line in err if line.startswith(f"callbacks.bad_{hook}: {hook} at step")]
        told = (
            []
            if step is None
            else [f"callbacks.bad_{hook}: {hook} at step {step}: ValueError: no luck; {end}"]
        )
        assert first == told
    again = [line for line in err if "failed" in line]
    text = "fx_step_end failed 4 times, first at step 3, last at step 6: ValueError: no luck"
    assert (f"callbacks.bad_fx_step_end: {text}" in again) == (policy == "warn")
    assert bool(again) == (policy == "warn")
    assert "Traceback" not in "\n".join(err)
    # The journal is closed behind the last hook, and has the counts.
    record = next(one for one in read_journal(folder.journal) if one["kind"] == "callback-errors")
    assert record["bad_fx_gradients"]["fx_gradients"]["count"] == {"warn": 4, "disable": 1}[policy]


@pytest.mark.parametrize("hook", CALLED)
def test_a_run_ends_where_a_callback_that_must_not_fail_does(run, hook):
    code, err, folder = run(failing(hook, "raise", first=0 if hook == "fx_run_start" else 3))
    assert code == 4
    steps = {"fx_run_start": 0, "fx_run_end": 6, "fx_close": 6}
    line = f"callbacks.bad_{hook}: {hook} at step {steps.get(hook, 3)}: ValueError: no luck"
    assert err[-1] == line
    assert err.count(line) == 1
    assert "Traceback" not in "\n".join(err)
    assert_whole(folder)
    noted = calls(folder)
    if hook not in AT_THE_END:
        assert ["fx_exception", noted[-1][1], "two"] in noted
    assert [name for name, _, who in noted if who == "two"][-1] == "fx_close"
    assert folder.results.exists() == (hook == "fx_close")


@pytest.mark.parametrize("hook", ["fx_gradients", "fx_figures", "fx_validate_end", "fx_run_end"])
def test_a_run_that_such_an_error_ended_can_be_resumed(run, scores, monkeypatch, hook):
    assert run(failing(hook, "raise"))[0] == 4
    monkeypatch.setenv("FAIL", "0")
    code, _, folder = run(failing(hook, "raise"), resume=True)
    assert code == 0
    assert test_scores(folder) == scores


def test_what_ends_a_run_is_not_hidden_by_errors_of_callbacks_that_hear_of_it(run):
    extra = "\n[callbacks.worse]\ntype = 'fails'\nhook = 'fx_gradients'\nfirst = 2\n"
    bad = [failing("fx_exception", "raise", 0), failing("fx_close", "raise", 0)]
    code, err, folder = run(extra, *bad)
    assert code == 4
    assert err[-1] == "callbacks.worse: fx_gradients at step 2: ValueError: no luck"
    assert err[-3:-1] == [
        "callbacks.bad_fx_exception: fx_exception at step 1: ValueError: no luck",
        "callbacks.bad_fx_close: fx_close at step 1: ValueError: no luck",
    ]
    assert [one[2] for one in calls(folder)[-4:]] == ["one", "two"] * 2


def test_a_call_goes_to_callbacks_in_the_order_of_the_file(run):
    _, _, folder = run()
    noted = calls(folder)
    assert {name for name, _, _ in noted} == set(CALLED)
    for first, second in zip(noted[::2], noted[1::2], strict=True):
        assert (first[:2], first[2], second[2]) == (second[:2], "one", "two")


def test_a_trace_tells_who_took_how_long_in_the_order_of_the_file(run):
    code, err, folder = run(flags=["--trace-hooks"])
    assert code == 0
    head = next(index for index, line in enumerate(err) if line.startswith("callbacks took"))
    rows = [
        line.split() for line in err[head + 2 :] if len(line.split()) > 2 and line.split()[1] in hook_names()
    ]
    assert list(dict.fromkeys(row[0] for row in rows)) == ["publish", "checkpoint", "one", "two", "log"]
    hooks = [row[1] for row in rows if row[0] == "one"]
    assert hooks == [name for name in hook_names() if name in hooks]
    assert ["publish", "fx_step_end", "6"] in [row[:3] for row in rows]
    record = next(one for one in read_journal(folder.journal) if one["kind"] == "hooks")
    shares = sum(row["seconds"] for row in record["hooks"]) / record["wall"]
    assert 0 < shares < 1
    told = sum(float(row[-1].rstrip("%")) for row in rows) / 100
    assert math.isclose(told, shares, abs_tol=0.0001 * len(rows))


def test_without_a_trace_nothing_is_told(run):
    _, err, folder = run()
    assert not [line for line in err if "callbacks took" in line]
    assert not [one for one in read_journal(folder.journal) if one["kind"] == "hooks"]


def test_a_dry_run_has_nothing_to_trace(run):
    (error,) = (line for line in run(flags=["--dry-run", "--trace-hooks"])[1] if line.startswith("Error"))
    assert error == "Error: --dry-run calls no callback, so there is nothing to trace; leave one out"
