"""Plain nests of tensors: what models carry from block to block."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch

from fxkit.values import State


def mapped(state: State, change: Callable[[torch.Tensor], Any]) -> State:
    """Return the nest with every tensor changed."""
    if isinstance(state, torch.Tensor):
        return change(state)
    if isinstance(state, Mapping):
        return {name: mapped(item, change) for name, item in state.items()}
    if isinstance(state, (tuple, list)):
        return type(state)(mapped(item, change) for item in state)
    return state


def detached(state: State) -> State:
    """Return the nest cut off from what made it: no gradient flows on through it."""
    return mapped(state, torch.Tensor.detach)


def packed(state: State) -> dict[str, Any]:
    """Return copies on the CPU, in a form for checkpoints; counters stay known as the CPU's."""
    on_cpu: list[bool] = []

    def copied(tensor: torch.Tensor) -> torch.Tensor:
        on_cpu.append(tensor.is_cpu)
        # What is saved of a view is all that it looks at.
        return tensor.detach().cpu().clone()

    return {"state": mapped(state, copied), "on_cpu": on_cpu}


def unpacked(content: Mapping[str, Any], device: str) -> State:
    """Return what `packed` was given, its tensors where they were."""
    places: Iterator[bool] = iter(content["on_cpu"])
    return mapped(content["state"], lambda tensor: tensor.to("cpu" if next(places) else device))
