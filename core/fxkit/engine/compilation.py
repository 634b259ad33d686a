"""Processors compiled by torch.compile for training."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from fxkit.model.graph import Model


def compiled_processors(model: Model, report: Callable[[str], None]) -> Mapping[str, Callable[..., Any]]:
    """Return node name -> its processor, compiled, for the processors that gain by it.

    These have weights and finite memory. A recursion has a kernel of its own, which a compiler that sees
    its samples one by one cannot match. What is missing for compiling shows in the first step.
    """
    chosen = {name: model.node(name) for name, node in model.plan.nodes.items() if _gains(model, name)}
    if not chosen:
        report("train.compile: no processor with weights has finite memory; nothing is compiled")
    return {name: torch.compile(module, dynamic=False) for name, module in chosen.items()}


def _gains(model: Model, name: str) -> bool:
    finite = model.plan.nodes[name].traits.receptive_field is not None
    return finite and any(True for _ in model.node(name).parameters())


def reason_of(error: Exception) -> str:
    """Say on one line why compiling failed."""
    lines = [line.strip() for line in str(error).splitlines() if line.strip()]
    return f"{type(error).__name__}: {lines[0] if lines else 'no reason given'}"[:200]
