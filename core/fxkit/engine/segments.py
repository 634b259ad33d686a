"""Cut, order and batch training segments as a pure function of seed and step.

Nothing is remembered between steps, so a resumed run reads the same data as an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
import torch

from fxkit.engine.material import Indices, Material, Series, Side
from fxkit.errors import DataError
from fxkit.protocols import Transform
from fxkit.values import Batch

__all__ = ["Material", "Segments"]

_SLIDING_FROM = 8


class Segments:
    """Offer batches of training segments.

    Each epoch visits every slot of every recording once, in a new order and with a new offset; slot
    edges move with the offset, so all samples are seen. Segment starts are multiples of `hop`.
    `transforms` change each batch in order, with a generator that seed and step alone decide.

    Of `ranks` workers each cuts its share, number `rank`, of the same batch: together they see what one
    would with a `batch_size` that is `ranks` times as large. The transforms of each draw for themselves.
    """

    def __init__(
        self,
        material: Material,
        *,
        segment: int,
        warmup: int,
        batch_size: int,
        seed: int,
        hop: int = 1,
        transforms: Sequence[Transform] = (),
        rank: int = 0,
        ranks: int = 1,
    ) -> None:
        self.material = material
        self.segment = segment
        self.warmup = warmup
        self.batch_size = batch_size
        self.seed = seed
        self.transforms = tuple(transforms)
        self.rank, self.ranks = rank, ranks
        self._samples = np.array([one.samples for one in material.recordings], dtype=np.int64)
        self._slots = self._counted()
        self._spare = self._samples - warmup - self._slots * segment
        # Place k of an epoch is slot `_slot[k]` of recording `_recording[k]`.
        self._recording = np.repeat(np.arange(len(self._slots)), self._slots)
        self._slot = np.arange(len(self._recording)) - np.repeat(
            np.cumsum(self._slots) - self._slots, self._slots
        )
        self._epochs: dict[int, tuple[Indices, np.ndarray]] = {}
        self._read = _Reader(material)
        self.hop = hop if any(material.features) or self._read.turned else 1

    def _counted(self) -> Indices:
        counts = (self._samples - self.warmup) // self.segment
        short = [
            f"{recording.name}: {recording.samples} samples are fewer than data.warmup + data.segment"
            f" = {self.warmup + self.segment}; lower data.segment or use longer recordings"
            for recording, count in zip(self.material.recordings, counts, strict=True)
            if count < 1
        ]
        if short:
            raise DataError(short)
        if not len(counts):
            raise DataError(["the train split has no recordings"])
        return slots(self._samples, self.warmup, self.segment)

    def __len__(self) -> int:
        """Return the number of segments in an epoch."""
        return len(self._recording)

    def batch(self, step: int, room: Mapping[str, torch.Tensor] | None = None) -> Batch:
        """Return the batch of optimiser step `step` (from 0), in the tensors of `room` where given."""
        recordings, starts = self._cuts(step)
        batch = self._collate(recordings, starts, room or self.room())
        generator = torch.Generator().manual_seed(self._drawn_from(step))
        for transform in self.transforms:
            batch = transform(batch, generator)
        return batch

    def room(self, pinned: bool = False) -> dict[str, torch.Tensor]:
        """Return tensors that a batch's audio fits in; `pinned` ones reach a GPU faster."""
        length = self.warmup + self.segment
        return {
            name: torch.empty(self.batch_size, side.channels, length, pin_memory=pinned)
            for name, side in self._read.sides.items()
        }

    def _drawn_from(self, step: int) -> int:
        return (self.seed * 7_368_787 + step + self.rank * 15_485_863_000) % 2**63

    def _epoch(self, epoch: int) -> tuple[Indices, np.ndarray]:
        if epoch not in self._epochs:
            generator = torch.Generator().manual_seed((self.seed * 1_000_003 + epoch) % 2**63)
            order = torch.randperm(len(self), generator=generator).numpy()
            offsets = torch.rand(len(self._slots), generator=generator).double().numpy()
            # A batch may reach from one epoch into the next.
            self._epochs = {epoch: (order, offsets), **dict(list(self._epochs.items())[:1])}
        return self._epochs[epoch]

    def _cuts(self, step: int) -> tuple[Indices, Indices]:
        """Return the recording and the start of each segment of a step."""
        first = (step * self.ranks + self.rank) * self.batch_size
        index = np.arange(first, first + self.batch_size)
        epochs = index // len(self)
        parts = [self._located(epoch, index[epochs == epoch]) for epoch in range(epochs[0], epochs[-1] + 1)]
        recordings, starts = (np.concatenate(part) for part in zip(*parts, strict=True))
        return recordings, starts

    def _located(self, epoch: int, index: Indices) -> tuple[Indices, Indices]:
        order, offsets = self._epoch(epoch)
        place = order[index % len(self)]
        recordings = self._recording[place]
        # The spare samples slide the whole grid of slots along the recording.
        slid = (offsets[recordings] * (self._spare[recordings] + 1)).astype(np.int64)
        starts = self._slot[place] * self.segment + slid
        return recordings, starts // self.hop * self.hop

    def _collate(self, recordings: Indices, starts: Indices, room: Mapping[str, torch.Tensor]) -> Batch:
        read, length = self._read, self.warmup + self.segment
        for name, side in read.sides.items():
            side.copy(recordings, starts, room[name])
        return Batch(
            target=room["target"],
            input=room.get("input"),
            knobs=read.knobs_of(recordings, starts, length, self.hop),
            features={
                name: one.of(recordings, starts, length, self.hop) for name, one in read.series.items()
            },
            warmup=self.warmup,
            names=tuple(read.names[recordings].tolist()),
            starts=torch.from_numpy(read.begun[recordings] + starts),
        )


def slots(samples: Sequence[int] | Indices, warmup: int, segment: int) -> Indices:
    """Return how many segments each of recordings of these lengths gives to an epoch."""
    counts = (np.asarray(samples, dtype=np.int64) - warmup) // segment
    # Giving up one slot of many leaves room for the grid to slide by at least a whole segment.
    return np.maximum(np.where(counts > _SLIDING_FROM, counts - 1, counts), 0)


class _Reader:
    """Hold a split's sides, features and facts as tables that a whole batch is read from at once."""

    def __init__(self, material: Material) -> None:
        recordings = material.recordings
        names = [one.name for one in recordings]
        inputs = [one.input for one in recordings if one.input is not None]
        knobs = [one.knobs for one in recordings if one.knobs is not None]
        self.names = np.array(names, dtype=object)
        self.begun = np.array([one.start for one in recordings], dtype=np.int64)
        self.sides = {"target": Side(names, [one.target for one in recordings])}
        if inputs:
            self.sides["input"] = Side(names, inputs)
        self.turned = Series(knobs) if knobs and knobs[0].ndim == 2 else None
        self.knobs = torch.stack(knobs) if knobs and not self.turned else None
        self.series = {
            name: Series([one[name] for one in material.features]) for name in material.features[0]
        }

    def knobs_of(self, recordings: Indices, starts: Indices, samples: int, hop: int) -> torch.Tensor | None:
        """Return the knobs of stretches: [batch, knobs], or [batch, knobs, frames] where they move."""
        if self.turned is not None:
            return self.turned.of(recordings, starts, samples, hop)
        return None if self.knobs is None else self.knobs[torch.from_numpy(recordings)]
