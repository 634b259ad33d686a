"""What goes into a plugin under test: named tensors, each on a time grid, that can be cut and changed."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Literal

import attrs
import torch

from fxkit_signal.framing import frames_given

Grid = Literal["constant", "sample", "frame"]


@attrs.frozen(kw_only=True, eq=False)
class Track:
    """Hold one input: `values` [batch, size, 1 | samples | frames], or [batch, size] without time.

    Frame k of a "frame" track holds at sample k * `hop`.
    """

    values: torch.Tensor
    grid: Grid
    hop: int = 0

    def index(self, sample: int) -> int:
        """Return how many of the track's values a block needs that ends before `sample`."""
        return sample if self.grid == "sample" else frames_given(sample, self.hop)

    def cut(self, start: int, stop: int) -> Track:
        """Return the values that fall due in the block of samples [start, stop)."""
        if self.grid == "constant":
            return self
        return attrs.evolve(self, values=self.values[..., self.index(start) : self.index(stop)])

    def changed_from(self, sample: int) -> Track:
        """Return the track with other values at every time from `sample` on."""
        first = sample if self.grid == "sample" else -(-sample // self.hop)
        values = self.values.clone()
        # Values of another item stay inside whatever range the values have.
        values[..., first:] = values[..., first:].flip(0, -1)
        return attrs.evolve(self, values=values)


Tracks = Mapping[str, Track]


def cut(tracks: Tracks, start: int, stop: int) -> Tracks:
    """Cut every track to the block of samples [start, stop)."""
    return {name: track.cut(start, stop) for name, track in tracks.items()}


def on_values(tracks: Tracks, change: Callable[[torch.Tensor], torch.Tensor]) -> Tracks:
    """Return the tracks with `change` applied to every tensor."""
    return {name: attrs.evolve(track, values=change(track.values)) for name, track in tracks.items()}


def with_values(tracks: Tracks, name: str, values: torch.Tensor) -> Tracks:
    """Return the tracks with other values for one of them."""
    return {**tracks, name: attrs.evolve(tracks[name], values=values)}


def wander(shape: tuple[int, ...], generator: torch.Generator) -> torch.Tensor:
    """Return smooth random tracks in [0.05, 0.95], each of its own frequency and phase."""
    time = torch.arange(shape[-1], dtype=torch.float32)
    rate = 0.002 + 0.02 * torch.rand(*shape[:-1], 1, generator=generator)
    phase = 2 * torch.pi * torch.rand(*shape[:-1], 1, generator=generator)
    return 0.5 + 0.45 * torch.sin(rate * time + phase)
