"""Cut, order and batch training segments as a pure function of seed and step.

Nothing is remembered between steps, so a resumed run reads the same data as an uninterrupted one.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import torch

from fxkit.errors import DataError
from fxkit.protocols import Transform
from fxkit.values import Batch, Recording

_SLIDING_FROM = 8


@attrs.frozen(kw_only=True)
class Material:
    """Hold a split in memory: recordings and, for each, feature name -> [dims, frames]."""

    recordings: tuple[Recording, ...]
    features: tuple[Mapping[str, torch.Tensor], ...]


@attrs.frozen(kw_only=True)
class _Place:
    """Locate one segment of an epoch: which recording, and which slot of it."""

    recording: int
    slot: int


class Segments:
    """Offer batches of training segments.

    Each epoch visits every slot of every recording once, in a new order and with a new offset; slot
    edges move with the offset, so all samples are seen. Segment starts are multiples of `hop`.
    `transforms` change each batch in order, with a generator that seed and step alone decide.
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
    ) -> None:
        self.material = material
        self.segment = segment
        self.warmup = warmup
        self.batch_size = batch_size
        self.seed = seed
        self.hop = hop if any(material.features) else 1
        self.transforms = tuple(transforms)
        self.places = self._places()
        self._epochs: dict[int, tuple[torch.Tensor, torch.Tensor]] = {}

    def _places(self) -> tuple[_Place, ...]:
        places: list[_Place] = []
        problems = []
        for index, recording in enumerate(self.material.recordings):
            slots = self._slots(recording)
            if slots < 1:
                problems.append(
                    f"{recording.name}: {recording.samples} samples are fewer than data.warmup + data.segment"
                    f" = {self.warmup + self.segment}; lower data.segment or use longer recordings"
                )
            places.extend(_Place(recording=index, slot=slot) for slot in range(slots))
        if problems:
            raise DataError(problems)
        if not places:
            raise DataError(["the train split has no recordings"])
        return tuple(places)

    def _slots(self, recording: Recording) -> int:
        slots = (recording.samples - self.warmup) // self.segment
        # Giving up one slot of many leaves room for the grid to slide by at least a whole segment.
        return slots - 1 if slots > _SLIDING_FROM else slots

    def __len__(self) -> int:
        """Return the number of segments in an epoch."""
        return len(self.places)

    def batch(self, step: int) -> Batch:
        """Return the batch of optimiser step `step` (from 0)."""
        first = step * self.batch_size
        batch = self._collate([self._cut(index) for index in range(first, first + self.batch_size)])
        generator = torch.Generator().manual_seed((self.seed * 7_368_787 + step) % 2**63)
        for transform in self.transforms:
            batch = transform(batch, generator)
        return batch

    def _epoch(self, epoch: int) -> tuple[torch.Tensor, torch.Tensor]:
        if epoch not in self._epochs:
            generator = torch.Generator().manual_seed((self.seed * 1_000_003 + epoch) % 2**63)
            order = torch.randperm(len(self.places), generator=generator)
            offsets = torch.rand(len(self.material.recordings), generator=generator)
            self._epochs = {epoch: (order, offsets)}
        return self._epochs[epoch]

    def _cut(self, index: int) -> tuple[Recording, Mapping[str, torch.Tensor], int]:
        order, offsets = self._epoch(index // len(self.places))
        place = self.places[int(order[index % len(self.places)])]
        recording = self.material.recordings[place.recording]
        spare = recording.samples - self.warmup - self._slots(recording) * self.segment
        # The spare samples slide the whole grid of slots along the recording.
        start = place.slot * self.segment + int(offsets[place.recording] * (spare + 1))
        return recording, self.material.features[place.recording], start // self.hop * self.hop

    def _collate(self, cuts: Sequence[tuple[Recording, Mapping[str, torch.Tensor], int]]) -> Batch:
        length = self.warmup + self.segment
        recordings = [recording for recording, _, _ in cuts]
        inputs = [r.input[:, s : s + length] for r, _, s in cuts if r.input is not None]
        knobs = [r.knobs for r in recordings if r.knobs is not None]
        names = cuts[0][1].keys()
        features = {
            name: torch.stack([frames_of(f[name], s, length, self.hop) for _, f, s in cuts]) for name in names
        }
        return Batch(
            target=torch.stack([r.target[:, s : s + length] for r, _, s in cuts]),
            input=torch.stack(inputs) if inputs else None,
            knobs=torch.stack(knobs) if knobs else None,
            features=features,
            warmup=self.warmup,
            names=tuple(r.name for r in recordings),
            starts=torch.tensor([recording.start + start for recording, _, start in cuts]),
        )


def frames_of(series: torch.Tensor, start: int, samples: int, hop: int) -> torch.Tensor:
    """Return the frames [dims, frames] that samples [start, start + samples) need; the last is held.

    `series` is [dims, frames] of the whole recording; `start` is a multiple of `hop`.
    """
    first, last = start // hop, (start + samples - 1) // hop + 1
    index = torch.arange(first, last + 1).clamp(max=series.shape[-1] - 1)
    return series[:, index]
