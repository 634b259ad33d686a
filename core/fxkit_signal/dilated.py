"""Dilated causal convolution with what a network does around it: bias, sum and activation in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor

from fxkit_signal.dispatch import compiled_for

# Above so many channels in and out, or taps, the libraries behind torch are as quick.
_MOST_CHANNELS, _MOST_TAPS = 128, 32


def dilated(
    signal: Tensor,
    past: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    dilation: int,
    *,
    add: Tensor | None = None,
    activation: str = "",
    gain: Tensor | None = None,
) -> Tensor:
    """Return activation(conv(past ++ signal) + bias + add) + gain signal, [batch, outputs, samples].

    `signal` [batch, inputs, samples]; `past` [batch, inputs, (taps - 1) * dilation], the samples before it;
    `weight` [outputs, inputs, taps] as in `torch.nn.Conv1d`, the last tap on the present sample; `bias`
    [outputs]; `add` [batch, outputs or 1, samples or 1]; `gain` of a residual path, [outputs] or that with
    ones behind, for as many inputs as outputs or one. `activation` is one of `ACTIVATIONS`; "gated" is
    tanh(first half) * sigmoid(second half) and leaves half as many outputs (van den Oord et al., WaveNet,
    2016, equation 2); it takes no `gain`. Differentiable once with respect to every tensor.

    On the CPU one compiled pass does it all for float32 and up to 128 channels, and keeps the output alone
    for the way back; torch operations do it otherwise.
    """
    _check(signal, past, weight, dilation, add, gain)
    if _fits_compiled(signal, past, weight, bias, add, gain):
        from fxkit_signal.compiled.dilated_layer import CODES, run_dilated

        # Where these lie flat, the output and a residual path no longer tell on which side it was.
        if gain is None or activation not in ("relu", "leaky-relu"):
            return run_dilated(signal, past, weight, bias, dilation, add, gain, CODES[activation])
        bent = run_dilated(signal, past, weight, bias, dilation, add, None, CODES[activation])
    else:
        bent = _by_torch(signal, past, weight, bias, dilation, add, activation)
    return bent if gain is None else torch.addcmul(bent, gain.view(-1, 1), signal)


def past_after(signal: Tensor, past: Tensor) -> Tensor:
    """Return the last samples of past ++ signal, as many as `past` has: the past of the next block."""
    reach, samples = past.shape[-1], signal.shape[-1]
    if samples >= reach:
        # A copy: a view would keep the whole block alive, and be saved with it.
        return signal[..., samples - reach :].clone()
    return torch.cat((past.narrow(-1, samples, reach - samples), signal), dim=-1)


def _check(
    signal: Tensor, past: Tensor, weight: Tensor, dilation: int, add: Tensor | None, gain: Tensor | None
) -> None:
    # The kernels read memory by these shapes.
    (batch, channels, samples), (outputs, inputs, taps) = signal.shape, weight.shape
    if channels != inputs or past.shape != (batch, inputs, (taps - 1) * dilation):
        wanted = f"signal [{batch}, {inputs}, any] and past [{batch}, {inputs}, {(taps - 1) * dilation}]"
        found = f"{list(signal.shape)} and {list(past.shape)}"
        raise ValueError(f"a weight {list(weight.shape)} of dilation {dilation} needs {wanted}, got {found}")
    if add is not None and (add.dim() != 3 or add.shape[-1] not in (1, samples)):
        raise ValueError(f"add must be [{batch}, {outputs}, {samples} or 1], got {list(add.shape)}")
    if gain is not None and (gain.numel() != outputs or inputs not in (1, outputs)):
        wanted = f"gain [{outputs}] and {outputs} inputs or one"
        raise ValueError(f"a residual path needs {wanted}, got {list(gain.shape)} and {inputs}")


def _fits_compiled(*tensors: Tensor | None) -> bool:
    signal, _, weight, bias, *_ = tensors
    if signal is None or weight is None or not signal.numel():
        return False
    outputs, inputs, taps = weight.shape
    if max(outputs, inputs) > _MOST_CHANNELS or taps > _MOST_TAPS:
        return False
    if bias is not None and bias.shape != (outputs,):
        return False
    single = all(tensor is None or tensor.dtype == torch.float32 for tensor in tensors)
    return single and compiled_for(*tensors)


def _by_torch(
    signal: Tensor,
    past: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    dilation: int,
    add: Tensor | None,
    activation: str,
) -> Tensor:
    joined = torch.cat((past, signal), dim=-1)
    summed = torch.nn.functional.conv1d(joined, weight, bias, dilation=dilation)
    return ACTIVATIONS[activation](summed if add is None else summed + add)


def _gated(signal: Tensor) -> Tensor:
    heard, gate = signal.chunk(2, dim=1)
    return torch.tanh(heard) * torch.sigmoid(gate)


def _same(signal: Tensor) -> Tensor:
    return signal


ACTIVATIONS: Mapping[str, Callable[[Tensor], Tensor]] = {
    "": _same,
    "tanh": torch.tanh,
    "sigmoid": torch.sigmoid,
    "relu": torch.relu,
    "leaky-relu": torch.nn.functional.leaky_relu,
    "gated": _gated,
}
