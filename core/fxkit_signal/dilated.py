"""Dilated causal convolution with what a network does around it: bias, sum and activation in one call."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import Tensor


def dilated(
    signal: Tensor,
    past: Tensor,
    weight: Tensor,
    bias: Tensor | None,
    dilation: int,
    *,
    add: Tensor | None = None,
    activation: str = "",
) -> Tensor:
    """Return activation(conv(past ++ signal) + bias + add), [batch, outputs, samples].

    `signal` [batch, inputs, samples]; `past` [batch, inputs, (taps - 1) * dilation], the samples before it;
    `weight` [outputs, inputs, taps] as in `torch.nn.Conv1d`, the last tap on the present sample; `bias`
    [outputs]; `add` [batch, outputs, samples or 1]. `activation` is one of `ACTIVATIONS`; "gated" is
    tanh(first half) * sigmoid(second half) and leaves half as many outputs (van den Oord et al., WaveNet,
    2016, equation 2). Differentiable with respect to every tensor.
    """
    joined = torch.cat((past, signal), dim=-1)
    summed = torch.nn.functional.conv1d(joined, weight, bias, dilation=dilation)
    return ACTIVATIONS[activation](summed if add is None else summed + add)


def past_after(signal: Tensor, past: Tensor) -> Tensor:
    """Return the last samples of past ++ signal, as many as `past` has: the past of the next block."""
    reach, samples = past.shape[-1], signal.shape[-1]
    if samples >= reach:
        # A copy: a view would keep the whole block alive, and be saved with it.
        return signal[..., samples - reach :].clone()
    return torch.cat((past[..., samples:], signal), dim=-1)


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
