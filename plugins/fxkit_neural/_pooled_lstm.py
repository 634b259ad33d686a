"""An LSTM that takes one step per block of samples, on what is pooled from them."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from fxkit.values import State
from fxkit_signal.memo import Memo
from fxkit_signal.recurrent import lstm_layer

# Blocks of silence before the start; one whose forget gates stand at one half has settled to 1e-9 by half.
RESTS = 64


class PooledLSTM(nn.Module):
    """Pool the maxima of blocks of `block` samples and run an LSTM over the blocks.

    Blocks are counted from the start of the signal. Block k is given what follows from the blocks before
    it and from the condition at its first sample; with `lookahead` also from itself, and then the signal
    has to come in whole blocks. Before the start lie `RESTS` blocks of silence.
    """

    def __init__(
        self, inputs: int, conditions: int, hidden: int, layers: int, block: int, *, lookahead: bool
    ) -> None:
        super().__init__()
        self.block = block
        self.lookahead = lookahead
        # Of this module the weights alone are used.
        self.lstm = nn.LSTM(inputs + conditions, hidden, layers, batch_first=True)
        self._zeros = (None,) * layers
        self._laid: list[Memo[Any]] = [Memo() for _ in range(layers)]

    def forward(
        self, signal: torch.Tensor, condition: torch.Tensor | None, squeeze: nn.Module, state: State
    ) -> tuple[torch.Tensor, int, State]:
        """Return [batch, hidden, blocks that `signal` touches], where in the first it begins, and the state.

        `signal` [batch, width, samples]; `condition` [batch, size, 1 | samples] or None; `squeeze` maps
        maxima [batch, width, blocks] to [batch, inputs, blocks].
        """
        position, samples = int(state["position"]), signal.shape[-1]
        offset = position % self.block
        if self.lookahead and offset:
            raise ValueError(
                f"a block of samples begins at {position}; with look-ahead, give whole blocks of {self.block}"
            )
        after = {"position": torch.tensor(position + samples)}
        if not samples:
            return state["held"][..., :0], offset, state
        if self.lookahead:
            frames, recurrent = self._step(
                squeeze(self._maxima(signal)), self._starts(condition, 0), state["recurrent"]
            )
            return frames, 0, {**after, "recurrent": recurrent, "held": frames[..., -1:]}
        return self._late(signal, condition, squeeze, state, after)

    def _late(
        self,
        signal: torch.Tensor,
        condition: torch.Tensor | None,
        squeeze: nn.Module,
        state: State,
        after: dict[str, torch.Tensor],
    ) -> tuple[torch.Tensor, int, State]:
        offset = int(state["position"]) % self.block
        head = min(self.block - offset, signal.shape[-1]) if offset else 0
        peak, frames, recurrent = state["peak"], state["held"], state["recurrent"]
        if head:
            peak = torch.maximum(peak, signal[..., :head].amax(dim=-1, keepdim=True))
        if head < signal.shape[-1]:
            maxima = self._maxima(signal[..., head:] if head else signal)
            pooled = torch.cat((peak, maxima[..., :-1]), dim=-1) if maxima.shape[-1] > 1 else peak
            begun, recurrent = self._step(squeeze(pooled), self._starts(condition, head), recurrent)
            peak, frames = _last(maxima), torch.cat((frames, begun), dim=-1) if head else begun
        return frames, offset, {**after, "peak": peak, "held": _last(frames), "recurrent": recurrent}

    def settle(self, level: torch.Tensor, condition: torch.Tensor | None, squeeze: nn.Module) -> State:
        """Return the state after silence that kept the signal at `level` [batch, width, 1]."""
        first = None if condition is None else condition[..., :1].expand(-1, -1, RESTS)
        frames, recurrent = self._step(squeeze(level).expand(-1, -1, RESTS), first, None)
        start = torch.zeros((), dtype=torch.int64)
        return {"position": start, "peak": level, "held": frames[..., -1:].clone(), "recurrent": recurrent}

    def _maxima(self, signal: torch.Tensor) -> torch.Tensor:
        """Return the maximum of each block, [batch, width, blocks]; the last one may not be full."""
        if signal.requires_grad:
            # Its way back touches the maxima alone; the reduction's touches every sample.
            return nn.functional.max_pool1d(signal, self.block, ceil_mode=True)
        whole = signal.shape[-1] // self.block * self.block
        maxima: torch.Tensor = signal[..., :whole].unflatten(-1, (-1, self.block)).amax(dim=-1)
        if whole == signal.shape[-1]:
            return maxima
        return torch.cat((maxima, signal[..., whole:].amax(dim=-1, keepdim=True)), dim=-1)

    def _starts(self, condition: torch.Tensor | None, first: int) -> torch.Tensor | None:
        """Return the condition at the first sample of each block that begins from `first` on."""
        moves = condition is not None and condition.shape[-1] > 1
        return condition[..., first :: self.block] if moves and condition is not None else condition

    def _step(
        self, pooled: torch.Tensor, condition: torch.Tensor | None, recurrent: State
    ) -> tuple[torch.Tensor, State]:
        """Run the LSTM over blocks: [batch, inputs, blocks] to [batch, hidden, blocks]."""
        if condition is not None:
            pooled = torch.cat((pooled, condition.to(pooled.dtype).expand(-1, -1, pooled.shape[-1])), dim=1)
        hidden, after = pooled.transpose(1, 2), []
        layers = zip(self.lstm.all_weights, recurrent or self._zeros, self._laid, strict=True)
        for weights, before, laid in layers:
            hidden, memory = lstm_layer(hidden, weights, before, laid)
            after.append(memory)
        return hidden.transpose(1, 2), tuple(after)


def _last(columns: torch.Tensor) -> torch.Tensor:
    # A copy: a view would keep all columns alive, and be saved with them.
    return columns if columns.shape[-1] == 1 else columns[..., -1:].clone()
