"""Norms of gradients, weights and updates of all that an optimiser moves, by owner."""

from __future__ import annotations

import math
from collections.abc import Iterable

import torch


class Measurement:
    """Measure the gradients now, and by `figures` what the step made of the weights."""

    def __init__(self, optimizer: torch.optim.Optimizer) -> None:
        self._owned: dict[str, list[torch.Tensor]] = {}
        for group in optimizer.param_groups:
            self._owned.setdefault(str(group["name"]), []).extend(group["params"])
        self._before = {name: torch._foreach_add(_plain(own), 0.0) for name, own in self._owned.items()}
        # One tensor: a GPU is waited for once.
        self._gradients = torch.stack([_gradients_of(own) for own in self._owned.values()])

    def figures(self) -> dict[str, float]:
        """Return "name/what" -> value, now that the weights have been updated.

        `update` is infinite where weights that were all zero have changed.
        """
        norms = torch.stack([self._norms_of(name) for name in self._owned])
        found: dict[str, float] = {}
        rows = zip(self._owned, self._gradients.tolist(), norms.tolist(), strict=True)
        for name, (gradient, zero, non_finite), (weight, change) in rows:
            ratio = change / weight if weight else math.inf if change else 0.0
            parts = {"gradient": gradient, "weight": weight, "update": ratio, "zero": zero}
            found |= {f"{name}/{part}": value for part, value in parts.items()}
            found[f"{name}/non-finite"] = non_finite
        return found

    def _norms_of(self, name: str) -> torch.Tensor:
        before, now = self._before[name], _plain(self._owned[name])
        return torch.stack([_norm(before), _norm(torch._foreach_sub(now, before))])


def _plain(weights: list[torch.Tensor]) -> list[torch.Tensor]:
    return [weight.detach() for weight in weights]


def _norm(tensors: Iterable[torch.Tensor]) -> torch.Tensor:
    """Return the Euclidean norm over all entries, in float64."""
    norms = [norm.double() for norm in torch._foreach_norm(list(tensors))]
    whole: torch.Tensor = torch.linalg.vector_norm(torch.stack(norms))
    return whole


def _gradients_of(weights: list[torch.Tensor]) -> torch.Tensor:
    """Return norm, share of zeros and share of non-finite entries; a missing gradient is zero."""
    count = sum(weight.numel() for weight in weights)
    gradients = [weight.grad for weight in weights if weight.grad is not None and weight.numel()]
    if not gradients:
        return torch.tensor([0.0, 1.0, 0.0], dtype=torch.float64, device=weights[0].device)
    some = torch.stack([gradient.count_nonzero() for gradient in gradients]).sum()
    finite = torch.stack([gradient.isfinite().count_nonzero() for gradient in gradients]).sum()
    non_finite = sum(gradient.numel() for gradient in gradients) - finite
    return torch.stack([_norm(gradients), 1 - some / count, non_finite / count]).double()
