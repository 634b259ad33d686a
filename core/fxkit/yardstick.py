"""A reference set, against which sets of recordings are measured."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence

import torch

from fxkit.embedding import VectorCache, count_windows, embedded, windows
from fxkit.protocols import Embedding
from fxkit.set_distance import Distance, Memorised, Provenance, SetDistance
from fxkit_signal import distribution

# Noise floors are those of these divisions of the reference.
SEEDS = (0, 1, 2, 3, 4)
PERCENTILE = 1.0
# A copy need not start where a window of the training recordings does.
GRID = 8
_SILENCE = 1e-4

Recordings = Sequence[torch.Tensor]
Measure = Callable[[torch.Tensor, torch.Tensor], float]


class Yardstick:
    """Hold a reference set, against which any number of sets are measured.

    `reference` are recordings [channels, samples]; `real` others of the same kind, whose distance is told
    beside every measured one; `training` those that could be copied, and `held_out` others, not trained on,
    that tell how near new recordings come to them. Vectors of all of these are kept in `cache`. Of more than
    `most` windows every second, third, ... is taken. A Fréchet distance needs `per_dim` windows per
    dimension on both sides, as its bias by the sample size (Gui et al., "Adapting Fréchet audio
    distance for generative music evaluation", 2024) is else larger than most differences. Raises
    `ValueError` for an empty reference and for what is no recording.
    """

    def __init__(
        self,
        embedding: Embedding,
        reference: Recordings,
        *,
        sample_rate: int,
        training: Recordings = (),
        held_out: Recordings = (),
        real: Recordings = (),
        per_dim: float = 10.0,
        most: int = 5000,
        cache: VectorCache | None = None,
    ) -> None:
        if not reference:
            raise ValueError("the reference holds no recording")
        self.embedding, self.sample_rate, self.per_dim = embedding, sample_rate, per_dim
        self._cache, self._most = cache, most
        self.reference = self._kept(reference)
        self._width = distribution.kernel_width(self.reference)
        self._within = _within(self.reference, self._width)
        self._others = self._kept(real) if real else None
        self._notes = (*_deaf(embedding, sample_rate), *_short(reference, embedding, "reference "))
        self._notes += self._thinned(reference)
        self._copies = None
        if training and held_out:
            fine = max(1, min(embedding.hop, embedding.samples // GRID))
            self._copies = self._sounding(training, fine), self._sounding(held_out, embedding.hop)
        self._floors: dict[tuple[str, int], tuple[float, float]] = {}
        self._apart: dict[str, float] = {}

    def measure(self, recordings: Recordings) -> SetDistance:
        """Measure how far recordings [channels, samples] are; raises `ValueError` when there are none."""
        if not recordings:
            raise ValueError("the measured set holds no recording")
        test = embedded(recordings, self.embedding)
        if test.shape[1] != self.reference.shape[1]:
            raise ValueError(f"vectors of {test.shape[1]} and of {self.reference.shape[1]} dimensions")
        sizes = len(self.reference), len(test)
        return SetDistance(
            mmd=self._distance("mmd", self._mmd, test) if min(sizes) > 1 else None,
            frechet=self._distance("frechet", distribution.frechet_distance, test)
            if self.enough(*sizes)
            else None,
            memorised=self._memorised(recordings, test),
            provenance=self._provenance(len(test)),
            notes=self.notes(recordings),
        )

    def notes(self, recordings: Recordings) -> tuple[str, ...]:
        """Return what has to be known about distances of these recordings, without measuring them."""
        hop = self.embedding.hop
        few = self._too_few(len(self.reference), count_windows(recordings, self.embedding, hop))
        return (*self._notes, *_short(recordings, self.embedding), *few)

    def enough(self, *sizes: int) -> bool:
        """Tell whether sets of so many windows allow a Fréchet distance."""
        return min(sizes) >= self._least

    @property
    def _least(self) -> int:
        return max(2, math.ceil(self.per_dim * self.reference.shape[1]))

    def _kept(self, recordings: Recordings, hop: int | None = None) -> torch.Tensor:
        hop = self._hop(recordings, hop or self.embedding.hop)
        make = embedded if self._cache is None else self._cache.embedded
        return make(recordings, self.embedding, hop)

    def _hop(self, recordings: Recordings, hop: int) -> int:
        """Return `hop`, or the multiple of it at which there are no more windows than there may be."""
        most = self._most * max(1, self.embedding.hop // hop)
        return hop * -(-count_windows(recordings, self.embedding, hop) // most)

    def _sounding(self, recordings: Recordings, hop: int) -> torch.Tensor:
        loud = _loud(recordings, self.embedding, self._hop(recordings, hop))
        return self._kept(recordings, hop)[loud]

    def _mmd(self, one: torch.Tensor, other: torch.Tensor) -> float:
        within = self._within if one is self.reference else _within(one, self._width)
        across = distribution.mean_kernel(one, other, self._width)
        return within + _within(other, self._width) - 2 * across

    def _distance(self, name: str, measure: Measure, test: torch.Tensor) -> Distance:
        return Distance(
            value=measure(self.reference, test),
            floor=self._floor(name, measure, min(len(test), len(self.reference) // 2)),
            real=self._real_distance(name, measure),
        )

    def _floor(self, name: str, measure: Measure, size: int) -> tuple[float, float] | None:
        if size < 2:
            return None
        if (name, size) not in self._floors:
            divided = (distribution.parts(self.reference, size, seed) for seed in SEEDS)
            found = [measure(rest, part) for part, rest in divided]
            self._floors[name, size] = min(found), max(found)
        return self._floors[name, size]

    def _real_distance(self, name: str, measure: Measure) -> float | None:
        least = 2 if name == "mmd" else self._least
        if self._others is None or len(self._others) < least:
            return None
        if name not in self._apart:
            self._apart[name] = measure(self.reference, self._others)
        return self._apart[name]

    def _memorised(self, recordings: Recordings, vectors: torch.Tensor) -> Memorised | None:
        if self._copies is None:
            return None
        training, held_out = self._copies
        test = vectors[_loud(recordings, self.embedding)]
        if not (len(training) and len(held_out) and len(test)):
            return None
        usual = max(PERCENTILE / 100, 1 / (len(held_out) + 1))
        # The percentile of few windows is uncertain by about itself, and so is the share of few.
        limit = 4 * usual + 3 * math.sqrt(usual * (1 - usual) / len(test))
        share = distribution.memorised_share(test, training, held_out, PERCENTILE)
        return Memorised(share=share, usual=usual, limit=min(1.0, limit))

    def _provenance(self, test: int) -> Provenance:
        embedding = self.embedding
        return Provenance(
            embedding=embedding.provenance,
            weights=getattr(embedding, "digest", ""),
            dims=self.reference.shape[1],
            reference=len(self.reference),
            test=test,
            window=embedding.samples / self.sample_rate,
            hop=embedding.hop / self.sample_rate,
            sample_rate=self.sample_rate,
        )

    def _thinned(self, reference: Recordings) -> tuple[str, ...]:
        one_in = self._hop(reference, self.embedding.hop) // self.embedding.hop
        return (f"of the reference's windows one in {one_in} is used",) if one_in > 1 else ()

    def _too_few(self, reference: int, test: int) -> tuple[str, ...]:
        if min(reference, test) < 2:
            return (f"{reference} windows in the reference and {test} to measure: a distance needs two each",)
        if self.enough(reference, test):
            return ()
        dims = self.reference.shape[1]
        return (
            f"{reference} windows in the reference and {test} to measure, of {dims} dimensions: no Fréchet"
            f" distance, as with less than {self._least} each its bias hides what it measures",
        )


def _within(vectors: torch.Tensor, width: float) -> float:
    return distribution.mean_kernel_within(vectors, width) if len(vectors) > 1 else 1.0


def _loud(recordings: Recordings, embedding: Embedding, hop: int | None = None) -> torch.Tensor:
    """Tell of each window whether there is sound in it, above -80 dBFS."""
    return torch.cat([windows(one, embedding, hop).abs().amax(dim=(1, 2)) > _SILENCE for one in recordings])


def _deaf(embedding: Embedding, sample_rate: int) -> tuple[str, ...]:
    hears = getattr(embedding, "network_rate", sample_rate)
    if hears <= sample_rate:
        return ()
    missing = f"the network hears at {hears} Hz, the recordings have {sample_rate} Hz"
    return (f"{missing}: figures can be compared with those of recordings of that rate alone",)


def _short(recordings: Recordings, embedding: Embedding, whose: str = "") -> tuple[str, ...]:
    short = sum(one.shape[-1] < embedding.samples for one in recordings)
    how = "repeated" if getattr(embedding, "repeats", False) else "filled up with silence"
    text = f"{short} of {len(recordings)} {whose}recordings are shorter than a window of {embedding.samples}"
    return (f"{text} samples and {how}",) if short else ()
