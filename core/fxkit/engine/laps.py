"""Where the time of steps goes: data, forward, losses, backward, optimiser, hooks, validation."""

from __future__ import annotations

import time
from contextlib import AbstractContextManager, nullcontext
from types import TracebackType
from typing import Literal

import attrs
import torch
from torch.profiler import record_function

Part = Literal["data", "forward", "losses", "backward", "optimiser", "hooks", "validation"]

MARK = "fxkit: "

_NOTHING: AbstractContextManager[None] = nullcontext()


@attrs.define
class _Running:
    part: Part
    began: float
    inner: float = 0.0


class Laps:
    """Add up the seconds of each part of a step between `start` and `stop`; costs nothing otherwise.

    Of a part inside another, as hooks in the midst of an update, the time counts for the inner one alone.
    A GPU is waited for at each border in that time, as its work would else show in a later part.
    """

    def __init__(self, device: str = "cpu") -> None:
        self._cuda = device if device.startswith("cuda") else None
        self._seconds: dict[str, float] | None = None
        self._open: list[_Running] = []
        self._began = 0.0
        self._marks = False

    def of(self, part: Part) -> AbstractContextManager[None]:
        """Return what measures a part of a step inside its `with` block."""
        if self._seconds is None:
            return _NOTHING
        return _Lap(self, part, record_function(f"{MARK}{part}") if self._marks else _NOTHING)

    def start(self, *, marks: bool = False) -> None:
        """Begin to measure; with `marks` torch.profiler shows the parts, too."""
        self._marks = marks
        self._seconds, self._open = {}, []
        self._began = self._now()

    def stop(self) -> dict[str, float]:
        """Return part -> seconds since `start`, and under "rest" those of no part; ends the measurement."""
        now, seconds = self._now(), {} if self._seconds is None else self._seconds
        while self._open:
            self._leave(now)
        self._seconds = None
        return {**seconds, "rest": max(0.0, now - self._began - sum(seconds.values()))}

    def _now(self) -> float:
        if self._cuda:
            torch.cuda.synchronize(self._cuda)
        return time.perf_counter()

    def enter(self, part: Part) -> None:
        """Begin a part."""
        self._open.append(_Running(part, self._now()))

    def leave(self) -> None:
        """End the part that began last; one that `stop` has ended is left alone."""
        if self._open:
            self._leave(self._now())

    def _leave(self, now: float) -> None:
        running = self._open.pop()
        whole = now - running.began
        if self._open:
            self._open[-1].inner += whole
        if self._seconds is not None:
            own = whole - running.inner
            self._seconds[running.part] = self._seconds.get(running.part, 0.0) + own


class _Lap(AbstractContextManager[None]):
    def __init__(self, laps: Laps, part: Part, mark: AbstractContextManager[object]) -> None:
        self._laps, self._part, self._mark = laps, part, mark

    def __enter__(self) -> None:
        self._laps.enter(self._part)
        self._mark.__enter__()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._mark.__exit__(kind, error, trace)
        self._laps.leave()
