"""Have the next batch ready on the device before the step that needs it begins."""

from __future__ import annotations

from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any, cast

import torch

from fxkit.engine.segments import Segments
from fxkit.engine.setup import to_device
from fxkit.values import Batch

DEPTH = 2


class Prefetch:
    """Prepare batches in a thread, `depth` steps ahead, while the steps before them run.

    A batch is what `Segments.batch` says for its step, whatever was prepared before it; its tensors are
    used again once `depth` later batches have been asked for. What goes wrong in the thread is raised
    by the `batch` of the step that it belongs to.
    """

    def __init__(self, segments: Segments, device: str = "cpu", depth: int = DEPTH) -> None:
        self._segments, self._device, self._depth = segments, torch.device(device), depth
        cuda = self._device.type == "cuda"
        # One that is in use, one that a carried state may still look at, and those ahead.
        self._rooms = [segments.room(pinned=cuda) for _ in range(depth + 2)]
        self._copied: list[torch.cuda.Event | None] = [None] * len(self._rooms)
        self._stream = torch.cuda.Stream(self._device) if cuda else None
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="fxkit-batches")
        self._ahead: dict[int, Future[Batch]] = {}

    def batch(self, step: int) -> Batch:
        """Return the batch of a step, on the device, and set off those that follow it."""
        wanted = range(step, step + self._depth + 1)
        for other in [other for other in self._ahead if other not in wanted]:
            self._ahead.pop(other).cancel()
        for other in wanted:
            if other not in self._ahead:
                self._ahead[other] = self._thread.submit(self._prepare, other)
        batch = self._ahead.pop(step).result()
        if self._stream:
            _hand_over(batch, self._stream)
        return batch

    def close(self) -> None:
        """End the thread; what it has begun is finished, the rest is given up."""
        self._thread.shutdown(wait=True, cancel_futures=True)

    def __enter__(self) -> Prefetch:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()

    def _prepare(self, step: int) -> Batch:
        place = step % len(self._rooms)
        copied = self._copied[place]
        if copied:
            copied.synchronize()
        batch = self._segments.batch(step, self._rooms[place])
        if self._stream is None:
            return cast(Batch, to_device(batch, str(self._device)))
        with torch.cuda.stream(self._stream):
            moved = cast(Batch, to_device(batch, str(self._device)))
            self._copied[place] = self._stream.record_event()
        return moved


def _hand_over(batch: Batch, stream: torch.cuda.Stream) -> None:
    """Let the device's present work wait for a batch that was copied beside it."""
    now = torch.cuda.current_stream(stream.device)
    now.wait_stream(stream)
    for tensor in _tensors(batch):
        tensor.record_stream(now)


def _tensors(batch: Batch) -> list[torch.Tensor]:
    audio: list[Any] = [batch.target, batch.input, batch.knobs, *batch.features.values()]
    return [one for one in audio if one is not None and one.is_cuda]
