"""Check that a signal in blocks gives what the whole signal gives."""

from __future__ import annotations

from fxkit.testing.case import Case, run, stirred
from fxkit.testing.check import distance, promise

TOLERANCE = 1e-5
# Blocks of 1 cost one call per sample, so they cover the start alone.
SPLITS: tuple[tuple[int, ...], ...] = (
    (1,) * 200,
    (7,) * 150,
    (64,) * 24,
    (512,) * 3,
    (1, 333, 2, 64, 48, 1, 96, 511, 5, 48, 427),
    (1536,),
)


def check_streaming(case: Case) -> None:
    """Check blocks of 1, 7, 64, 512 and of irregular sizes against one block, to 1e-5 of the peak."""
    module = stirred(case)
    tracks = case.tracks(max(map(sum, SPLITS)))
    whole = run(case, module, tracks)
    for blocks in SPLITS:
        joined = run(case, module, tracks, blocks)
        error = distance(joined, whole[..., : joined.shape[-1]])
        sizes = ", ".join(map(str, sorted(set(blocks))))
        promise(error <= TOLERANCE, case, f"in blocks of {sizes} differs from offline by {error:.1e}")
