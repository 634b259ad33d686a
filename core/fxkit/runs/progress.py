"""Show a run's progress on stderr: a bar on a terminal, plain lines elsewhere."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping
from typing import Any, Protocol


class Progress(Protocol):
    """Show how far a run is."""

    def start(self, step: int, steps: int | None, seconds: float | None) -> None:
        """Begin at `step` of `steps`, with `seconds` left; None for no such limit."""

    def step(self, step: int, loss: float) -> None:
        """Show one training step."""

    def message(self, text: str) -> None:
        """Show a line of text."""

    def close(self) -> None:
        """Leave the terminal as it was."""


class Pace:
    """Count how fast a run goes and how long it has left."""

    def __init__(self, step: int, steps: int | None, seconds: float | None) -> None:
        self.first, self.steps, self.seconds = step, steps, seconds
        self.began = time.monotonic()

    def speed(self, step: int, now: float) -> float:
        """Return steps per second."""
        return (step - self.first) / max(now - self.began, 1e-9)

    def left(self, step: int, now: float) -> float | None:
        """Return the seconds that are left, by whichever limit is nearer; None without any."""
        by_steps = None if self.steps is None else (self.steps - step) / max(self.speed(step, now), 1e-9)
        by_time = None if self.seconds is None else max(0.0, self.seconds - (now - self.began))
        known = [one for one in (by_steps, by_time) if one is not None]
        return min(known) if known else None


class Silent:
    """Show nothing but messages to nobody; for use from Python."""

    def start(self, step: int, steps: int | None, seconds: float | None) -> None:
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

    def start(self, step: int, steps: int | None, seconds: float | None) -> None:
        """Begin the clock."""
        self.pace, self.steps, self.shown = Pace(step, steps, seconds), steps, time.monotonic()

    def step(self, step: int, loss: float) -> None:
        """Write a line when the interval is over."""
        now = time.monotonic()
        if now - self.shown < self.interval and step != self.steps:
            return
        self.shown = now
        place = step if self.steps is None else f"{step}/{self.steps}"
        speed, left = self.pace.speed(step, now), self.pace.left(step, now)
        end = "" if left is None else f"  {clock(left)} left"
        self.message(f"step {place}  loss {loss:.5g}  {speed:.1f} steps/s{end}")

    def message(self, text: str) -> None:
        """Write a line to stderr."""
        print(text, file=sys.stderr, flush=True)

    def close(self) -> None:
        """Do nothing; lines need no cleaning up."""


class Bar:
    """Draw a progress bar with loss, speed and time left."""

    def __init__(self) -> None:
        from rich.console import Console
        from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

        self.progress = Progress(
            TextColumn("training"),
            BarColumn(),
            TextColumn("{task.fields[place]}"),
            TextColumn("loss {task.fields[loss]}"),
            TextColumn("{task.fields[speed]}"),
            TimeElapsedColumn(),
            TextColumn("left {task.fields[left]}"),
            console=Console(stderr=True),
            refresh_per_second=4,
        )

    def start(self, step: int, steps: int | None, seconds: float | None) -> None:
        """Draw the bar."""
        self.pace, self.steps, self.drawn = Pace(step, steps, seconds), steps, 0.0
        fields: dict[str, Any] = {"place": self._place(step), "loss": "-", "speed": "", "left": "-"}
        self.task = self.progress.add_task("", total=steps, completed=step, **fields)
        self.progress.start()

    def step(self, step: int, loss: float) -> None:
        """Move the bar, at most four times a second and at the end."""
        now = time.monotonic()
        if now - self.drawn < 0.25 and step != self.steps:
            return
        self.drawn = now
        left = self.pace.left(step, now)
        fields: dict[str, Any] = {
            "place": self._place(step),
            "loss": f"{loss:.4g}",
            "speed": f"{self.pace.speed(step, now):.1f} steps/s",
            "left": "-" if left is None else clock(left),
        }
        self.progress.update(self.task, completed=step, **fields)

    def _place(self, step: int) -> str:
        return str(step) if self.steps is None else f"{step}/{self.steps}"

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
