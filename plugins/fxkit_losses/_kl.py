"""The module behind `kl`."""

from __future__ import annotations

import torch
from torch import nn

from fxkit.errors import AssemblyError
from fxkit.values import Batch, Output


class KLModule(nn.Module):
    """Measure the divergence of diagonal normal distributions from the standard one."""

    def __init__(self, node: str, free: float) -> None:
        super().__init__()
        self.node, self.free = node, free

    def forward(self, output: Output, batch: Batch) -> torch.Tensor:
        """Return the divergence of each item in nats, [batch].

        Raises `AssemblyError` when the model has no such posterior.
        """
        mean, log_variance = self._term(output, "mean"), self._term(output, "log_variance")
        nats = (mean.square() + log_variance.exp() - log_variance - 1).mean(dim=2) / 2
        return (nats - self.free).clamp(min=0).sum(dim=1)

    def _term(self, output: Output, name: str) -> torch.Tensor:
        full = f"{self.node}.{name}"
        if full not in output.terms:
            there = ", ".join(output.terms) or "none"
            raise AssemblyError("kl", f'the model has no term "{full}"; it has {there}')
        return output.terms[full]
