"""Find the examples in pages: fenced blocks with their language and marks.

The marks follow the language: "toml partial" shows part of a file, of "python no-run" only imports run, and
"needs=DIST" wants one of the distributions in tests/thirdparty to be installed. "python file=NAME" and
"text file=NAME" are files that a whole experiment on the same page names.
"""

from __future__ import annotations

import itertools
import re
import shlex
from pathlib import Path
from typing import NamedTuple

_FENCE = re.compile(r"^```(?P<info>[a-z][^\n]*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


class Example(NamedTuple):
    """Hold one block: the page, its line there, language, marks and text."""

    page: Path
    line: int
    language: str
    marks: frozenset[str]
    text: str

    def __str__(self) -> str:
        return f"{self.page.name}:{self.line}"


def examples(page: Path, *languages: str) -> list[Example]:
    """Return the blocks of a page in the given languages, in order."""
    content = page.read_text(encoding="utf-8")
    found = []
    for match in _FENCE.finditer(content):
        language, *marks = match["info"].split()
        if language in languages:
            line = content.count("\n", 0, match.start()) + 1
            found.append(Example(page, line, language, frozenset(marks), match["text"]))
    return found


def commands(example: Example) -> list[list[str]]:
    """Return the commands of a console or shell block, each as its words.

    Without what is set before it, and the file that its output goes to.
    """
    text = example.text.replace("\\\n", " ")
    lines = text.splitlines()
    if example.language == "console":
        lines = [line.removeprefix("$ ") for line in lines if line.startswith("$ ")]
    found = []
    for line in lines:
        words = shlex.split(line, comments=True)
        while words:
            end = words.index("&&") if "&&" in words else len(words)
            command, words = words[:end], words[end + 1 :]
            while command and re.fullmatch(r"[A-Z_]+=.*", command[0]):
                command.pop(0)
            command = list(itertools.takewhile(lambda word: word not in (">", ">>"), command))
            if command:
                found.append(command)
    return found
