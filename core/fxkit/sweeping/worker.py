"""A worker: take trials of a sweep, one after another, until there are none left."""

from __future__ import annotations

import os
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from types import FrameType

import attrs

from fxkit.errors import RunError
from fxkit.sweeping.attempt import Attempt
from fxkit.sweeping.register import Register
from fxkit.sweeping.sweep import Sweep

# Seconds between looks at whether other workers are done, or dead.
_PATIENCE = 1.0


@attrs.frozen(kw_only=True)
class Worker:
    """Hold what a worker needs; with a `parent` it takes no new trial once that process has gone."""

    sweep: Sweep
    register: Register
    folder: Path
    device: str | None
    report: Callable[[str], object]
    max_failures: int
    parent: int | None = None

    def work(self) -> None:
        """Train trials until all are done, also those of workers that died.

        Raises `RunError` when too many have failed, and `KeyboardInterrupt` when asked to stop.
        """
        with terminated_like_interrupted():
            while self.parent in (None, os.getppid()):
                for place in self.register.mend():
                    self.report(f"trial {place}  its worker died")
                self._refuse_failures()
                trial = self.register.claim(self.sweep)
                if trial is not None:
                    Attempt(
                        sweep=self.sweep,
                        register=self.register,
                        folder=self.folder,
                        trial=trial,
                        device=self.device,
                        report=self.report,
                    ).carry_out()
                elif self._is_over():
                    return
                else:
                    time.sleep(_PATIENCE)

    def _is_over(self) -> bool:
        counts = self.register.counts()
        return not counts["waiting"] and not counts["running"]

    def _refuse_failures(self) -> None:
        failures = self.register.counts()["fail"]
        if failures >= self.max_failures:
            have = "trials have" if failures > 1 else "trial has"
            raise RunError(
                f"{failures} {have} failed, so that the sweep was ended;"
                f" go on with: fxkit sweep --resume {self.folder} --max-failures {failures + 10}"
            )


@contextmanager
def terminated_like_interrupted() -> Iterator[None]:
    """Let SIGTERM end the block like Ctrl-C; a run in progress saves its state first."""

    def stop(number: int, frame: FrameType | None) -> None:
        raise KeyboardInterrupt

    before = signal.signal(signal.SIGTERM, stop)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, before)
