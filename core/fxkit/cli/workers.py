"""Let several workers of one run speak with one voice, and end for one reason."""

from __future__ import annotations

import json
import os
import time
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from fxkit.errors import FxkitError, RunError

if TYPE_CHECKING:
    from fxkit.engine.distributed import Crew
    from fxkit.launch import Launch


@contextmanager
def aboard(launch: Launch) -> Iterator[Crew]:
    """Join the other workers; of what ends them all, only the first one to fail tells.

    A worker that only lost another ends without a word. What failed is also written to where torchrun
    looks for it.
    """
    # Read when torch is loaded. Each worker would remark on weights without a gradient being looked for.
    os.environ.setdefault("TORCH_CPP_LOG_LEVEL", "ERROR")
    from fxkit.engine.distributed import join, part

    try:
        crew = join(launch)
        yield crew
        part(crew)
    except Exception as error:
        told = _as_loss(error)
        if _speaks(launch, told):
            _leave_reason(launch, told)
            raise told from (None if told is not error else error.__cause__)
        raise SystemExit(getattr(told, "exit_code", 1)) from None


def _as_loss(error: Exception) -> Exception:
    """Return what to say of an error that stands for the loss of another worker."""
    from fxkit.engine.distributed import is_loss_of_worker

    if isinstance(error, FxkitError) or not is_loss_of_worker(error):
        return error
    return LostWorker("a worker ended without saying why; its run goes on with: fxkit run --resume RUN")


class LostWorker(RunError):
    """Report that another worker has gone."""


def _speaks(launch: Launch, error: Exception) -> bool:
    from fxkit.engine.distributed import is_first_to_fail
    from fxkit.engine.interrupts import Interrupted

    first = is_first_to_fail(launch)
    # All workers are interrupted alike, and the leading one knows what was saved.
    return launch.leads if isinstance(error, Interrupted) else first


def _leave_reason(launch: Launch, error: Exception) -> None:
    """Write the reason in the form that torchrun shows at its end."""
    if launch.error_file is None or isinstance(error, LostWorker):
        return
    reason = str(error) if isinstance(error, FxkitError) else f"{type(error).__name__}: {error}"
    extra = {"py_callstack": reason, "timestamp": str(int(time.time()))}
    content = json.dumps({"message": {"message": reason, "extraInfo": extra}})
    launch.error_file.write_text(content, encoding="utf-8")
