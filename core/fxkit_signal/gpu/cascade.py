"""A cascade of second-order sections whose coefficients move, on a CUDA device."""

from __future__ import annotations

from typing import Any

import torch
import triton
from torch import Tensor
from torch.autograd.function import once_differentiable

from fxkit_signal.gpu.second_order import CHAIN, TILE, adjoint_tiles, chain_tiles, compose_tiles, filter_tiles


def run_cascade(audio: Tensor, sos: Tensor, state: Tensor, hop: int, offset: int) -> tuple[Tensor, Tensor]:
    """Run sections whose coefficients are interpolated between frames; return audio and end state.

    `audio` [batch, channels, samples]; `sos` [batch or 1, frames, sections, 6], float32 or float64;
    `state` [batch, channels, sections, 2] float64. Differentiable once with respect to all three.
    """
    ends = []
    for section in range(sos.shape[2]):
        audio, end = _Section.apply(audio, sos, state[:, :, section], section, hop, offset)  # type: ignore[no-untyped-call]
        ends.append(end)
    return audio, torch.stack(ends, dim=2)


class _Section(torch.autograd.Function):
    """Run one section of a cascade over all rows."""

    @staticmethod
    def forward(
        ctx: Any, audio: Tensor, sos: Tensor, state: Tensor, section: int, hop: int, offset: int
    ) -> tuple[Tensor, Tensor]:
        audio, sos = audio.contiguous(), sos.contiguous()
        batch, channels, samples = audio.shape
        rows, tiles = batch * channels, triton.cdiv(samples, TILE)
        place = (rows // sos.shape[0], samples, *sos.shape[1:3], section, offset)
        grid = (tiles, rows)
        states = _states(state.reshape(rows, 2), tiles)
        maps = states.new_empty(rows, tiles, 6)
        y = torch.empty_like(audio)
        compose_tiles[grid](sos, audio, maps, *place, HOP=hop, BACKWARD=False, TILE=TILE)
        chain_tiles[(rows,)](maps, states, tiles, LINKS=triton.cdiv(tiles, CHAIN), CHAIN=CHAIN)
        filter_tiles[grid](sos, audio, y, states, *place, HOP=hop, TILE=TILE)
        ctx.save_for_backward(audio, sos, y)
        ctx.place, ctx.hop = place, hop
        return y, states[:, -1].reshape(batch, channels, 2).clone()

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor, grad_end: Tensor) -> tuple[Tensor | None, ...]:
        audio, sos, y = ctx.saved_tensors
        batch, channels, samples = audio.shape
        rows, tiles = batch * channels, triton.cdiv(samples, TILE)
        grad_y = grad_y.contiguous()
        grid = (tiles, rows)
        states = _states(grad_end.reshape(rows, 2), tiles)
        maps = states.new_empty(rows, tiles, 6)
        grad_x = torch.empty_like(audio)
        grads = sos.new_empty(rows, samples, 5)
        compose_tiles[grid](sos, grad_y, maps, *ctx.place, HOP=ctx.hop, BACKWARD=True, TILE=TILE)
        chain_tiles[(rows,)](maps, states, tiles, LINKS=triton.cdiv(tiles, CHAIN), CHAIN=CHAIN)
        adjoint_tiles[grid](sos, audio, y, grad_y, states, grad_x, grads, *ctx.place, HOP=ctx.hop, TILE=TILE)
        *_, section, offset = ctx.place
        grad_sos = torch.zeros_like(sos)
        grad_sos[:, :, section, [0, 1, 2, 4, 5]] = _to_frames(
            grads, sos.shape[0], sos.shape[1], ctx.hop, offset
        )
        return grad_x, grad_sos, states[:, -1].reshape(batch, channels, 2).clone(), None, None, None


def _states(start: Tensor, tiles: int) -> Tensor:
    states = start.new_empty(start.shape[0], tiles + 1, 2, dtype=torch.float64)
    states[:, 0] = start
    return states


def _to_frames(grads: Tensor, groups: int, frames: int, hop: int, offset: int) -> Tensor:
    """Sum the gradients of the samples' coefficients, [rows, samples, 5], into those of the frames."""
    per_group = grads if grads.shape[0] == groups else grads.unflatten(0, (groups, -1)).sum(1)
    if hop == 1:
        return per_group if offset == 0 and frames == grads.shape[1] else _padded(per_group, frames, offset)
    intervals = frames - 1
    tiles = _padded(per_group, intervals * hop, offset).unflatten(1, (intervals, hop))
    ramp = torch.arange(hop, dtype=grads.dtype, device=grads.device) / hop
    later = torch.einsum("gihc,h->gic", tiles, ramp)
    earlier = tiles.sum(2) - later
    return torch.nn.functional.pad(earlier, (0, 0, 0, 1)) + torch.nn.functional.pad(later, (0, 0, 1, 0))


def _padded(values: Tensor, length: int, offset: int) -> Tensor:
    behind = length - offset - values.shape[1]
    return torch.nn.functional.pad(values, (0, 0, offset, behind))
