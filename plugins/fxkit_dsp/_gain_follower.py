"""The modules of expander and compressor: audio times a gain that follows a level."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from fxkit_dsp._dynamics import Link
from fxkit_dsp._level import linked_level, settings_of
from fxkit_signal.dynamics import Design, join_settings, joined_gain
from fxkit_signal.gain_computer import amplitude
from fxkit_signal.memo import Memo


class GainFollower(nn.Module):
    """Scale audio by the gain of a dynamics design, whose state it carries."""

    def __init__(self, sample_rate: int, design: Design, link: Link) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.design = design
        self.link = link
        self.memo: Memo[Tensor] = Memo()

    def forward(
        self,
        audio: Tensor,
        params: Mapping[str, Tensor],
        state: Tensor | None = None,
        *,
        sidechain: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Scale audio [batch, channels, samples]; each parameter is [batch, 1, 1 or samples]."""
        heard = audio if sidechain is None else sidechain
        gain, state = self.gain(heard, params, state, channels=audio.shape[1])
        return audio * gain, state

    def gain(
        self, heard: Tensor, params: Mapping[str, Tensor], state: Tensor | None, *, channels: int
    ) -> tuple[Tensor, Tensor]:
        """Return the gain, [batch, channels or 1, samples], and the next state."""
        level = linked_level(heard, self.link, channels=channels, power=self.design.power)
        return joined_gain(level, self._settings(params), self.design, state)

    def _settings(self, params: Mapping[str, Tensor]) -> Tensor:
        def make() -> Tensor:
            return join_settings(settings_of(params, self.sample_rate, self.design))

        return self.memo(make, *params.values())


class CompressorModule(GainFollower):
    """Add make-up gain and a dry share."""

    def __init__(self, sample_rate: int, design: Design, link: Link) -> None:
        super().__init__(sample_rate, design, link)
        self.makeup: Memo[Tensor] = Memo()

    def forward(
        self,
        audio: Tensor,
        params: Mapping[str, Tensor],
        state: Tensor | None = None,
        *,
        sidechain: Tensor | None = None,
    ) -> tuple[Tensor, Tensor]:
        """Compress audio [batch, channels, samples]; each parameter is [batch, 1, 1 or samples]."""
        heard = audio if sidechain is None else sidechain
        gain, state = self.gain(heard, params, state, channels=audio.shape[1])
        makeup = self.makeup(lambda: amplitude(params["makeup_db"]), params["makeup_db"])
        wet = audio * (gain * makeup)
        return audio.lerp(wet, params["mix"]), state
