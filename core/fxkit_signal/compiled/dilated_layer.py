"""The dilated convolution as a differentiable operation on tensors, on top of the compiled kernels."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from fxkit_signal.compiled import dilated as kernels
from fxkit_signal.compiled.activation import GATED, LEAKY, NONE, RELU, SIGMOID, TANH
from fxkit_signal.compiled.threads import spread

CODES = {"": NONE, "tanh": TANH, "sigmoid": SIGMOID, "relu": RELU, "leaky-relu": LEAKY, "gated": GATED}

Place = tuple[int, int, int]
NOWHERE: Place = (0, 0, 0)


def run_dilated(
    signal: Tensor,
    past: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    dilation: int,
    add: Tensor | None,
    gain: Tensor | None,
    code: int,
) -> Tensor:
    """Run one layer; see `fxkit_signal.dilated.dilated`."""
    tensors = (signal, past, weight, bias, add, gain)
    if torch.is_grad_enabled() and any(t is not None and t.requires_grad for t in tensors):
        out: Tensor = _Dilated.apply(*tensors, dilation, code)  # type: ignore[no-untyped-call]
        return out
    return _forward(signal, past, weight, bias, add, gain, dilation, code, keep=False)[0]


def _rows(tensor: Tensor) -> Tensor:
    """Return the tensor, copied only where neighbouring samples are not neighbours in memory."""
    return tensor if tensor.stride(-1) == 1 or tensor.shape[-1] == 1 else tensor.contiguous()


def _place(tensor: Tensor | None) -> Place:
    return NOWHERE if tensor is None else (tensor.data_ptr(), tensor.stride(0), tensor.stride(1))


def _address(tensor: Tensor | None) -> int:
    return 0 if tensor is None else tensor.data_ptr()


def _shape(signal: Tensor, weight: Tensor, dilation: int) -> tuple[int, int, int, int, int]:
    outputs, inputs, taps = weight.shape
    return inputs, outputs, taps, dilation, signal.shape[-1]


def _forward(
    signal: Tensor,
    past: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    add: Tensor | None,
    gain: Tensor | None,
    dilation: int,
    code: int,
    keep: bool,
) -> tuple[Tensor, Tensor | None]:
    """Return the output, and of a gated one the gate, which the way back needs."""
    shape = _shape(signal, weight, dilation)
    batch, outputs, samples = len(signal), shape[1], shape[4]
    out = signal.new_empty(batch, outputs // 2 if code == GATED else outputs, samples)
    kept = torch.empty_like(out) if keep and code == GATED else None
    signal, past, weight = _rows(signal), _rows(past), weight.contiguous()
    bias, gain = (None if t is None else t.contiguous() for t in (bias, gain))
    add = None if add is None else _rows(add.expand(batch, outputs, -1))
    still = add is not None and add.shape[-1] < samples
    places: Any = _place(signal), _place(past), _place(add), still
    # What the kernel reads by its address must live until it returns: the names above see to that.
    places += _address(weight), _address(bias), _address(gain), _place(out), _place(kept), shape, code
    spread(lambda first, stop: kernels.forward(*places, first, stop), batch)  # type: ignore[call-arg]
    return out, kept


class _Dilated(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        signal: Tensor,
        past: Tensor,
        weight: Tensor,
        bias: Tensor | None,
        add: Tensor | None,
        gain: Tensor | None,
        dilation: int,
        code: int,
    ) -> Tensor:
        out, gate = _forward(signal, past, weight, bias, add, gain, dilation, code, keep=True)
        ctx.save_for_backward(signal, past, weight, gain, out, gate)
        ctx.options = dilation, code
        ctx.still = None if add is None else add.shape
        return out

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor) -> tuple[Tensor | None, ...]:
        signal, past, weight, gain, bent, gate = ctx.saved_tensors
        dilation, code = ctx.options
        wants = ctx.needs_input_grad
        shape = _shape(signal, weight, dilation)
        to_signal = torch.empty_like(signal, memory_format=torch.contiguous_format) if wants[0] else None
        to_past = torch.empty_like(past, memory_format=torch.contiguous_format) if wants[1] else None
        signal, past, grad = _rows(signal), _rows(past), _rows(grad)
        to_add = grad if code == NONE else None
        if wants[4] and code != NONE:
            to_add = signal.new_empty(len(signal), shape[1], shape[4])
        weight, gain = weight.contiguous(), None if gain is None else gain.contiguous()
        places: Any = _place(grad), _place(bent), _place(gate), _place(signal), _place(past)
        places += _address(weight), _address(gain), _place(to_add), _place(to_signal), _place(to_past)
        sums: dict[int, Any] = {}

        def work(first: int, stop: int) -> None:
            options = shape, code, wants[2]
            sums[first] = kernels.backward(*places, *options, first, stop)  # type: ignore[call-arg]

        spread(work, len(signal))
        # In the order of the items, so that the sums do not depend on which thread was first.
        found = [sum(shares) for shares in zip(*(sums[first] for first in sorted(sums)), strict=True)]
        to_weight, to_bias, to_gain = (torch.from_numpy(numbers).to(signal.dtype) for numbers in found)
        return (
            to_signal,
            to_past,
            to_weight.view_as(weight) if wants[2] else None,
            to_bias if wants[3] else None,
            to_add.sum_to_size(ctx.still) if to_add is not None and wants[4] else None,
            to_gain.view_as(gain) if gain is not None and wants[5] else None,
            None,
            None,
        )
