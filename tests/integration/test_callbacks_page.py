"""The callback that the page on callbacks writes runs as it is shown, and keeps what a callback promises."""

from __future__ import annotations

import csv
import sys
from pathlib import Path

import pytest

from fxkit.runs.journal import read_journal

ROOT = Path(__file__).parents[2]
sys.path.insert(0, str(ROOT / "docs" / "_ext"))

from fxkit_docs.examples import examples  # noqa: E402

PAGE = ROOT / "docs" / "howto" / "callbacks.md"


@pytest.fixture
def folder(fxkit):
    """The page's plugin and experiment, as files."""
    (plugin,) = [one for one in examples(PAGE, "python") if "file=peaks.py" in one.marks]
    (experiment,) = [one for one in examples(PAGE, "toml") if "local" in one.marks]
    fxkit.write("peaks.py", plugin.text)
    fxkit.write("peaks.toml", experiment.text)
    return fxkit.folder


@pytest.mark.slow
def test_the_callback_of_the_page_publishes_and_warns(fxkit, folder):
    short = [
        "--set",
        "data.train_seconds=4.0",
        "--set",
        "data.val_seconds=1.0",
        "--set",
        "data.test_seconds=1.0",
    ]
    done = fxkit("run", "peaks.toml", "--allow-local", "--out", "out", "--device", "cpu", *short)
    assert done.returncode == 0, done.stderr
    peaks = [one for one in read_journal(folder / "out" / "metrics.jsonl") if one["kind"] == "peaks"]
    assert [one["step"] for one in peaks] == [20, 40]
    assert peaks[-1]["loudest"] == max(one["now"] for one in peaks) > 0.1
    said = [line for line in done.stderr.splitlines() if "the model peaks at" in line]
    assert said == [f"step 20  the model peaks at {peaks[0]['now']:.3f}"]
    with (folder / "out" / "log.csv").open(newline="") as stream:
        rows = [row for row in csv.DictReader(stream) if row["kind"] == "peaks"]
    assert [float(row["value"]) for row in rows if row["name"] == "now"] == [one["now"] for one in peaks]


def test_the_callback_of_the_page_keeps_the_contract(folder):
    from fxkit.testing import trials_of

    scope = {"__name__": "peaks"}
    exec((folder / "peaks.py").read_text(), scope)
    module = type(sys)("peaks")
    vars(module).update(scope)
    sys.modules["peaks"] = module
    sys.path.insert(0, str(folder))
    try:
        for trial in trials_of("callbacks", module.Peaks):
            trial()
    finally:
        del sys.modules["peaks"]
        sys.path.remove(str(folder))
