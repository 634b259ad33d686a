"""The optimiser behind `muon`: two of torch's, each for its kind of weights."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from fxkit_training._groups import with_decay

if TYPE_CHECKING:
    from fxkit_training.muon import Muon


class MuonWithAdamW(torch.optim.Optimizer):
    """Give matrices to torch's Muon and everything else to its AdamW; both keep their own state."""

    def __init__(self, parameters: Sequence[Mapping[str, Any]], options: Muon) -> None:
        groups = with_decay(parameters, options.weight_decay)
        betas = (options.beta1, options.beta2)
        matrices, others = _only(groups, matrices=True), _only(groups, matrices=False)
        self.parts: list[torch.optim.Optimizer] = []
        if matrices:
            # The scale that this name stands for brings the root mean square to that of AdamW's updates.
            same_size = {"momentum": options.momentum, "adjust_lr_fn": "match_rms_adamw"}
            self.parts.append(torch.optim.Muon(matrices, lr=options.lr, **same_size))  # type: ignore[arg-type]
        if others:
            self.parts.append(torch.optim.AdamW(others, lr=options.lr, betas=betas, eps=options.eps))
        super().__init__([{**group} for part in self.parts for group in part.param_groups], {})
        self._share_groups()

    def step(self, closure: Callable[[], float] | None = None) -> Any:
        """Make a step of both."""
        loss = None if closure is None else closure()
        for part in self.parts:
            part.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return the states of both."""
        return {"parts": [part.state_dict() for part in self.parts]}

    def load_state_dict(self, state_dict: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        for part, state in zip(self.parts, state_dict["parts"], strict=True):
            part.load_state_dict(state)
        self._share_groups()

    def _share_groups(self) -> None:
        # A learning rate that is set here is set there.
        self.param_groups = [group for part in self.parts for group in part.param_groups]


def _only(groups: Sequence[Mapping[str, Any]], *, matrices: bool) -> list[dict[str, Any]]:
    chosen = [
        {**group, "params": [w for w in group["params"] if (w.ndim == 2) == matrices]} for group in groups
    ]
    return [group for group in chosen if group["params"]]
