"""Show messages for broken experiment files, taken from the corpus that the tests compare with."""

from __future__ import annotations

import re
from collections.abc import Mapping
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
# The same of what one table says of another, or of the course of the training.
TOGETHER = {
    "names-in-options": "Names of losses, nodes and phases in options:",
    "files-written-twice": "Callbacks that write the same file:",
    "frozen-in-a-phase": "A phase in which nothing learns:",
    "later-than-the-segment": "Segments of which nothing is left to score:",
    "segment-and-losses": "Segments and windows shorter than an FFT:",
    "inputs": "Named inputs:",
    "strict-warnings": "Warnings, here taken for errors:",
    "warnings-behind-errors": "Warnings behind errors:",
}


def message_examples(root: Path, chosen: Mapping[str, str] = CHOSEN) -> str:
    """Return the chosen files below `root`, each with its messages."""
    return "\n\n".join(_example(corpus_file(root, name), intro) for name, intro in chosen.items())


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
