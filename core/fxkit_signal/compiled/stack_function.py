"""Arrays of dilated layers as operations on tensors, on top of the compiled kernels."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from fxkit_signal.compiled import layer_stack as forwards
from fxkit_signal.compiled import stack_gradient as backwards
from fxkit_signal.compiled.threads import spread
from fxkit_signal.compiled.vectors import STRIP
from fxkit_signal.layer_stack import ArrayWeights, Packed, pack, weights_of
from fxkit_signal.turned_stack import Turned, turn

Place = tuple[int, int, int]
NOWHERE: Place = (0, 0, 0)
# Stretches that the way back takes at once, at least; and how many times the longest memory they last.
_STRETCHES, _LEAST = 8, 1


def run_stack(
    reading: Tensor, past: Tensor, packed: Packed, scale: float, marks: Tensor | None, span: int = 1
) -> tuple[Tensor, Tensor]:
    """Return output and past after it; `marks` receives what is past before each span but the first."""
    batch, reads, samples = reading.shape
    _check(reading, past, packed)
    reading, past = _rows(reading), _rows(past)
    out = reading.new_empty(batch, int(packed.arrays[-1, forwards.OUTPUTS]), samples)
    after = past.new_empty(past.shape)
    places: Any = _place(reading), _flat(past), _flat(after), _place(out)
    tables = packed.numbers.numpy(), packed.arrays.numpy(), packed.layers.numpy()
    options = packed.sizes, reads, samples, scale

    def work(first: int, stop: int) -> None:
        address = 0 if marks is None else marks[first].data_ptr()
        forwards.run(*places, address, span, *tables, *options, first, stop)  # type: ignore[call-arg]

    spread(work, batch)
    return out, after


def _check(reading: Tensor, past: Tensor, packed: Packed) -> None:
    # The kernels read memory by these shapes.
    batch, inputs, size = len(reading), int(packed.arrays[0, forwards.INPUTS]), packed.sizes[-1]
    if reading.shape[1] != inputs or past.shape != (batch, size):
        found = f"{list(reading.shape)} and {list(past.shape)}"
        raise ValueError(f"layers need [{batch}, {inputs}, any] and a past [{batch}, {size}], got {found}")


def run_learned(
    reading: Tensor, past: Tensor, arrays: Sequence[ArrayWeights], scale: float
) -> tuple[Tensor, Tensor]:
    """Return output and past after it, differentiable; see `fxkit_signal.layer_stack.learned`."""
    found: tuple[Tensor, Tensor] = _Stack.apply(reading, past, arrays, scale, *weights_of(arrays))  # type: ignore[no-untyped-call]
    return found


def _rows(tensor: Tensor) -> Tensor:
    """Return the tensor, copied only where neighbouring samples are not neighbours in memory."""
    return tensor if tensor.stride(-1) == 1 or tensor.shape[-1] == 1 else tensor.contiguous()


def _place(tensor: Tensor | None) -> Place:
    return NOWHERE if tensor is None else (tensor.data_ptr(), tensor.stride(0), tensor.stride(1))


def _flat(tensor: Tensor | None) -> tuple[int, int]:
    return NOWHERE[:2] if tensor is None else (tensor.data_ptr(), tensor.stride(0))


def _span(samples: int, reach: int) -> tuple[int, int]:
    """Return how many stretches the way back takes at once, and how many such spans begin later on."""
    length = min(forwards.LONGEST, -(-samples // STRIP) * STRIP)
    stretches = -(-samples // length)
    span = min(max(_STRETCHES, _LEAST * -(-reach // length)), stretches)
    return span, (stretches - 1) // span


class _Stack(torch.autograd.Function):
    @staticmethod
    def forward(
        ctx: Any,
        reading: Tensor,
        past: Tensor,
        arrays: Sequence[ArrayWeights],
        scale: float,
        *weights: Tensor,
    ) -> tuple[Tensor, Tensor]:
        # Copies, so that weights may change before the way back.
        packed, turned = pack(arrays), turn(arrays)
        span, later = _span(reading.shape[-1], turned.rows[2])
        marks = past.new_empty(len(past), later, past.shape[1])
        found = run_stack(reading, past, packed, scale, marks, span)
        ctx.save_for_backward(reading, past, marks)
        ctx.packed, ctx.turned, ctx.scale, ctx.span = packed, turned, scale, span
        ctx.shapes = [weight.shape for weight in weights]
        ctx.set_materialize_grads(False)
        return found

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad: Tensor | None, late: Tensor | None) -> tuple[Any, ...]:
        reading, past, marks = ctx.saved_tensors
        wants = ctx.needs_input_grad
        packed: Packed = ctx.packed
        turned: Turned = ctx.turned
        batch, _, samples = reading.shape
        if grad is None:
            grad = reading.new_zeros(batch, int(packed.arrays[-1, forwards.OUTPUTS]), samples)
        grad, late = _rows(grad), None if late is None else late.contiguous()
        reading, past = _rows(reading), _rows(past)
        to_reading = torch.empty_like(reading, memory_format=torch.contiguous_format) if wants[0] else None
        to_past = torch.empty_like(past, memory_format=torch.contiguous_format) if wants[1] else None
        places: Any = _place(grad), _flat(late), _place(reading), _flat(past), marks.data_ptr(), ctx.span
        places += _place(to_reading), _flat(to_past)
        tables = [(one.numbers.numpy(), one.arrays.numpy(), one.layers.numpy()) for one in (packed, turned)]
        options = *tables, turned.found.numpy(), packed.sizes, turned.rows, samples
        sums: dict[int, Any] = {}
        learns = any(wants[4:])

        def work(first: int, stop: int) -> None:
            sums[first] = backwards.backward(*places, *options, ctx.scale, learns, first, stop)  # type: ignore[call-arg]

        spread(work, batch)
        # In the order of the items, so that the sums do not depend on which thread was first.
        found = torch.from_numpy(sum(sums[first] for first in sorted(sums)))
        parts = found.split([shape.numel() for shape in ctx.shapes])
        to_weights = [
            part.view(shape) if wanted else None
            for part, shape, wanted in zip(parts, ctx.shapes, wants[4:], strict=True)
        ]
        return to_reading, to_past, None, None, *to_weights
