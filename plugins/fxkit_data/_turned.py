"""A knob that is turned during a recording: points in time with straight lines in between."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import attrs
import numpy as np

if TYPE_CHECKING:
    import torch


@attrs.frozen
class Turned:
    """Hold the seconds, rising from the start of the recording, and the setting at each."""

    seconds: tuple[float, ...]
    values: tuple[float, ...]


Setting = float | Turned


def turned(written: Any) -> Turned | None:
    """Return what a list of [seconds, setting] says; None for anything else."""
    if not isinstance(written, list) or not written:
        return None
    if not all(isinstance(point, list) and len(point) == 2 for point in written):
        return None
    numbers = [number for point in written for number in point]
    plain = all(isinstance(number, (int, float)) and not isinstance(number, bool) for number in numbers)
    if not plain or not all(map(math.isfinite, numbers)):
        return None
    seconds, values = (tuple(map(float, column)) for column in zip(*written, strict=True))
    rising = all(before < after for before, after in pairwise(seconds))
    return Turned(seconds, values) if rising and seconds[0] >= 0 else None


def values_of(setting: Setting) -> tuple[float, ...]:
    """Return all values that a setting names."""
    return setting.values if isinstance(setting, Turned) else (setting,)


def moves(settings: Sequence[Setting]) -> bool:
    """Tell whether one of the knobs is turned."""
    return any(isinstance(one, Turned) for one in settings)


def knob_track(settings: Sequence[Setting], *, first: int, samples: int, rate: int, hop: int) -> torch.Tensor:
    """Return settings as float32 frames [knobs, frames].

    The recording starts at sample `first` of the file, on whose clock the seconds run.
    """
    import torch

    moments = (first + hop * np.arange((samples - 1) // hop + 2)) / rate
    tracks = [_sampled(one, moments) for one in settings]
    return torch.from_numpy(np.stack(tracks).astype(np.float32))


def _sampled(setting: Setting, moments: Any) -> Any:
    if isinstance(setting, Turned):
        return np.interp(moments, setting.seconds, setting.values)
    return np.full(len(moments), setting)
