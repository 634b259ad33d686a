"""Several workers on one machine, each a process of its own that the first one started."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Callable, Sequence
from types import FrameType


def lead(
    commands: Sequence[Sequence[str]], environment: dict[str, str], report: Callable[[str], object]
) -> int:
    """Start workers and wait for all; what asks this process to stop is passed on to each, once.

    Returns 0 when any worker ended well, 130 when they were asked to stop, else the exit code of one. The
    others go on when one dies.
    """
    # Ctrl-C reaches the whole group of a terminal; workers in their own hear of it once, from here.
    workers = [
        subprocess.Popen(command, env={**os.environ, **environment}, start_new_session=True)
        for command in commands
    ]
    asked: list[int] = []

    def pass_on(number: int, frame: FrameType | None) -> None:
        asked.append(number)
        for worker in workers:
            if worker.poll() is None:
                worker.send_signal(signal.SIGINT if number == signal.SIGINT else signal.SIGTERM)

    watched = [signal.SIGINT, signal.SIGTERM, *([signal.SIGHUP] if hasattr(signal, "SIGHUP") else [])]
    before = {number: signal.signal(number, pass_on) for number in watched}
    try:
        codes = [_ended(worker, number, report, asked) for number, worker in enumerate(workers, 1)]
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)
    if asked:
        return 130
    return 0 if 0 in codes else codes[0]


def _ended(
    worker: subprocess.Popen[bytes], number: int, report: Callable[[str], object], asked: Sequence[int]
) -> int:
    code = worker.wait()
    if code < 0 and not asked:
        report(f"worker {number} was killed (signal {-code})")
    return code


def worker_command(folder: str, options: Sequence[str]) -> list[str]:
    """Return the command line of one worker."""
    return [sys.executable, "-m", "fxkit", "sweep", "--resume", folder, *options]
