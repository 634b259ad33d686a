"""Show the other workers that this one is alive."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from optuna.storages import RDBStorage


@contextmanager
def beating(storage: RDBStorage, trial: int, seconds: float) -> Iterator[None]:
    """Note every `seconds` inside the block that somebody works on a trial.

    A note that cannot be made, as while a data base is not reached, is made the next time.
    """
    over = threading.Event()

    def beat() -> None:
        while not over.wait(seconds):
            try:
                storage.record_heartbeat(trial)
            except Exception:
                continue

    thread = threading.Thread(target=beat, name="heartbeat", daemon=True)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
