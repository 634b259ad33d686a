"""The level of audio in blocks of one hop, as controllers hear it."""

from __future__ import annotations

import torch

# Keeps the square root's slope finite on silence; -120 dBFS.
_POWER_FLOOR = 1e-12


def pooled_levels(audio: torch.Tensor, hop: int) -> torch.Tensor:
    """Return root mean square and largest magnitude, [batch, blocks, 2], of blocks of `hop` samples.

    `audio` is [batch, channels, blocks * hop]; both measures run over all channels.
    """
    batch, channels, samples = audio.shape
    blocks = audio.reshape(batch, channels, samples // hop, hop).transpose(1, 2).flatten(2)
    power = blocks.square().mean(dim=-1)
    return torch.stack(((power + _POWER_FLOOR).sqrt(), blocks.abs().amax(dim=-1)), dim=-1)


def silent_start(audio: torch.Tensor, hop: int) -> torch.Tensor:
    """Return the samples that wait before the first ones of `audio`: two blocks, for frames 0 and 1."""
    return audio.new_zeros(*audio.shape[:2], 2 * hop)


def completed_levels(
    audio: torch.Tensor, waiting: torch.Tensor, hop: int
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the levels [batch, blocks, 2] of the blocks that `audio` completes, and what waits after it.

    The newest block waits until a sample after it is seen: frames fall due that way.
    """
    joined = torch.cat((waiting, audio), dim=-1)
    blocks = max(joined.shape[-1] - 1, 0) // hop
    # A copy: a view would keep the whole of the audio alive, and be saved with it.
    return pooled_levels(joined[..., : blocks * hop], hop), joined[..., blocks * hop :].clone()


def with_knobs(levels: torch.Tensor, knobs: torch.Tensor | None) -> torch.Tensor:
    """Return the levels with the knobs [batch, knobs], if any, beside them in every block."""
    if knobs is None:
        return levels
    return torch.cat((levels, knobs[:, None].expand(-1, levels.shape[1], -1)), dim=-1)
