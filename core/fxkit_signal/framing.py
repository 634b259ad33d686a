"""The frame clock: when frames fall due, and how values between two frames are interpolated.

Frame k holds at sample k * hop. Sample n of [k * hop, (k + 1) * hop) lies between frames k and
k + 1, so a stretch of samples [start, stop) needs the frames up to (stop - 1) // hop + 1.
"""

from __future__ import annotations

from typing import TypedDict

import torch
from torch import Tensor


class FrameState(TypedDict):
    """Hold where a frame series stands: samples done (int64, CPU) and the last two frames given."""

    position: Tensor
    frames: Tensor


def frames_given(position: int, hop: int) -> int:
    """Count the frames that the samples [0, position) have needed."""
    return 0 if position == 0 else (position - 1) // hop + 2


def frames_due(position: int, samples: int, hop: int) -> int:
    """Count the frames that fall due in the block of `samples` that starts at sample `position`.

    Frames that an earlier block needed are not due again; a block inside one hop may have none.
    """
    return frames_given(position + samples, hop) - frames_given(position, hop)


def bracket_frames(
    values: Tensor, samples: int, hop: int, state: FrameState | None = None
) -> tuple[Tensor, int, FrameState]:
    """Gather all frames that a block lies between, from those kept and those that fall due.

    `values` [batch, dims, frames due]. Returns frames [batch, dims, n], an offset and the next state:
    sample j of the block lies at frame (offset + j) / hop of the returned ones.

    Raises `ValueError` when `values` does not hold the frames that are due.
    """
    position = 0 if state is None else int(state["position"])
    due = frames_due(position, samples, hop)
    if values.shape[-1] != due:
        raise ValueError(
            f"{samples} samples at {position} with hop {hop} need {due} new frames, got {values.shape[-1]}"
        )
    frames = values if state is None or position == 0 else torch.cat([state["frames"], values], dim=-1)
    offset = position - max(position - 1, 0) // hop * hop
    return frames, offset, {"position": torch.tensor(position + samples), "frames": frames[..., -2:]}


def control_frames(
    values: Tensor, samples: int, hop: int, state: FrameState | None = None
) -> tuple[Tensor, int, FrameState]:
    """Gather the frames that a block lies between, of values that either stand still or come in frames.

    `values` [batch, dims, n]. The block that starts a signal has at least two frames due, so a single
    value there is a constant, and stays one. Returns frames [batch, dims, n], an offset and the next
    state, as `bracket_frames` does; a constant comes back as one frame with offset 0.
    """
    if state is None or int(state["position"]) == 0:
        if values.shape[-1] == 1:
            return values, 0, {"position": torch.tensor(samples), "frames": values[..., :0]}
    elif not state["frames"].shape[-1]:
        # Of what stands still nothing is counted but that it has begun.
        return values, 0, state
    return bracket_frames(values, samples, hop, state)


def interpolate_frames(
    values: Tensor, samples: int, hop: int, state: FrameState | None = None
) -> tuple[Tensor, FrameState]:
    """Interpolate frames linearly to every sample of a block.

    `values` [batch, dims, frames due in this block] (see `frames_due`); None as state means sample 0.
    Returns [batch, dims, samples] and the next state. Any split into blocks gives the same values.

    Raises `ValueError` when `values` does not hold the frames that are due.
    """
    frames, offset, following = bracket_frames(values, samples, hop, state)
    if samples == 0:
        return frames[..., :0], following
    ramp = torch.arange(hop, dtype=frames.dtype, device=frames.device) / hop
    tiles = torch.lerp(frames[..., :-1, None], frames[..., 1:, None], ramp)
    return tiles.flatten(-2)[..., offset : offset + samples], following
