"""Show messages for broken experiment files, taken from the corpus that the tests compare with."""

from __future__ import annotations

import re
from pathlib import Path

CORPUS = "tests/unit/experiment/broken"
# File of the corpus, without its number -> what it shows.
CHOSEN = {
    "unknown-option": "A misspelt option:",
    "kilohertz-in-parent": "A mistake in a file that this one extends, with the line that led there:",
    "extends-missing": "A parent that does not exist:",
    "chain-names": "Names in the chain:",
    "set-wrong-types": "Values given by `--set`:",
    "everything-at-once": "Many mistakes, all in one run:",
}


def message_examples(root: Path) -> str:
    """Return the chosen files below `root`, each with its messages."""
    return "\n\n".join(_example(corpus_file(root, name), intro) for name, intro in CHOSEN.items())


def corpus_file(root: Path, name: str) -> Path:
    """Return the file of the corpus called NN-`name`.toml."""
    (path,) = (root / CORPUS).glob(f"[0-9]*-{name}.toml")
    return path


def _example(path: Path, intro: str) -> str:
    source = path.read_text(encoding="utf-8")
    messages = path.with_suffix(".txt").read_text(encoding="utf-8")
    command = ""
    if source.startswith("#! "):
        options, _, source = source.removeprefix("#! ").partition("\n")
        command = _wrapped(f"$ fxkit check {path.name} {options}") + "\n\n"
    return f"{intro}\n\n{command}{_numbered(source, messages, path.name)}\n\n{_wrapped(messages)}"


def _numbered(source: str, messages: str, name: str) -> str:
    """Show a file with numbered lines, and mark those that the messages name."""
    wrong = sorted({int(line) for line in re.findall(rf"\b{re.escape(name)}:(\d+)", messages)})
    marked = f":emphasize-lines: {','.join(map(str, wrong))}\n" if wrong else ""
    return f"```{{code-block}} toml\n:linenos:\n{marked}\n{source.rstrip()}\n```"


def _wrapped(text: str) -> str:
    """Show text whose long lines wrap."""
    return f"```{{code-block}} text\n:class: fx-wrap\n\n{text.rstrip()}\n```"
