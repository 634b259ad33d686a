"""The module of the multiband compressor."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch import Tensor, nn

from fxkit_dsp._gain_follower import GainFollower
from fxkit_signal.crossover import linkwitz_riley
from fxkit_signal.framing import control_frames
from fxkit_signal.gain_computer import amplitude


class MultibandCompressorModule(nn.Module):
    """Split audio, scale each band by the gain of its own compressor, and add up."""

    def __init__(self, follower: GainFollower, bands: int, hop: int) -> None:
        super().__init__()
        self.follower = follower
        self.bands = bands
        self.hop = hop

    def forward(
        self,
        audio: Tensor,
        params: Mapping[str, Tensor],
        state: Any = None,
        *,
        sidechain: Tensor | None = None,
    ) -> tuple[Tensor, Any]:
        """Compress audio [batch, channels, samples]; `crossover` comes as constants or frames due."""
        before = state or {}
        frequency, offset, clock = control_frames(
            params["crossover"], audio.shape[-1], self.hop, before.get("clock")
        )
        clocked = {"rate": self.follower.sample_rate, "hop": self.hop, "offset": offset}
        bands, split = linkwitz_riley(audio, frequency, state=before.get("split"), **clocked)
        heard, key = bands, None
        if sidechain is not None:
            heard, key = linkwitz_riley(sidechain, frequency, state=before.get("key"), **clocked)
        # Bands are items of a larger batch to the followers.
        each = {
            name: values.reshape(-1, 1, values.shape[-1])
            for name, values in params.items()
            if values.shape[1] == self.bands and name not in ("crossover", "mix")
        }
        gain, follower = self.follower.gain(
            heard.flatten(0, 1), each, before.get("follower"), channels=audio.shape[1]
        )
        gain = (gain * amplitude(each["makeup_db"])).unflatten(0, bands.shape[:2])
        mixed = bands.lerp(bands * gain, params["mix"][:, None])
        return mixed.sum(dim=1), {"clock": clock, "split": split, "key": key, "follower": follower}
