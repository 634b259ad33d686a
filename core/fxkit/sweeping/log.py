"""Write what a run says into a file of its folder, as soon as there is one."""

from __future__ import annotations

from pathlib import Path

NAME = "log.txt"


class Log:
    """Be the progress of a trial, for people who look later."""

    def __init__(self) -> None:
        self._kept: list[str] = []
        self._path: Path | None = None

    def open(self, folder: Path) -> None:
        """Write to the folder from now on, and what was said before."""
        self._path = folder / NAME
        kept, self._kept = self._kept, []
        for line in kept:
            self.message(line)

    def start(self, step: int, steps: int | None, seconds: float | None) -> None:
        """Ignore the start."""

    def step(self, step: int, loss: float) -> None:
        """Ignore the step; the journal has it."""

    def message(self, text: str) -> None:
        """Write a line."""
        if self._path is None:
            self._kept.append(text)
            return
        with self._path.open("a", encoding="utf-8") as stream:
            stream.write(f"{text}\n")

    def close(self) -> None:
        """Do nothing: the file is closed after each line."""
