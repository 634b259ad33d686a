"""The rise of the learning rate at the start of a run."""

from __future__ import annotations


def warmed(step: int, warmup: int) -> float:
    """Return the factor on the learning rate at `step` (from 0): a straight rise over `warmup` steps."""
    return min(1.0, (step + 1) / (warmup + 1))
