"""The module of the tremolo."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from fxkit_dsp._swept import SweptModule, SweptState


class TremoloModule(SweptModule):
    """Multiply audio by a gain that follows the oscillator."""

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: SweptState | None = None
    ) -> tuple[Tensor, SweptState]:
        """Process audio [batch, channels, samples]."""
        before = self.begin(state)
        fall = params["depth"] * (0.5 - 0.5 * self.sweep(audio, params, before))
        return audio * (1 - fall).to(audio.dtype), self.after(audio, before, None)
