"""The `logmel-stats` embedding: level and movement in a few bands."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Embedding


@attrs.frozen(kw_only=True)
class LogmelStats:
    """Describe a window by the mean and the standard deviation of its log-mel bands.

    Fixed arithmetic: no training, no weights, any sample rate, and the level counts. Eight bands give
    16 dimensions, few enough for some hundred windows. It is not the embedding of any published
    Fréchet audio distance, and a distance by it is not called one.
    """

    bands: int = opt(8, ge=1, le=128, help="mel bands between 40 Hz and the top")
    window: float = opt(1.0, unit="s", gt=0, le=60, help="length of what becomes one vector")
    top: float = opt(
        16000.0, unit="Hz", gt=100, help="where the last band ends, at most half the sample rate"
    )
    floor: float = opt(-100.0, unit="dBFS", ge=-200, le=0, help="magnitude that every bin has at least")

    @classmethod
    def examples(cls) -> tuple[LogmelStats, ...]:
        """Return the defaults, and fewer bands that end lower."""
        return cls(), cls(bands=4, top=8000.0)

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the options together."""
        if self.window < 0.1:
            yield "window", f"{self.window:g} s is too short to tell a mean from; use 0.1 s or more"

    def build(self, ctx: BuildContext) -> Embedding:
        """Build the embedding; raises `ValueError` where the window holds too little."""
        for name, text in self.problems():
            raise ValueError(f"{name} {text}")
        from fxkit_embeddings._logmel_stats import LogmelStatsModule

        return LogmelStatsModule(self, ctx.sample_rate)
