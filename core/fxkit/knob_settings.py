"""Bring knobs, as a person gives them by name, to the form in which a model reads them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import numpy as np
import numpy.typing as npt

from fxkit.errors import RunError

# One value for all of the audio, or one for each sample of it.
Setting = float | npt.ArrayLike
Ranges = Mapping[str, tuple[float, float]]
_Numbers = npt.NDArray[np.floating[Any]]


def knob_settings(
    given: Mapping[str, Setting], ranges: Ranges, *, samples: int, frame: float
) -> npt.NDArray[np.float32] | None:
    """Return the knobs scaled to [0, 1] in the order of `ranges`; None for a model without.

    They are [knobs], or [knobs, frames] where any of them moves over the `samples` of audio; `frame` is the
    distance of frames in these samples. Raises `RunError` for other knobs than the model's and for values
    that do not fit the audio.
    """
    if given.keys() != ranges.keys():
        wanted = ", ".join(f"{name} ({low:g} to {high:g})" for name, (low, high) in ranges.items())
        raise RunError(f"the model takes knobs: {wanted or 'none'}; got: {', '.join(given) or 'none'}")
    if not ranges:
        return None
    values = {name: np.asarray(given[name], dtype=np.float64) for name in ranges}
    for name, one in values.items():
        if one.shape not in ((), (samples,)):
            shape = "x".join(map(str, one.shape))
            raise RunError(f"{name}: {shape} values for {samples} samples; give one, or one per sample")
    scaled = [np.asarray((values[name] - low) / (high - low)) for name, (low, high) in ranges.items()]
    if not any(one.ndim for one in scaled):
        return np.array(scaled, dtype=np.float32)
    # The last frame lies at the last sample or behind it.
    moments = frame * np.arange(int((samples - 1) / frame) + 2)
    tracks = [_sampled(one, moments, samples) for one in scaled]
    return np.stack(tracks).astype(np.float32)


def _sampled(values: _Numbers, moments: _Numbers, samples: int) -> _Numbers:
    whole = values if values.ndim else np.full(samples, float(values))
    return np.asarray(np.interp(moments, np.arange(samples), whole))
