"""A split as training reads it: recordings with their features, and stretches of them for a batch."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from fxkit.errors import DataError
from fxkit.values import Recording
from fxkit_signal.compiled.gather import copy_rows

Indices = NDArray[np.int64]


@attrs.frozen(kw_only=True)
class Material:
    """Hold a split: recordings, in memory or mapped, and for each feature name -> [dims, frames]."""

    recordings: tuple[Recording, ...]
    features: tuple[Mapping[str, torch.Tensor], ...]


class Side:
    """Copy stretches of one side, input or target, of all recordings: a whole batch in one call."""

    def __init__(self, names: Sequence[str], audio: Sequence[torch.Tensor]) -> None:
        # The kernel reads float32 samples that lie one after the other.
        self._audio = [_in_order(one) for one in audio]
        self.channels = _channels(names, self._audio)
        self._first = np.array([one.data_ptr() for one in self._audio], dtype=np.int64)
        self._channel = 4 * np.array([one.stride(0) for one in self._audio], dtype=np.int64)
        self._samples = np.array([one.shape[-1] for one in self._audio], dtype=np.int64)

    def copy(self, recordings: Indices, starts: Indices, out: torch.Tensor) -> None:
        """Fill `out` [batch, channels, samples], each item from its recording and start."""
        samples = out.shape[-1]
        if (starts < 0).any() or (starts + samples > self._samples[recordings]).any():
            raise IndexError("a segment reaches beyond its recording")
        channels = np.arange(self.channels) * self._channel[recordings, None]
        addresses = (self._first[recordings] + 4 * starts)[:, None] + channels
        copy_rows(addresses.reshape(-1), out.view(-1, samples).numpy())


def _in_order(audio: torch.Tensor) -> torch.Tensor:
    audio = audio.to(torch.float32)
    return audio if audio.stride(-1) == 1 else audio.contiguous()


def _channels(names: Sequence[str], audio: Sequence[torch.Tensor]) -> int:
    counts = [len(one) for one in audio]
    odd = [f"{name}: {count} channels where {names[0]} has {counts[0]}; the dataset must offer all alike"
           for name, count in zip(names, counts, strict=True) if count != counts[0]]  # fmt: skip
    if odd:
        raise DataError(odd)
    return counts[0]


class Series:
    """Copy the frames of one feature that belong to stretches of recordings."""

    def __init__(self, series: Sequence[torch.Tensor]) -> None:
        self._frames = np.array([one.shape[-1] for one in series], dtype=np.int64)
        self._first = np.cumsum(self._frames) - self._frames
        self._values = torch.cat(list(series), dim=-1)

    def of(self, recordings: Indices, starts: Indices, samples: int, hop: int) -> torch.Tensor:
        """Return the frames [batch, dims, frames] that the stretches need; the last frame is held.

        `starts` are multiples of `hop`.
        """
        frames = np.arange((samples - 1) // hop + 2) + (starts // hop)[:, None]
        frames = np.minimum(frames, self._frames[recordings, None] - 1) + self._first[recordings, None]
        return self._values[:, torch.from_numpy(frames)].transpose(0, 1).contiguous()
