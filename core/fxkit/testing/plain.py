"""What checks of the other kinds share: a case, made-up material, and what an object yields."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import attrs
import torch

from fxkit.context import BuildContext
from fxkit.testing.options import check_options_act, rounded


@attrs.frozen(kw_only=True, eq=False)
class PlainCase:
    """Test a plugin that is neither a processor nor a controller nor a loss."""

    spec: Any
    ctx: BuildContext = attrs.field(factory=lambda: BuildContext(sample_rate=16000, hop=64, seed=3))
    hints: Mapping[str, Sequence[Any]] = attrs.field(factory=dict)
    examples: Sequence[Any] = ()

    def build(self) -> Any:
        """Build the object."""
        return self.spec.build(self.ctx)


def check_that_options_act(case: PlainCase, observe: Callable[[Any], Any]) -> None:
    """Raise where an option of the plugin makes no difference to what `observe(spec)` returns."""
    check_options_act(case.spec, observe, case.hints, case.examples)


def tune(seconds: float, rate: int, *, channels: int = 1) -> torch.Tensor:
    """Return a gliding tone with overtones that swells and decays, with a little noise."""
    draw = torch.Generator().manual_seed(4)
    samples = round(seconds * rate)
    time = torch.arange(samples) / rate
    pitch = 220 * 2 ** (0.5 * time / max(seconds, 1e-3))
    phase = 2 * math.pi * torch.cumsum(pitch, 0) / rate
    tone = sum(torch.sin(number * phase) / number for number in (1, 2, 3))
    level = 0.05 + 0.25 * torch.sin(math.pi * time / seconds) ** 2
    audio = level * tone + 1e-3 * torch.randn(samples, generator=draw)
    return audio.expand(channels, -1).clone()


def shown(value: Any) -> Any:
    """Return anything as plain values that can be compared; tensors rounded."""
    if isinstance(value, torch.Tensor):
        return (tuple(value.shape), rounded(value))
    if isinstance(value, Mapping):
        return {str(name): shown(item) for name, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [shown(item) for item in value]
    return value
