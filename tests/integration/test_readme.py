"""The README's commands are the ones that work, and its examples run."""

from __future__ import annotations

import re
import sys
from pathlib import Path

import pytest

from fxkit.experiment.reader import read_experiment

ROOT = Path(__file__).parents[2]
README = ROOT / "README.md"
sys.path.insert(0, str(ROOT / "docs" / "_ext"))

from fxkit_docs.examples import examples  # noqa: E402

INSTALL = "python3 -m venv .venv && .venv/bin/pip install . && .venv/bin/fxkit run quickstart"
TEST = ".venv/bin/pip install -e '.[test]' && .venv/bin/pytest"


@pytest.mark.parametrize("command", [INSTALL, TEST])
def test_the_two_commands_stand_word_for_word(command: str) -> None:
    assert f"```sh\n{command}\n```" in README.read_text(encoding="utf-8")


def test_ci_runs_what_the_readme_says() -> None:
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert re.search(r"\"\$BIN/pip\" install .*-e '\.\[test,docs\]'", script)
    assert re.search(r"^\"\$BIN/pytest\"", script.rstrip().splitlines()[-1])


def test_the_example_is_an_experiment(tmp_path: Path) -> None:
    (example,) = examples(README, "toml")
    path = tmp_path / "pedal.toml"
    path.write_text(example.text, encoding="utf-8")
    experiment = read_experiment(path)
    assert experiment.data.spec.root == tmp_path / "recordings"


def test_linked_files_exist() -> None:
    links = re.findall(r"\]\(([^)#:]+)\)", README.read_text(encoding="utf-8"))
    assert links
    for link in links:
        assert (ROOT / link).exists(), link


@pytest.mark.slow
def test_the_python_example_runs(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    (example,) = examples(README, "python")
    namespace: dict[str, object] = {}
    exec(compile(example.text, str(README), "exec"), namespace)
    assert (tmp_path / "runs" / "small" / "results.json").is_file()
