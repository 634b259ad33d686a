"""How long each callback took in each hook, and what share of the run that was."""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from typing import Any

import attrs


@attrs.define
class HookTime:
    """Hold the calls of one callback's hook: seconds in all, and of the slowest call and its number."""

    callback: str
    hook: str
    calls: int = 0
    seconds: float = 0.0
    worst: float = 0.0
    worst_call: int = 0

    @property
    def mean(self) -> float:
        """Return the seconds per call."""
        return self.seconds / max(self.calls, 1)


class HookTrace:
    """Measure calls of callbacks; what one spends in another, by publishing figures, counts for the other.

    `clock` returns seconds; the run's wall time is counted from the first moment that it is asked.
    """

    def __init__(self, clock: Callable[[], float] = time.perf_counter) -> None:
        self._clock = clock
        self._began = clock()
        self._rows: dict[tuple[str, str], HookTime] = {}
        # Seconds spent in further callbacks, for each call that is under way.
        self._inner: list[float] = []

    def timed(self, callback: str, hook: str, method: Callable[..., Any]) -> Callable[..., Any]:
        """Return a method that notes how long it takes."""
        row = self._rows.setdefault((callback, hook), HookTime(callback, hook))

        @functools.wraps(method)
        def call(**arguments: Any) -> Any:
            began = self._clock()
            self._inner.append(0.0)
            try:
                return method(**arguments)
            finally:
                self._note(row, self._clock() - began)

        return call

    def _note(self, row: HookTime, seconds: float) -> None:
        own = seconds - self._inner.pop()
        if self._inner:
            self._inner[-1] += seconds
        row.calls, row.seconds = row.calls + 1, row.seconds + own
        if own > row.worst:
            row.worst, row.worst_call = own, row.calls

    @property
    def rows(self) -> tuple[HookTime, ...]:
        """Return what was called, callbacks in the order of the file and hooks in that of a run."""
        return tuple(row for row in self._rows.values() if row.calls)

    def record(self) -> dict[str, Any]:
        """Return the measurement for the journal; times in seconds."""
        hooks = [{**attrs.asdict(row), "mean": row.mean} for row in self.rows]
        return {"wall": self._clock() - self._began, "hooks": hooks}

    def table(self) -> tuple[str, ...]:
        """Return the lines of a table for people."""
        wall = max(self._clock() - self._began, 1e-9)
        total = sum(row.seconds for row in self.rows)
        cells = [("callback", "hook", "calls", "total s", "mean ms", "worst ms", "share")]
        cells += [
            (
                row.callback,
                row.hook,
                str(row.calls),
                f"{row.seconds:.3f}",
                f"{1000 * row.mean:.3f}",
                f"{1000 * row.worst:.3f} (call {row.worst_call})",
                f"{row.seconds / wall:.2%}",
            )
            for row in self.rows
        ]
        widths = [max(map(len, column)) for column in zip(*cells, strict=True)]
        head = f"callbacks took {total:.3f} s of the run's {wall:.3f} s ({total / wall:.2%})"
        return (head, *("  ".join(map(_aligned, row, widths)).rstrip() for row in cells))


def _aligned(text: str, width: int) -> str:
    return text.ljust(width)
