"""Run a network on whole blocks of a grid, late by what it takes to fill one."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch
from torch import nn

from fxkit.traits import ConditioningTraits
from fxkit.values import State

Rules = Mapping[str, Mapping[str, float]]


def on_whole_blocks(module: nn.Module, traits: ConditioningTraits) -> nn.Module:
    """Return `module`, in `WholeBlocks` where its conditioning looks ahead.

    The processor is then late by `traits.latency` and the module reads blocks of `traits.block`.
    """
    return WholeBlocks(module, traits.block) if traits.lookahead else module


class WholeBlocks(nn.Module):
    """Give a processor nothing but whole blocks of `block` samples, counted from the start of the signal.

    The output is late by `block` - 1 samples. Before the start lies the module's answer to silence. The
    state holds the samples of audio and parameters that do not fill a block yet, the output that is not
    due yet, and the state of the module.
    """

    def __init__(self, module: nn.Module, block: int) -> None:
        super().__init__()
        self.module = module
        self.block = block

    def forward(
        self, audio: torch.Tensor, params: Mapping[str, torch.Tensor], state: State = None
    ) -> tuple[torch.Tensor, State]:
        """Map `audio` [batch, channels, samples] to what the module gives, `block` - 1 samples late."""
        samples = audio.shape[-1]
        if not samples:
            return audio, state
        state = self._silence(audio, params) if state is None else state
        joined = torch.cat((state["audio"], audio), dim=-1)
        tracks = {
            name: torch.cat((state["params"][name], value.expand(-1, -1, samples)), dim=-1)
            for name, value in params.items()
        }
        ready, inner = state["ready"], state["module"]
        whole = joined.shape[-1] // self.block * self.block
        if whole:
            head = {name: value[..., :whole] for name, value in tracks.items()}
            output, inner = self.module(joined[..., :whole], head, inner)
            ready = torch.cat((ready, output), dim=-1)
        after = {
            # Copies: views would keep the whole block alive, and be saved with it.
            "audio": joined[..., whole:].clone(),
            "params": {name: value[..., whole:].clone() for name, value in tracks.items()},
            "ready": ready[..., samples:].clone(),
            "module": inner,
        }
        return ready[..., :samples], after

    def weight_rules(self) -> Rules:
        """Return the rules of the module, under the names that its weights have here."""
        rules: Callable[[], Rules] | None = getattr(self.module, "weight_rules", None)
        return {f"module.{name}": rule for name, rule in rules().items()} if rules else {}

    def _silence(self, audio: torch.Tensor, params: Mapping[str, torch.Tensor]) -> dict[str, State]:
        first = {name: value[..., :1] for name, value in params.items()}
        silent = audio.new_zeros(*audio.shape[:2], self.block)
        return {
            "audio": silent[..., :0],
            "params": {name: value[..., :0] for name, value in first.items()},
            "ready": self.module(silent, first, None)[0][..., 1:],
            "module": None,
        }
