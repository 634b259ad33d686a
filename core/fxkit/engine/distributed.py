"""Work as one of several processes that torchrun started: agree, share, and end together.

torch does the work: DistributedDataParallel averages gradients, gloo or NCCL carries them. What is said
here beside it goes over gloo, so that a worker may wait for another as long as a validation takes.
"""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any, Protocol, TypeVar, cast

import attrs
import torch
import torch.distributed as dist

from fxkit.errors import RunError
from fxkit.launch import Launch

T = TypeVar("T")
_PATIENCE = timedelta(days=7)


class Crew(Protocol):
    """Be all workers of a run, as one of them sees it."""

    @property
    def launch(self) -> Launch:
        """Return this worker's place."""

    def told(self, value: T | None) -> T:
        """Return the `value` that the leading worker has; what the others give is not looked at."""

    def mean(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return each value's mean over all workers, the same bits on each."""

    def any(self, here: bool) -> bool:
        """Tell whether it is so on any worker."""

    def least(self, value: int) -> int:
        """Return the least of all workers' values."""

    def parallel(self, module: torch.nn.Module) -> torch.nn.Module:
        """Return the module with gradients that are averaged over all workers."""

    def silent(self, module: torch.nn.Module) -> AbstractContextManager[Any]:
        """Leave gradients unaveraged inside the `with` block, as more will be added to them."""


@attrs.frozen
class Alone:
    """Be the only worker."""

    launch: Launch = attrs.field(factory=Launch)

    def told(self, value: T | None) -> T:
        """Return the value."""
        return cast(T, value)

    def mean(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return the values."""
        return dict(values)

    def any(self, here: bool) -> bool:
        """Return what is so here."""
        return here

    def least(self, value: int) -> int:
        """Return the value."""
        return value

    def parallel(self, module: torch.nn.Module) -> torch.nn.Module:
        """Return the module."""
        return module

    def silent(self, module: torch.nn.Module) -> AbstractContextManager[Any]:
        """Do nothing."""
        return nullcontext()


@attrs.frozen
class Together:
    """Be one of several workers; `control` is the group that everything but gradients goes over."""

    launch: Launch
    control: Any

    def told(self, value: T | None) -> T:
        """Return the `value` that the leading worker has."""
        held = [value if self.launch.leads else None]
        dist.broadcast_object_list(held, src=0, group=self.control, device=torch.device("cpu"))
        return cast(T, held[0])

    def mean(self, values: Mapping[str, float]) -> dict[str, float]:
        """Return each value's mean over all workers."""
        summed = torch.tensor(list(values.values()), dtype=torch.float64)
        dist.all_reduce(summed, group=self.control)
        return dict(zip(values, (summed / self.launch.size).tolist(), strict=True))

    def any(self, here: bool) -> bool:
        """Tell whether it is so on any worker."""
        return self._reduced(int(here), dist.ReduceOp.MAX) > 0

    def least(self, value: int) -> int:
        """Return the least of all workers' values."""
        return self._reduced(value, dist.ReduceOp.MIN)

    def _reduced(self, value: int, operation: Any) -> int:
        held = torch.tensor(value, dtype=torch.int64)
        dist.all_reduce(held, op=operation, group=self.control)
        return int(held)

    def parallel(self, module: torch.nn.Module) -> torch.nn.Module:
        """Return the module, wrapped by DistributedDataParallel.

        Which weights a step reaches may change (phases, losses in turn), so that each step looks for
        those that it does not reach. Buffers are each worker's own; the leading worker's are saved.
        """
        return torch.nn.parallel.DistributedDataParallel(
            module, broadcast_buffers=False, find_unused_parameters=True, gradient_as_bucket_view=True
        )

    def silent(self, module: torch.nn.Module) -> AbstractContextManager[Any]:
        """Leave gradients unaveraged inside the `with` block."""
        return cast(Any, module).no_sync()  # type: ignore[no-any-return]


ALONE = Alone()


def join(launch: Launch, device: str) -> Crew:
    """Join the other workers; `device` is what the run trains on.

    Raises `RunError` when they cannot be reached.
    """
    if launch.size == 1:
        return Alone(launch)
    backend = "nccl" if device.startswith("cuda") else "gloo"
    if backend == "nccl":
        torch.cuda.set_device(worker_device(launch, device))
    try:
        dist.init_process_group(backend, rank=launch.rank, world_size=launch.size)
        control = dist.new_group(backend="gloo", timeout=_PATIENCE)
    except (dist.DistError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"worker {launch.rank} cannot reach the others ({reason})") from error
    return Together(launch, control)


def worker_device(launch: Launch, device: str) -> str:
    """Return the device of this worker: of several GPUs the one that has its number.

    Raises `RunError` when a single GPU is named for several workers, or there are too few.
    """
    if launch.size == 1 or not device.startswith("cuda"):
        return device
    if device != "cuda":
        raise RunError(f'device "{device}" is one GPU for {launch.size} workers; use "cuda" or "auto"')
    count = torch.cuda.device_count()
    if launch.local_rank >= count:
        raise RunError(f"{launch.local_size} workers on this node, which has {count} GPUs; start {count}")
    return f"cuda:{launch.local_rank}"
