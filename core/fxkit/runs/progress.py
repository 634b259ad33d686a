"""Show a run's progress on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Protocol


class Progress(Protocol):
    """Show how far a run is."""

    def start(self, step: int, steps: int) -> None:
        """Begin at `step` of `steps`."""

    def step(self, step: int, loss: float) -> None:
        """Show one training step."""

    def message(self, text: str) -> None:
        """Show a line of text."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class Silent:
    """Show nothing but messages to nobody; for use from Python."""

    def start(self, step: int, steps: int) -> None:
        """Ignore the start."""

    def step(self, step: int, loss: float) -> None:
        """Ignore the step."""

    def message(self, text: str) -> None:
        """Ignore the message."""

    def close(self) -> None:
        """Ignore the end."""


class Lines:
    """Write one plain line every few seconds, with speed and time left."""

    def __init__(self, interval: float = 5.0) -> None:
        self.interval = interval

    def start(self, step: int, steps: int) -> None:
        """Begin the clock."""
        self.steps, self.first, self.began = steps, step, time.monotonic()
        self.shown = self.began

    def step(self, step: int, loss: float) -> None:
        """Write a line when the interval is over."""
        now = time.monotonic()
        if now - self.shown < self.interval and step != self.steps:
            return
        self.shown = now
        speed = (step - self.first) / max(now - self.began, 1e-9)
        left = (self.steps - step) / max(speed, 1e-9)
        self.message(f"step {step}/{self.steps}  loss {loss:.5g}  {speed:.1f} steps/s  {clock(left)} left")

    def message(self, text: str) -> None:
        """Write a line to stderr."""
        print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Do nothing; lines need no cleaning up."""


class Bar:
    """Draw a progress bar with loss, speed and time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn, TimeRemainingColumn

        self.progress = Progress(
            TextColumn("training"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TextColumn("loss {task.fields[loss]}"),
            TextColumn("{task.fields[speed]}"),
            TimeElapsedColumn(),
            TextColumn("left"),
            TimeRemainingColumn(),
            console=Console(stderr=True),
            refresh_per_second=4,
        )

    def start(self, step: int, steps: int) -> None:
        """Draw the bar."""
        self.steps, self.first, self.began, self.drawn = steps, step, time.monotonic(), 0.0
        self.task = self.progress.add_task("", total=steps, completed=step, loss="-", speed="")
        self.progress.start()

    def step(self, step: int, loss: float) -> None:
        """Move the bar, at most four times a second and at the end."""
        now = time.monotonic()
        if now - self.drawn < 0.25 and step != self.steps:
            return
        self.drawn = now
        speed = (step - self.first) / max(now - self.began, 1e-9)
        self.progress.update(self.task, completed=step, loss=f"{loss:.4g}", speed=f"{speed:.1f} steps/s")

    def message(self, text: str) -> None:
        """Write a line above the bar."""
        self.progress.console.print(text, markup=False, highlight=False, soft_wrap=True)

    def close(self) -> None:
        """Stop drawing."""
        self.progress.stop()


def clock(seconds: float) -> str:
    """Write a duration as h:mm:ss or m:ss."""
    minutes, rest = divmod(int(seconds), 60)
    hours, minutes = divmod(minutes, 60)
    return f"{hours}:{minutes:02d}:{rest:02d}" if hours else f"{minutes}:{rest:02d}"


def terminal_progress() -> Progress:
    """Choose a bar on a terminal and lines elsewhere."""
    return Bar() if sys.stderr.isatty() else Lines()


def figures(metrics: Mapping[str, float]) -> str:
    """Write metrics on one line."""
    return "  ".join(f"{name} {value:.5g}" for name, value in metrics.items())
