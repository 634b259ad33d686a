"""Cut the part of an example that is shown or heard."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs
import numpy as np
import numpy.typing as npt

from fxkit_signal.overview import loudest_start

if TYPE_CHECKING:
    import torch

    from fxkit.engine.session import Example

Array = npt.NDArray[np.float64]


@attrs.frozen(kw_only=True)
class Excerpt:
    """Hold samples [start, stop) of a recording at `sample_rate` Hz."""

    start: int
    stop: int
    sample_rate: int

    @property
    def seconds(self) -> tuple[float, float]:
        """Return the first and last time in seconds."""
        return self.start / self.sample_rate, self.stop / self.sample_rate

    def times(self, count: int) -> Array:
        """Return `count` even times in seconds over the excerpt."""
        return np.linspace(*self.seconds, count, endpoint=False)

    def part(self, audio: torch.Tensor) -> torch.Tensor:
        """Return the excerpt of audio [channels, samples]."""
        return audio[:, self.start : self.stop]

    def cut(self, audio: torch.Tensor) -> Array:
        """Return the excerpt of the first channel of audio [channels, samples]."""
        return audio[0, self.start : self.stop].double().numpy()


def loudest(example: Example, sample_rate: int, seconds: float) -> Excerpt:
    """Find the excerpt of `seconds` whose target has the most energy, in the scored part.

    A recording that is shorter is taken whole.
    """
    scored = example.target[:, example.skip :].numpy()
    length = min(max(1, round(seconds * sample_rate)), scored.shape[-1])
    start = example.skip + loudest_start(scored, length)
    return Excerpt(start=start, stop=start + length, sample_rate=sample_rate)
