"""The one-pole low-pass: the smoother of controls and levels."""

from __future__ import annotations

import torch
from torch import Tensor

from fxkit_signal.all_pole import run_all_pole
from fxkit_signal.dispatch import compiled_for


def one_pole(audio: Tensor, a: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Smooth audio by y[n] = (1 - a[n]) x[n] + a[n] y[n - 1]; return it and the next state.

    `audio` [batch, channels, samples] of any float type; `a` float64 [batch or 1, 1 or channels, 1 or
    samples] within -1..1, exp(-1 / (seconds * rate)) for a time constant. `state` [batch, channels, 1]
    float64 is the last output, None means silence. Differentiable once with respect to everything.
    """
    a = a.double()
    if audio.numel() and compiled_for(audio, a, state):
        from fxkit_signal.compiled.recursive import run_one_pole

        if state is None:
            state = audio.new_zeros(*audio.shape[:2], 1, dtype=torch.float64)
        return run_one_pole(audio, a, state)
    y, last = run_all_pole((1 - a) * audio, -a[..., None], state)
    return y.to(audio.dtype), last
