"""Whatever a file holds, the reader gives an experiment or names what is wrong; it never breaks."""

from __future__ import annotations

import copy
import pathlib
from collections.abc import Sequence
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fxkit.catalog import Catalog
from fxkit.errors import ExperimentError, Problem
from fxkit.experiment.reader import read_document, read_experiment

SETTINGS = settings(
    max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
BROKEN = pathlib.Path(__file__).parent / "broken"
TEXT = (BROKEN / "68-everything-at-once.toml").read_text(encoding="utf-8")
DOCUMENT: dict[str, Any] = {
    "fxkit": 1,
    "run": {"seed": 3},
    "plugins": {"disable": ["nothing"], "require": ["attrs"], "local": {"losses:x": "x.py:X"}},
    "data": {"type": "paired-audio", "root": "x", "split": [0.5, 0.25, 0.25]},
    "features": {"f0": {"type": "f0"}},
    "controllers": {"tone": {"type": "static"}},
    "nodes": {
        "eq": {"type": "parametric-eq", "bands": 3, "controller": "tone"},
        "comp": {"type": "compressor", "inputs": {"sidechain": "input"}},
        "wrap": {"type": "wrapped", "inner": {"type": "tcn"}, "levels": {"a": -1.0}},
    },
    "model": {"chain": ["eq", ["comp", ["wrap"]]]},
    "losses": {"esr": {"type": "esr", "weight": 2.0}},
    "metrics": {"stft": {"type": "multi-resolution-stft"}},
    "callbacks": {
        "listen": {"type": "audio-samples", "on_error": "warn"},
        "stop": {"type": "stop", "metric": "esr"},
        "hear": {"type": "listen", "every": 500, "at": [500], "improves": "stft", "phases": ["main"]},
        "watch": {"type": "watch", "nodes": ["eq"], "owner": "tone"},
        "table": {"type": "table", "file": "a.csv"},
    },
    "phase": [
        {"name": "main", "steps": 100, "train": ["eq"]},
        {"steps": 10, "segment": 4096, "alternate": [{"steps": 10}, {"train": ["wrap"]}]},
    ],
    "train": {"optimizer": {"type": "adamw"}, "best": "esr"},
}
anything = st.recursive(
    st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | st.sampled_from(["tcn", "esr", "eq"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=4,
)


@st.composite
def mutants(draw: st.DrawFn) -> dict[str, Any]:
    """Draw the document with some entries replaced, removed or renamed, at any depth."""
    document = copy.deepcopy(DOCUMENT)
    for _ in range(draw(st.integers(1, 3))):
        table = document
        while True:
            key = draw(st.sampled_from(sorted(table))) if table else ""
            inner = table.get(key)
            if not (isinstance(inner, dict) and inner and draw(st.booleans())):
                break
            table = inner
        change = draw(st.sampled_from(["replace", "remove", "rename", "add"]))
        value = table.pop(key, None) if change in ("remove", "rename") else draw(anything)
        if change != "remove":
            table[f"{key}x" if change in ("rename", "add") else key] = value
    return document


def problems(file: pathlib.Path, catalog: Catalog, overrides: Sequence[str] = ()) -> tuple[Problem, ...]:
    """Return what is wrong in a file."""
    try:
        read_experiment(file, overrides=overrides, catalog=catalog)
    except ExperimentError as error:
        return error.problems
    return ()


@given(mutants())
@SETTINGS
def test_a_mutated_document_is_read_or_rejected(catalog: Catalog, document: dict[str, Any]) -> None:
    try:
        read_document(document, "x.toml", catalog=catalog)
    except ExperimentError as error:
        found = error.problems
    else:
        found = ()
    assert all(problem.file == "x.toml" for problem in found)


@given(st.integers(0, len(TEXT)), st.integers(0, 6), st.text("\"'[]{}=.,#\n\\ ax1-_", max_size=3))
@SETTINGS
def test_a_mutilated_file_is_read_or_rejected_with_a_place(
    catalog: Catalog, tmp_path: pathlib.Path, start: int, cut: int, insert: str
) -> None:
    file = tmp_path / "x.toml"
    file.write_text(TEXT[:start] + insert + TEXT[start + cut :], encoding="utf-8", newline="\n")
    assert all(problem.line and problem.column for problem in problems(file, catalog))


@given(st.lists(st.text("nodes.amptrain=\"'[]{}\n3x ", max_size=20), max_size=3))
@SETTINGS
def test_any_override_is_read_or_rejected(catalog: Catalog, overrides: list[str]) -> None:
    found = problems(BROKEN / "parents" / "good.toml", catalog, overrides)
    assert all(problem.file.startswith("--set #") for problem in found)
