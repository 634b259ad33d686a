"""How far a set of recordings is from a reference set, and how much of it is copied."""

from __future__ import annotations

from typing import Any

import attrs


@attrs.frozen(kw_only=True)
class Provenance:
    """Hold what a distance was measured by.

    `embedding` says what the vectors are and `weights` is the SHA-256 of its weights, empty where it has
    none; `dims` numbers per vector; `reference` and `test` count windows of `window` s, `hop` s apart.
    """

    embedding: str
    weights: str
    dims: int
    reference: int
    test: int
    window: float
    hop: float
    sample_rate: int


@attrs.frozen(kw_only=True)
class Distance:
    """Hold one distance, with what it has to be compared with.

    `floor`: lowest and highest distance between one part of the reference, drawn at random and as large as
    the measured set (or half of it), and the rest. `real`: the distance of real recordings that are not in
    the reference.
    """

    value: float
    floor: tuple[float, float] | None = None
    real: float | None = None

    def __str__(self) -> str:
        floor = "" if self.floor is None else f", noise floor {self.floor[0]:.1e} .. {self.floor[1]:.1e}"
        real = "" if self.real is None else f", real recordings {self.real:.1e}"
        return f"{self.value:.1e}{floor}{real}"


@attrs.frozen(kw_only=True)
class Memorised:
    """Hold the share of windows that lie nearer to training windows than held-out recordings do.

    Sound alone counts, silence is like silence. `usual` is the share that new recordings have, `limit`
    what they seldom exceed; at 1 there are too few held-out windows to tell.
    """

    share: float
    usual: float
    limit: float

    @property
    def suspicious(self) -> bool:
        """Tell whether there are more near-copies than chance explains."""
        return self.share > self.limit

    def __str__(self) -> str:
        end = ": copies of training recordings" if self.suspicious else ""
        return f"memorised {self.share:.1%} (up to {self.limit:.1%} by chance){end}"


@attrs.frozen(kw_only=True)
class SetDistance:
    """Hold how far a set of recordings is from a reference.

    `mmd` is the unbiased squared maximum mean discrepancy, `frechet` the squared Fréchet distance; None
    where the sets are too small for it, which `notes` then say, one line each.
    """

    mmd: Distance | None
    frechet: Distance | None
    memorised: Memorised | None
    provenance: Provenance
    notes: tuple[str, ...] = ()

    def figures(self) -> dict[str, float]:
        """Return every figure that there is, by name."""
        found: dict[str, float] = {}
        for name, distance in (("mmd", self.mmd), ("frechet", self.frechet)):
            found |= {} if distance is None else _figures(name, distance)
        return found | ({} if self.memorised is None else {"memorised": self.memorised.share})

    def to_dict(self) -> dict[str, Any]:
        """Return all of it as plain values."""
        return attrs.asdict(self)

    def __str__(self) -> str:
        shown = [] if self.mmd is None else [str(self.mmd)]
        shown += [] if self.frechet is None else [f"Fréchet {self.frechet}"]
        shown += [] if self.memorised is None else [str(self.memorised)]
        return "; ".join(shown or self.notes)


def _figures(name: str, distance: Distance) -> dict[str, float]:
    low, high = distance.floor or (None, None)
    ends = {"floor_low": low, "floor_high": high, "real": distance.real}
    given = {f"{name}_{end}": value for end, value in ends.items() if value is not None}
    return {name: distance.value, **given}
