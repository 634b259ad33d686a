"""The module of the reverberation by shaped noise."""

from __future__ import annotations

import math
from collections.abc import Mapping

import torch
from torch import Tensor, nn

from fxkit_dsp._edition import edition
from fxkit_dsp._pre_delay import read_late
from fxkit_signal.convolution import convolve
from fxkit_signal.memo import Memo
from fxkit_signal.noise import hashed_noise

_DECAY_60_DB = math.log(1000)
_FADE = 0.1


def octave_noise(seed: int, channels: int, bands: int, samples: int, rate: int) -> Tensor:
    """Make noise [channels, bands, samples] in octave bands, lowest first, that sum to white noise.

    Band edges are rounded by cosines over the logarithm of frequency. The level is such that the sum
    under a decay of 60 dB per second has an energy of 1. The last tenth is faded out.
    """
    seeds = seed + (torch.arange(channels) << 32)
    white = hashed_noise(seeds, 0, samples).double() * math.sqrt(3 * 2 * _DECAY_60_DB / rate)
    octave = (torch.linspace(0, 1, samples // 2 + 1).double().clamp(min=1e-9).log2() + bands - 0.5).clamp(
        0, bands - 1
    )
    hats = (1 - (octave - torch.arange(bands)[:, None]).abs()).clamp(min=0)
    weights = torch.sin(torch.pi / 2 * hats).square()
    noise: Tensor = torch.fft.irfft(torch.fft.rfft(white)[:, None] * weights, samples)
    fade = max(1, round(_FADE * samples))
    ramp = 0.5 + 0.5 * torch.cos(torch.pi * torch.arange(1, fade + 1) / (fade + 1))
    noise[..., -fade:] *= ramp
    return noise.float()


class NoiseReverbModule(nn.Module):
    """Shape `noise` [channels, bands, samples] into a response, convolve, and mix.

    The state is the audio before, as far as the response reaches.
    """

    noise: Tensor

    def __init__(self, noise: Tensor, rate: int, longest_pre_delay: float) -> None:
        super().__init__()
        self.rate = rate
        self.room = math.ceil(longest_pre_delay * rate / 1000) + 1
        self.register_buffer("noise", noise, persistent=False)
        self.memo: Memo[Tensor] = Memo()

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Reverberate audio [batch, channels, samples]; `mix` is [batch, 1, 1 or samples]."""
        shape = [params[name] for name in ("gain_db", "t60", "pre_delay")]
        response = self.memo(lambda: self._response(*shape), *shape, *map(edition, shape))
        wet, following = convolve(audio, response, state)
        return torch.lerp(audio, wet, params["mix"]), following

    def _response(self, gain_db: Tensor, t60: Tensor, pre_delay: Tensor) -> Tensor:
        """Return [batch, channels, room + samples]; the room in front takes up the pre-delay."""
        time = torch.arange(self.noise.shape[-1], device=gain_db.device, dtype=gain_db.dtype) / self.rate
        envelope = torch.exp(gain_db * (math.log(10) / 20) - time * (_DECAY_60_DB / t60))
        response = torch.einsum("bkn,ckn->bcn", envelope, self.noise)
        padded = nn.functional.pad(response, (self.room, self.room))
        return read_late(padded, pre_delay * (self.rate / 1000), self.room + time.shape[-1])
