"""How each parameter moved over the training: what every validation found."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from fxkit_callbacks._course import LARGEST, Array


class History:
    """Keep, per validation and "node.parameter", the least, middle and greatest value of each entry.

    The three run over the split's recordings and over time: they are one number where nothing moves.
    Of a parameter of more than `LARGEST` entries, the middle values alone are kept.
    """

    def __init__(self) -> None:
        self.steps: list[int] = []
        self.tracks: dict[str, list[torch.Tensor]] = {}

    def add(self, step: int, examples: Sequence[Mapping[str, torch.Tensor]]) -> None:
        """Add a validation at `step`; `examples` are each recording's "node.parameter" -> [size, time]."""
        if not examples:
            return
        self.steps.append(step)
        for name in examples[0]:
            self.tracks.setdefault(name, []).append(_summary([tracks[name] for tracks in examples]))

    def series(self, name: str) -> torch.Tensor:
        """Return [points, entries, 3]: least, median and greatest value at each of `steps`.

        [points, entries, 1] for a parameter of more than `LARGEST` entries: the medians.
        """
        return torch.stack(self.tracks[name])

    def arrays(self) -> dict[str, Array]:
        """Return "node.parameter" -> what `series` does, as arrays."""
        return {name: self.series(name).numpy() for name in self.tracks}

    def newest(self) -> dict[str, float]:
        """Return the last validation's medians as "node.parameter", or "node.parameter.N" of several entries.

        Where it moves, "….least" and "….greatest" come along; parameters of more than `LARGEST` entries are
        left out.
        """
        figures = {}
        for name, points in self.tracks.items():
            entries = points[-1].tolist() if self.steps and points[-1].shape[-1] == 3 else []
            for number, (least, median, greatest) in enumerate(entries, start=1):
                label = name if len(entries) == 1 else f"{name}.{number}"
                figures[label] = median
                if greatest > least:
                    figures |= {f"{label}.least": least, f"{label}.greatest": greatest}
        return figures

    def state_dict(self) -> dict[str, Any]:
        """Return the history as plain values and tensors."""
        return {"steps": list(self.steps), "tracks": {name: self.series(name) for name in self.tracks}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.steps = list(state["steps"])
        self.tracks = {name: list(series.cpu().unbind()) for name, series in state["tracks"].items()}


def _summary(tracks: Sequence[torch.Tensor]) -> torch.Tensor:
    values = torch.cat(list(tracks), dim=-1)
    middle = values.median(-1).values
    if values.shape[0] > LARGEST:
        return middle[:, None]
    return torch.stack([values.amin(-1), middle, values.amax(-1)], dim=-1)
