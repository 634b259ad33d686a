"""The notebook runs from top to bottom, and what is stored in it is what it gave."""

from __future__ import annotations

import sys
from itertools import groupby
from pathlib import Path

import nbformat
import pytest
from nbclient import NotebookClient

DOCS = Path(__file__).parents[2] / "docs"
NOTEBOOK = DOCS / "notebooks" / "python-api.ipynb"
sys.path.insert(0, str(DOCS / "_ext"))

from fxkit_docs.notebook import notebook_files  # noqa: E402


@pytest.fixture
def notebook() -> nbformat.NotebookNode:
    return nbformat.read(NOTEBOOK, as_version=4)


@pytest.mark.slow
def test_the_notebook_runs(
    notebook: nbformat.NotebookNode, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TMPDIR", str(tmp_path))
    # A backend chosen for the whole environment would keep the pictures out of the notebook.
    monkeypatch.delenv("MPLBACKEND", raising=False)
    stored = [_kinds(cell) for cell in _code(notebook)]
    NotebookClient(notebook, timeout=300, resources={"metadata": {"path": str(tmp_path)}}).execute()
    assert [_kinds(cell) for cell in _code(notebook)] == stored


def _code(notebook: nbformat.NotebookNode) -> list[nbformat.NotebookNode]:
    return [cell for cell in notebook.cells if cell.cell_type == "code"]


def _kinds(cell: nbformat.NotebookNode) -> list[str]:
    # A slow kernel flushes what one cell prints in several pieces.
    kinds = (output.get("name", output.output_type) for output in cell.outputs)
    return [kind for kind, _ in groupby(kinds)]


def test_the_stored_outputs_are_of_one_run_without_errors(notebook: nbformat.NotebookNode) -> None:
    cells = _code(notebook)
    assert [cell.execution_count for cell in cells] == list(range(1, len(cells) + 1))
    kinds = [kind for cell in cells for kind in _kinds(cell)]
    assert {"stdout", "display_data"} <= set(kinds)
    assert "error" not in kinds
    assert "stderr" not in kinds


def test_the_page_shows_code_outputs_and_pictures(notebook: nbformat.NotebookNode) -> None:
    files = notebook_files(NOTEBOOK)
    page = files["python-api.md"].decode()
    for cell in notebook.cells:
        assert cell.source in page
    pictures = [name for name in files if name.endswith(".png")]
    assert len(pictures) == 2
    for name in pictures:
        assert files[name].startswith(b"\x89PNG")
        assert f"]({name})" in page
