"""Divide recordings into train, val and test: by content, or one recording by time."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs

from fxkit_data._recorded import SPLITS


@attrs.frozen(kw_only=True)
class Fractions:
    """Hold the shares of the material that validation and test get."""

    val: float
    test: float

    def counts(self, total: int) -> tuple[int, int]:
        """Return how many of `total` validation and test get: at least one of each share above zero."""
        return tuple(max(1, round(share * total)) if share else 0 for share in (self.val, self.test))  # type: ignore[return-value]

    def without(self, taken: Sequence[str]) -> Fractions:
        """Return the shares that are left when the splits in `taken` have material of their own."""
        return Fractions(val=0.0 if "val" in taken else self.val, test=0.0 if "test" in taken else self.test)


def by_content(digests: Sequence[str], fractions: Fractions) -> Mapping[str, str] | None:
    """Give each distinct content (hex SHA-256) a split; None when there are too few to go round.

    Contents are ranked by their hash: the lowest are the test split, the highest the validation
    split. So the choice depends on the audio alone, not on names, order or seed, and a further file
    moves at most one other over each border.
    """
    ranked = sorted(set(digests))
    val, test = fractions.counts(len(ranked))
    if val + test >= len(ranked):
        return None
    return {
        digest: "test" if rank < test else "val" if rank >= len(ranked) - val else "train"
        for rank, digest in enumerate(ranked)
    }


def by_time(samples: int, fractions: Fractions, gap: int) -> Mapping[str, slice]:
    """Cut `samples` into contiguous parts, train first, then val, then test, `gap` samples apart.

    A part that the gap leaves nothing of is an empty slice.
    """
    lengths = {"val": round(fractions.val * samples), "test": round(fractions.test * samples)}
    lengths["train"] = samples - sum(lengths.values())
    parts, start = {}, 0
    for split in SPLITS:
        stop = start + lengths[split]
        first = start + gap if start and lengths[split] else start
        parts[split] = slice(min(first, stop), stop)
        start = stop
    return parts
