"""Turn Ctrl-C and SIGTERM into a request to stop between two steps, so that a state can be saved."""

from __future__ import annotations

import signal
import threading
from types import FrameType, TracebackType
from typing import Any

from fxkit.errors import RunError


class Interrupted(RunError):
    """Report that the user stopped the run; its state is saved."""

    exit_code = 130


class InterruptRequest:
    """Watch for a request to stop while inside its `with` block.

    The first signal is remembered (`requested`); a second one ends the process at once, as usual. With
    `patient` it does not: a launcher passes on what the terminal has sent already, and has a time limit
    of its own. Outside the main thread, where signals cannot be caught, nothing is watched.
    """

    def __init__(self, patient: bool = False) -> None:
        self.requested = False
        self._patient = patient
        self._before: dict[int, Any] = {}

    def __enter__(self) -> InterruptRequest:
        if threading.current_thread() is threading.main_thread():
            for number in (signal.SIGINT, signal.SIGTERM):
                self._before[number] = signal.signal(number, self._note)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._restore()

    def _note(self, number: int, frame: FrameType | None) -> None:
        self.requested = True
        if not self._patient:
            self._restore()

    def _restore(self) -> None:
        for number, handler in self._before.items():
            signal.signal(number, handler)
        self._before = {}
