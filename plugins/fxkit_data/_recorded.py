"""Hold what every dataset of this package builds: whole recordings, by split."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import numpy as np
from numpy.typing import NDArray

from fxkit.errors import DataError
from fxkit.values import Recording

SPLITS = ("train", "val", "test")


@attrs.frozen(kw_only=True, eq=False)
class RecordedSplits:
    """Offer recordings by split, with what is known of them.

    `knob_ranges` maps each knob to the (low, high) in the device's own unit that became 0 and 1.
    `report` is the gate's findings (None for made-up material that needs no check); its `table()`
    is for people to read. `mapped` tells whether the audio lies in mapped files, not in memory.
    `rates` are those of the files, in Hz.
    """

    channels: int
    target_channels: int
    splits: Mapping[str, tuple[Recording, ...]]
    knobs: tuple[str, ...] = ()
    knob_ranges: Mapping[str, tuple[float, float]] = attrs.field(factory=dict)
    report: Any = None
    mapped: bool = False
    rates: tuple[int, ...] = ()

    def recordings(self, split: str) -> Sequence[Recording]:
        """Return the recordings of "train", "val" or "test"; raise `DataError` for another name."""
        if split not in self.splits:
            raise DataError([f"split {split!r} does not exist; use one of {', '.join(SPLITS)}"])
        return self.splits[split]


def content_digest(*arrays: NDArray[np.float32]) -> str:
    """Return the SHA-256 of shapes and samples, the same for the same audio in any file format."""
    digest = hashlib.sha256()
    for array in arrays:
        digest.update(repr(array.shape).encode())
        digest.update(np.ascontiguousarray(array, dtype="<f4").data)
    return digest.hexdigest()
