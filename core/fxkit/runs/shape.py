"""What a trained model takes: channels and knobs, kept beside its weights so that no data is needed."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import tomli

from fxkit.errors import RunError
from fxkit.protocols import Dataset
from fxkit.runs.folder import RunFolder


@attrs.frozen(kw_only=True)
class Shape:
    """Hold the channels of the dry input (0 for none) and the target, and each knob's range.

    `settings` are the different settings of the knobs, scaled to [0, 1], that were recorded for training.
    """

    channels: int
    target_channels: int
    knobs: Mapping[str, tuple[float, float]]
    settings: tuple[tuple[float, ...], ...] = ()

    def facts(self) -> dict[str, Any]:
        """Return what a model is planned and built from, beside the experiment."""
        return {
            "channels": self.channels,
            "target_channels": self.target_channels,
            "knobs": tuple(self.knobs),
            "knob_ranges": self.knobs,
            "knob_settings": self.settings,
        }

    def document(self) -> dict[str, Any]:
        """Return the shape as a table of the lock."""
        return {
            "channels": self.channels,
            "target_channels": self.target_channels,
            "knobs": {name: list(span) for name, span in self.knobs.items()},
            "settings": [list(values) for values in self.settings],
        }


def shape_of(dataset: Dataset) -> Shape:
    """Read the shape off a dataset; a knob without a known range is taken as it is (0 to 1)."""
    ranges: Mapping[str, tuple[float, float]] = getattr(dataset, "knob_ranges", {})
    return Shape(
        channels=dataset.channels,
        target_channels=dataset.target_channels,
        knobs={name: ranges.get(name, (0.0, 1.0)) for name in dataset.knobs},
        settings=_settings(dataset) if dataset.knobs else (),
    )


def _settings(dataset: Dataset) -> tuple[tuple[float, ...], ...]:
    knobs = [one.knobs for one in dataset.recordings("train") if one.knobs is not None]
    # Knobs that were turned meanwhile are no setting.
    return tuple(sorted({tuple(values.tolist()) for values in knobs if values.ndim == 1}))


def read_shape(folder: RunFolder) -> Shape:
    """Read the shape from a run's lock.

    Raises `RunError` when the lock is missing or damaged.
    """
    try:
        table = tomli.loads(folder.lock.read_text(encoding="utf-8"))["model"]
        knobs = {name: (float(low), float(high)) for name, (low, high) in table["knobs"].items()}
        return Shape(
            channels=table["channels"],
            target_channels=table["target_channels"],
            knobs=knobs,
            # Locks of earlier versions do not have them.
            settings=tuple(tuple(map(float, values)) for values in table.get("settings", ())),
        )
    except (OSError, tomli.TOMLDecodeError, KeyError, ValueError) as error:
        raise RunError(f"{folder.lock}: missing or damaged ({error}); the run cannot be loaded") from error
