"""Work as one of several processes that torchrun started: agree, share, and end together.

torch does the work: DistributedDataParallel averages gradients, gloo or NCCL carries them. What is said
here beside it goes over gloo, so that a worker may wait for another as long as a validation takes.
"""

from __future__ import annotations

import warnings
from contextlib import AbstractContextManager, nullcontext
from datetime import timedelta
from typing import Any, Protocol, TypeVar, cast

import attrs
import torch
import torch.distributed as dist
from torch.distributed.distributed_c10d import PrefixStore
from torch.distributed.rendezvous import rendezvous

from fxkit.errors import RunError
from fxkit.launch import Launch

T = TypeVar("T")
_PATIENCE = timedelta(days=7)
# What torch says in each worker of weights with one column, whose gradients are copied.
_REMARK = "Grad strides do not match bucket view strides"


class Crew(Protocol):
    """Be all workers of a run, as one of them sees it."""

    @property
    def launch(self) -> Launch:
        """Return this worker's place."""

    def told(self, value: T | None) -> T:
        """Return the `value` that the leading worker has; what the others give is not looked at."""

    def gathered(self, value: T) -> list[T]:
        """Return all workers' values, in their order."""

    def averaged(self, values: torch.Tensor) -> torch.Tensor:
        """Return the mean of a tensor over all workers; a GPU is not waited for."""

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

    def gathered(self, value: T) -> list[T]:
        """Return the value alone."""
        return [value]

    def averaged(self, values: torch.Tensor) -> torch.Tensor:
        """Return the values."""
        return values

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

    def gathered(self, value: T) -> list[T]:
        """Return all workers' values, in their order."""
        held: list[Any] = [None] * self.launch.size
        dist.all_gather_object(held, value, group=self.control)
        return held

    def averaged(self, values: torch.Tensor) -> torch.Tensor:
        """Return the mean of a tensor over all workers."""
        # Over the group of the gradients, in the order of the device's work.
        summed = values.clone()
        dist.all_reduce(summed)
        return summed / self.launch.size

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
        return cast(torch.nn.parallel.DistributedDataParallel, module).no_sync()


ALONE = Alone()


def join(launch: Launch) -> Crew:
    """Join the other workers.

    Raises `RunError` when they cannot be reached.
    """
    if launch.size == 1:
        return Alone(launch)
    warnings.filterwarnings("ignore", message=_REMARK)
    try:
        # The store outlives the workers: what those before a restart left in it must not be met again.
        store, rank, size = next(rendezvous("env://"))
        store = PrefixStore(f"fxkit/{launch.restarts}", store)
        # Without a backend named, torch takes gloo for the CPU and NCCL for GPUs.
        dist.init_process_group(store=store, rank=rank, world_size=size)
        control = dist.new_group(backend="gloo", timeout=_PATIENCE)
    except (dist.DistError, RuntimeError, ValueError) as error:
        reason = str(error).splitlines()[0]
        raise RunError(f"worker {launch.rank} cannot reach the others ({reason})") from error
    return Together(launch, control)


def part(crew: Crew) -> None:
    """Leave the other workers once all of them are done."""
    if crew.launch.size > 1:
        crew.any(True)
        dist.destroy_process_group()


def is_first_to_fail(launch: Launch) -> bool:
    """Tell whether no other worker has failed before; the first one is the one to say why."""
    if not dist.is_initialized():
        return launch.leads
    try:
        store = dist.distributed_c10d._get_default_store()
        return int(store.add("failed", 1)) == 1
    except (dist.DistError, RuntimeError):
        return launch.leads


def is_loss_of_worker(error: BaseException) -> bool:
    """Tell whether an error only says that another worker has gone."""
    if isinstance(error, dist.DistError):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(
        sign in text for sign in ("gloo", "nccl", "connection closed")
    )


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
    torch.cuda.set_device(launch.local_rank)
    return f"cuda:{launch.local_rank}"
