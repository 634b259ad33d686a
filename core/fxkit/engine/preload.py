"""Decide whether mapped recordings are read into memory, and do so."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import attrs

from fxkit.engine.memory import in_words
from fxkit.values import Recording

Preload = Literal["auto", "always", "never"]
Splits = Mapping[str, tuple[Recording, ...]]

# The rest is for the model, its gradients, and files that the system keeps at hand.
SHARE = 0.5


@attrs.frozen(kw_only=True)
class Held:
    """Hold the recordings of all splits and a line that says where they are."""

    splits: Splits
    where: str


def hold(splits: Splits, *, mapped: bool, preload: Preload, free: int) -> Held:
    """Read mapped recordings into memory where asked to; "auto" does when half of `free` bytes hold them.

    What a dataset already has in memory stays there.
    """
    size = sum(_bytes(recording) for recordings in splits.values() for recording in recordings)
    if not mapped:
        return Held(splits=splits, where=f"{in_words(size)} of audio in memory")
    fits = size <= SHARE * free
    if preload == "always" or (preload == "auto" and fits):
        loaded = {name: tuple(map(_loaded, recordings)) for name, recordings in splits.items()}
        return Held(splits=loaded, where=f"{in_words(size)} of audio read into memory")
    why = "as data.preload says" if preload == "never" else f"more than half of the {in_words(free)} free"
    return Held(splits=splits, where=f"{in_words(size)} of audio mapped from files ({why})")


def _bytes(recording: Recording) -> int:
    sides = (recording.target, recording.input)
    return sum(side.numel() * side.element_size() for side in sides if side is not None)


def _loaded(recording: Recording) -> Recording:
    dry = recording.input
    return attrs.evolve(
        recording, target=recording.target.clone(), input=None if dry is None else dry.clone()
    )
