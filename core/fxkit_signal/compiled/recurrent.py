"""Recurrent layers as differentiable operations on tensors, on top of the compiled kernels.

A layer is worked on in stretches of time that fit into the cache. The way there keeps the outputs and, at
the start of each stretch, the state; the way back forms the sums before the gates of a stretch as one
matrix product, walks it, and adds one matrix product to the gradients of all weights. Nothing of the size
of all gates is ever held.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor
from torch.amp.autocast_mode import custom_bwd, custom_fwd
from torch.autograd.function import once_differentiable

from fxkit_signal.compiled import recurrent_gru, recurrent_lstm
from fxkit_signal.compiled.recurrent_layout import COLUMNS, Layer
from fxkit_signal.compiled.threads import spread

# Numbers before the gates that are worked on together: 1 MiB.
STRETCH = 1 << 18
KERNELS: dict[str, Any] = {"lstm": recurrent_lstm, "gru": recurrent_gru}


def run(layer: Layer, signal: Tensor, states: Sequence[Tensor]) -> tuple[Tensor, tuple[Tensor, ...]]:
    """Run a layer over [batch, samples, channels]; see `fxkit_signal.recurrent`."""
    signal, states = layer.columns(signal), [layer.padded(state) for state in states]
    wanted = (signal, layer.wx, layer.wh, layer.bias, *states)
    if torch.is_grad_enabled() and any(one is not None and one.requires_grad for one in wanted):
        hidden, *after = _Layer.apply(layer, *wanted)  # type: ignore[no-untyped-call]
    else:
        hidden, after, _ = _forward(layer, signal, states, keep=False)
    return layer.cut(hidden), tuple(layer.cut(state) for state in after)


def _stretches(batch: int, samples: int, units: int) -> list[tuple[int, int]]:
    """Return where each stretch of time begins, and how many steps it has."""
    steps = max(1, min(samples, STRETCH // (batch * COLUMNS * units)))
    return [(start, min(steps, samples - start)) for start in range(0, samples, steps)]


def _sharing(kernel: Any, before: Sequence[Any], *after: int) -> Callable[[int, int], None]:
    def work(first: int, stop: int) -> None:
        kernel(*before, first, stop, *after)

    return work


def _forward(
    layer: Layer, signal: Tensor, states: Sequence[Tensor], keep: bool
) -> tuple[Tensor, list[Tensor], list[Tensor]]:
    """Return the outputs, the states after them, and those before each stretch if they are to be kept."""
    batch, samples, _ = signal.shape
    hidden = signal.new_empty(batch, samples, layer.units)
    after = [state.clone(memory_format=torch.contiguous_format) for state in states]
    arrays = layer.there.numpy(), hidden.numpy(), *(state.numpy() for state in after)
    signal, forward, kept = signal.contiguous(), KERNELS[layer.kind].forward, []
    stretches = _stretches(batch, samples, layer.units)
    # New for every stretch, the memory would cost more than the products that fill it.
    space = None if layer.wx is None else signal.new_empty(batch * stretches[0][1], len(layer.wh))
    for start, steps in stretches:
        if keep:
            kept.append(after[-1].clone())
        gates, at = signal.detach(), start
        if space is not None:
            gates, at = _before_gates(layer, signal[:, start : start + steps], space), 0
        spread(_sharing(forward, (gates.numpy(), *arrays), at, start, steps), batch)
    return hidden, after, kept


def _before_gates(layer: Layer, piece: Tensor, space: Tensor) -> Tensor:
    """Return what the inputs of a stretch bring to the columns, in `space`."""
    batch, steps, channels = piece.shape
    gates = space[: batch * steps]
    assert layer.wx is not None
    assert layer.bias is not None
    # Autocast leaves a product alone whose place is given.
    torch.addmm(layer.bias, piece.reshape(batch * steps, channels), layer.wx.t(), out=gates)
    return gates.view(batch, steps, -1)


class _Layer(torch.autograd.Function):
    @staticmethod
    @custom_fwd(device_type="cpu", cast_inputs=torch.float32)  # type: ignore[untyped-decorator]
    def forward(
        ctx: Any,
        layer: Layer,
        signal: Tensor,
        wx: Tensor | None,
        wh: Tensor,
        bias: Tensor | None,
        *states: Tensor,
    ) -> tuple[Tensor, ...]:
        hidden, after, ctx.kept = _forward(layer, signal, states, keep=True)
        ctx.save_for_backward(signal, wx, wh, bias, hidden, states[0])
        ctx.layer = layer
        return hidden, *after

    @staticmethod
    @custom_bwd(device_type="cpu")  # type: ignore[untyped-decorator]
    @once_differentiable
    def backward(ctx: Any, grad: Tensor, *carried: Tensor) -> tuple[Any, ...]:
        signal, wx, wh, bias, hidden, first = ctx.saved_tensors
        grad = grad.contiguous()
        weights = wh if wx is None else torch.cat((wh, wx, bias[:, None]), dim=1)
        to_weights = torch.zeros_like(weights.t(), memory_format=torch.contiguous_format)
        to_signal = torch.empty_like(signal) if ctx.needs_input_grad[1] else None
        carry = [one.clone(memory_format=torch.contiguous_format) for one in carried]
        stretches = _stretches(*hidden.shape)
        space = _Space(hidden, stretches[0][1], weights.shape[1])
        for (start, steps), before in zip(reversed(stretches), reversed(ctx.kept), strict=True):
            piece = signal[:, start : start + steps]
            rows = space.joined(None if wx is None else piece, hidden, first, start, steps).flatten(0, 1)
            gates = torch.mm(rows, weights.t(), out=space.gates[: len(rows)])
            if wx is None:
                gates += piece.reshape(gates.shape)
            _walk_back(ctx.layer, gates, space.factors, grad, before, carry, start)
            to_weights.addmm_(rows.t(), gates)
            if to_signal is not None:
                to_piece = gates if wx is None else gates @ wx
                to_signal[:, start : start + steps] = to_piece.view(piece.shape)
        if wx is None:
            return None, to_signal, None, to_weights.t(), None, *carry
        to_wh, to_wx, to_bias = to_weights.split((wh.shape[1], wx.shape[1], 1))
        return None, to_signal, to_wx.t(), to_wh.t(), to_bias[0], *carry


class _Space:
    """Hold the memory that the way back needs for one stretch, the longest."""

    def __init__(self, hidden: Tensor, steps: int, inputs: int) -> None:
        rows, units = len(hidden) * steps, hidden.shape[2]
        self.inputs = hidden.new_empty(rows, inputs)
        self.gates = hidden.new_empty(rows, COLUMNS * units)
        self.factors = hidden.new_empty(rows, 2 * units)

    def joined(self, piece: Tensor | None, hidden: Tensor, first: Tensor, start: int, steps: int) -> Tensor:
        """Return what the gates of a stretch are made of: h before each step, the signal and a one."""
        batch, _, units = hidden.shape
        joined = self.inputs[: batch * steps].view(batch, steps, -1)
        joined[:, 0, :units] = first if start == 0 else hidden[:, start - 1]
        joined[:, 1:, :units] = hidden[:, start : start + steps - 1]
        if piece is not None:
            joined[..., units:-1] = piece
            joined[..., -1] = 1.0
        return joined


def _walk_back(
    layer: Layer,
    gates: Tensor,
    factors: Tensor,
    grad: Tensor,
    before: Tensor,
    carry: Sequence[Tensor],
    start: int,
) -> None:
    """Turn the sums before the gates of a stretch into their gradients, and `carry` into that before it."""
    batch = len(grad)
    factors = factors[: len(gates)].view(batch, -1, factors.shape[1])
    tensors = (gates.view(batch, -1, gates.shape[1]), factors, grad, layer.back, before, *carry)
    arrays = [tensor.numpy() for tensor in tensors]
    spread(_sharing(KERNELS[layer.kind].backward, arrays, start), batch)
