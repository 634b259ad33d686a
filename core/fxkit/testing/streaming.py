"""Check that a signal in blocks gives what the whole signal gives."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fxkit.testing.case import Case, run, stirred
from fxkit.testing.check import distance, promise
from fxkit.testing.track import Tracks

TOLERANCE = 1e-5
# Blocks of 1 cost one call per sample, so they cover the start alone.
SPLITS: tuple[tuple[int, ...], ...] = (
    (1,) * 70,
    (7,) * 150,
    (64,) * 24,
    (512,) * 3,
    (1, 333, 2, 64, 48, 1, 96, 511, 5, 48, 427),
    (1536,),
)


# A signal shorter than the latency would compare silence with silence.
SHORT_LEAD = 256


def check_streaming(case: Case) -> None:
    """Check that blocks of 1, 7, 64, 512 and of irregular sizes give what one block gives, to 1e-5.

    Parameters move at the rates that they may.
    """
    compare_blocks(case, stirred(case), case.tracks(case.lead + max(map(sum, SPLITS))), SPLITS)


def compare_blocks(case: Case, module: Any, tracks: Tracks, splits: Sequence[tuple[int, ...]]) -> None:
    """Raise where any of the splits gives other values than one block does."""
    whole = run(case, module, tracks)
    lead = (case.lead // 2 + 3, case.lead - case.lead // 2 - 3) if case.lead > SHORT_LEAD else ()
    for blocks in splits:
        joined = run(case, module, tracks, (*lead, *blocks))
        error = distance(joined, whole[..., : joined.shape[-1]])
        sizes = ", ".join(map(str, sorted(set(blocks))))
        promise(error <= TOLERANCE, case, f"in blocks of {sizes} differs from offline by {error:.1e}")
