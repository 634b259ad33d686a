"""The last layer of a controller network."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import nn


def start_head(inputs: int, logits: Sequence[float]) -> nn.Linear:
    """Return a linear layer that emits `logits` whatever it reads, until it is trained."""
    head = nn.Linear(inputs, len(logits))
    nn.init.zeros_(head.weight)
    with torch.no_grad():
        head.bias.copy_(torch.tensor(logits))
    return head
