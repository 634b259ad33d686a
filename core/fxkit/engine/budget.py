"""How much of a stage is over, by steps and by the clock."""

from __future__ import annotations

import time

import attrs

from fxkit.engine.phases import Stage


@attrs.frozen
class Place:
    """Say where a step stands in something: its number (from 0), and the share that was over before it."""

    step: int
    share: float


@attrs.define
class Clock:
    """Count the seconds that a run has trained, validations and saves included, pauses left out."""

    seconds: float = 0.0
    _mark: float | None = None

    def read(self) -> float:
        """Return the seconds until now; the first call starts the clock."""
        now = time.monotonic()
        if self._mark is not None:
            self.seconds += now - self._mark
        self._mark = now
        return self.seconds


def share(stage: Stage, step: int, seconds: float) -> float:
    """Return how much of a stage is over before its step `step` (from 0): 0 at the first, 1 at the last.

    `seconds` is the time that the stage has taken. Of two limits, the nearer one counts.
    """
    return portion((stage.steps, stage.seconds), step, seconds)


def portion(limit: tuple[int | None, float | None], step: int, seconds: float) -> float:
    """Return how much of so many steps and seconds (None: no limit) is over before a step (from 0)."""
    by_steps = 0.0 if limit[0] is None else step / max(1, limit[0] - 1)
    by_time = 0.0 if limit[1] is None else seconds / limit[1]
    return min(1.0, max(by_steps, by_time))


def over(stage: Stage, step: int, seconds: float) -> bool:
    """Tell whether a stage that has made `step` steps in `seconds` is over."""
    by_steps = stage.steps is not None and step >= stage.steps
    return by_steps or (stage.seconds is not None and step > 0 and seconds >= stage.seconds)
