"""Fit plain torch modules, functions and objects where processors, controllers and losses are called."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any

import torch
from torch import nn

from fxkit.values import Batch, Output, State


class _Adapter(nn.Module):
    """Hold a callable; when it is a module, as a child, so that its weights train and are saved."""

    def __init__(self, plain: Callable[..., Any]) -> None:
        super().__init__()
        self.plain = plain


class PerItemLoss(_Adapter):
    """Make a `(prediction, target)` loss give one value per item.

    Each item is measured on its own, as a batch of one [1, channels, samples], so that no value
    depends on how items were batched; what the loss returns for it is averaged.
    """

    def forward(self, output: Output, batch: Batch) -> torch.Tensor:
        """Return [batch] values."""
        pairs = zip(output.audio, batch.target, strict=True)
        return torch.stack([self._value(prediction[None], target[None]) for prediction, target in pairs])

    def _value(self, prediction: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
        value = self.plain(prediction, target)
        if not isinstance(value, torch.Tensor):
            raise TypeError(f"{_name(self.plain)} returned {type(value).__name__}; a loss returns one tensor")
        return value.mean()


class StatelessProcessor(_Adapter):
    """Make an `audio -> audio` callable a processor without parameters and without state."""

    def forward(
        self, audio: torch.Tensor, params: Mapping[str, torch.Tensor], state: State = None
    ) -> tuple[torch.Tensor, State]:
        """Return audio of the same length [batch, channels, samples], and no state."""
        result = self.plain(audio)
        if result.shape[-1] != audio.shape[-1]:
            lengths = f"{result.shape[-1]} samples for {audio.shape[-1]}"
            raise ValueError(f"{_name(self.plain)} returned {lengths}; a plain callable must keep the length")
        return result, None


class PlainModule(nn.Module):
    """Hold an object that is no module, so that it can stand among modules."""

    def __init__(self, function: Any) -> None:
        super().__init__()
        self.function = function
        if hasattr(function, "state_at"):
            self.state_at = function.state_at
        if hasattr(function, "parts"):
            self.parts = function.parts

    def forward(self, *args: Any, **kwargs: Any) -> Any:
        """Call the object."""
        return self.function(*args, **kwargs)


def parts_of(loss: Any, output: Output, batch: Batch) -> Iterator[tuple[str, float, torch.Tensor]]:
    """Yield name, weight and value [batch] of each part of a loss; the loss itself has the name ""."""
    parts = loss.parts(output, batch) if hasattr(loss, "parts") else {}
    if parts:
        yield from ((name, weight, value) for name, (weight, value) in parts.items())
    else:
        yield "", 1.0, loss(output, batch)


def as_module(built: Any) -> nn.Module:
    """Return what a processor's or controller's `build` made, as a module."""
    return built if isinstance(built, nn.Module) else PlainModule(built)


def _name(plain: Callable[..., Any]) -> str:
    function = getattr(plain, "func", plain)
    return getattr(function, "__name__", type(function).__name__)
