"""Every broken file of the corpus gives exactly the messages that stand beside it."""

from __future__ import annotations

import os
import pathlib
import re
import shlex
import shutil

import pytest

from fxkit.catalog import Catalog
from fxkit.cli.main import main
from fxkit.experiment.reader import read_experiment

FOLDER = pathlib.Path(__file__).parent / "broken"
FILES = sorted(FOLDER.glob("[0-9]*.toml"))


def arguments(path: pathlib.Path) -> list[str]:
    """Return the options in a first line that starts with "#!"."""
    line = path.read_bytes().split(b"\n", 1)[0].decode("latin-1")
    return shlex.split(line[2:]) if line.startswith("#!") else []


def test_the_corpus_is_large_enough() -> None:
    assert len(FILES) >= 40


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_broken_file_gives_its_messages_and_nothing_else(
    path: pathlib.Path,
    tmp_path: pathlib.Path,
    catalog: Catalog,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    shutil.copytree(FOLDER, tmp_path / "work")
    monkeypatch.chdir(tmp_path / "work")
    monkeypatch.setattr(Catalog, "installed", lambda **_: catalog)
    before = _listing(tmp_path)

    code = main(["check", path.name, *arguments(path)])

    out, err = capsys.readouterr()
    assert (code, out) == (2, "")
    assert _listing(tmp_path) == before
    golden = path.with_suffix(".txt")
    if os.environ.get("FXKIT_WRITE_GOLDEN"):
        golden.write_text(err, encoding="utf-8")
    assert err == golden.read_text(encoding="utf-8")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_message_names_file_line_and_column(path: pathlib.Path) -> None:
    place = re.compile(
        r"(warning: )?"
        r"(\S+\.toml:[1-9]\d*:[1-9]\d*( \(via (\S+\.toml:\d+|--set #\d+)(, \S+\.toml:\d+|, --set #\d+)*\))?"
        r"|--set #\d+)  \S"
    )
    for line in path.with_suffix(".txt").read_text(encoding="utf-8").splitlines():
        assert place.match(line), line


def test_the_file_that_the_broken_ones_extend_is_right(catalog: Catalog) -> None:
    read_experiment(FOLDER / "parents" / "good.toml", catalog=catalog)


def _listing(folder: pathlib.Path) -> list[tuple[str, int]]:
    return sorted(
        (str(path), path.stat().st_size)
        for path in folder.rglob("*")
        if path.is_file() and path.suffix != ".pyc"
    )
