"""Read how this process was started: alone, or by torchrun as one worker of several."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from pathlib import Path

import attrs


@attrs.frozen(kw_only=True)
class Launch:
    """Hold a worker's place: number `rank` of `size`, and number `local_rank` of `local_size` on its node.

    `restarts` counts how often the whole group was started again; `key` names the launch, the same
    before and after a restart; `error_file` is where torchrun looks for the reason of a failure.
    """

    rank: int = 0
    size: int = 1
    local_rank: int = 0
    local_size: int = 1
    restarts: int = 0
    key: str = ""
    error_file: Path | None = None

    @property
    def leads(self) -> bool:
        """Tell whether this is the one worker that writes and speaks."""
        return self.rank == 0


def launched(environment: Mapping[str, str] | None = None) -> Launch | None:
    """Return the place that torchrun (or another launcher of its kind) gave, None without one."""
    given = os.environ if environment is None else environment
    if not {"RANK", "WORLD_SIZE", "MASTER_ADDR", "MASTER_PORT"} <= given.keys():
        return None
    error_file = given.get("TORCHELASTIC_ERROR_FILE")
    return Launch(
        rank=int(given["RANK"]),
        size=int(given["WORLD_SIZE"]),
        local_rank=int(given.get("LOCAL_RANK", "0")),
        local_size=int(given.get("LOCAL_WORLD_SIZE", "1")),
        restarts=int(given.get("TORCHELASTIC_RESTART_COUNT", "0")),
        key=_key(given.get("TORCHELASTIC_RUN_ID", "none")),
        error_file=Path(error_file) if error_file else None,
    )


def _key(run_id: str) -> str:
    # "none" is what torchrun says without --rdzv-id. The process that restarts the workers is then what
    # tells two launches apart.
    return run_id if run_id != "none" else f"{socket.gethostname()}-{os.getppid()}"
