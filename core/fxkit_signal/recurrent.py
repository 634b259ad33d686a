"""Recurrent layers, LSTM and GRU, as functions with explicit state, equal to those of torch.nn.

Hochreiter and Schmidhuber, Long short-term memory (1997), with the forget gate of Gers, Schmidhuber and
Cummins (2000); Cho et al., Learning phrase representations using RNN encoder-decoder (2014), with the
reset gate applied to the product of matrix and state. On the CPU, in float32, they run on compiled kernels
that hold no gates for the way back; everything else runs on torch's own operations.
"""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch._compile import _disable_dynamo

from fxkit_signal.dispatch import compiled_for
from fxkit_signal.memo import Memo

# From here on a step's weights leave the cache, and torch's matrix products win (bench_recurrent.py).
MOST_UNITS = 192

State = tuple[Tensor, ...]
# w_ih, w_hh, b_ih, b_hh; without the first, the signal is what stands before the gates.
Weights = tuple[Tensor | None, Tensor, Tensor | None, Tensor | None]


def lstm(gates: Tensor, w_hh: Tensor, state: State | None = None) -> tuple[Tensor, tuple[Tensor, Tensor]]:
    """Run the recursion of an LSTM layer whose inputs have already been multiplied.

    `gates` [batch, samples, 4 * hidden] is W_ih x + b_ih + b_hh in torch's order i, f, g, o; `w_hh`
    [4 * hidden, hidden]; `state` (h, c), each [batch, hidden], None for zeros. Returns the outputs [batch,
    samples, hidden] and the next state. Differentiable once with respect to everything.
    """
    hidden, (h, c) = _run("lstm", gates, (None, w_hh, None, None), state, None)
    return hidden, (h, c)


def gru(
    gates: Tensor, w_hh: Tensor, b_hh: Tensor, state: State | None = None
) -> tuple[Tensor, tuple[Tensor]]:
    """Run the recursion of a GRU layer whose inputs have already been multiplied.

    `gates` [batch, samples, 3 * hidden] is W_ih x + b_ih in torch's order r, z, n; `w_hh` [3 * hidden,
    hidden] and `b_hh` [3 * hidden]; `state` (h,) with h [batch, hidden], None for zeros. Returns the outputs
    [batch, samples, hidden] and the next state. Differentiable once with respect to everything.
    """
    hidden, (h,) = _run("gru", gates, (None, w_hh, None, b_hh), state, None)
    return hidden, (h,)


def lstm_layer(
    signal: Tensor, weights: Sequence[Tensor], state: State | None = None, memo: Memo[Any] | None = None
) -> tuple[Tensor, State]:
    """Run an LSTM layer over a signal, without ever holding what stands before its gates.

    `signal` [batch, samples, channels]; `weights` w_ih [4 * hidden, channels], w_hh [4 * hidden, hidden],
    b_ih and b_hh [4 * hidden], as torch.nn.LSTM names them; `state` and what is returned as in `lstm`. A
    `memo` that is given again with the same weights spares a stream to lay them out for each block.
    """
    w_ih, w_hh, b_ih, b_hh = weights
    return _run("lstm", signal, (w_ih, w_hh, b_ih, b_hh), state, memo)


def gru_layer(
    signal: Tensor, weights: Sequence[Tensor], state: State | None = None, memo: Memo[Any] | None = None
) -> tuple[Tensor, State]:
    """Run a GRU layer over a signal; as `lstm_layer`, with 3 in the place of 4 and the state (h,)."""
    w_ih, w_hh, b_ih, b_hh = weights
    return _run("gru", signal, (w_ih, w_hh, b_ih, b_hh), state, memo)


def is_compiled(signal: Tensor, hidden: int, *others: Tensor | None) -> bool:
    """Tell whether layers of `hidden` units run on the compiled kernels for this signal and other tensors."""
    float32 = signal.dtype == torch.float32
    return float32 and hidden <= MOST_UNITS and signal.numel() > 0 and compiled_for(signal, *others)


def _run(
    kind: str, signal: Tensor, weights: Weights, state: State | None, memo: Memo[Any] | None
) -> tuple[Tensor, State]:
    signal = signal.to(weights[1].dtype)
    if state is None:
        zero = signal.new_zeros(signal.shape[0], weights[1].shape[1])
        state = (zero, zero) if kind == "lstm" else (zero,)
    if torch.compiler.is_dynamo_compiling():
        # Traced by torch.compile, the recursion would be unrolled, sample by sample.
        return _untraced(kind, signal, weights, state, memo)
    return _chosen(kind, signal, weights, state, memo)


def _chosen(
    kind: str, signal: Tensor, weights: Weights, state: State, memo: Memo[Any] | None
) -> tuple[Tensor, State]:
    if is_compiled(signal, weights[1].shape[1], *weights, *state):
        from fxkit_signal.compiled.recurrent import run
        from fxkit_signal.compiled.recurrent_layout import lay_out

        make = partial(lay_out, kind, *weights)
        return run(make() if memo is None else memo(make, *weights), signal, state)
    return _by_torch(kind, signal, weights, state)


# As torch.compiler.disable, but it leaves the compiler alone until it is needed: that takes a second to load.
_untraced = _disable_dynamo(_chosen)


def _by_torch(kind: str, signal: Tensor, weights: Weights, state: State) -> tuple[Tensor, State]:
    """Run the layer by torch's operation; gates that are given pass through a matrix of ones and zeros."""
    w_ih, w_hh, b_ih, b_hh = weights
    if w_ih is None or b_ih is None:
        w_ih = torch.eye(w_hh.shape[0], dtype=signal.dtype, device=signal.device)
        b_ih = w_hh.new_zeros(w_hh.shape[0])
    flat = [w_ih, w_hh, b_ih, b_ih if b_hh is None else b_hh]
    start = [one[None] for one in state]
    settings = (True, 1, 0.0, torch.is_grad_enabled(), False, True)
    if kind == "lstm":
        hidden, *after = torch._VF.lstm(signal, start, flat, *settings)
    else:
        hidden, *after = torch._VF.gru(signal, start[0], flat, *settings)
    return hidden, tuple(one[0] for one in after)
