"""The state-variable filter with trapezoidal integrators: three responses at once, safe to move fast."""

from __future__ import annotations

import torch
from torch import Tensor

from fxkit_signal.dispatch import compiled_for
from fxkit_signal.time_varying import run_recursion


def svf(
    audio: Tensor, g: Tensor, r: Tensor, state: Tensor | None = None
) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    """Split audio into low, band and high outputs around one frequency; return them and the next state.

    `audio` [batch, channels, samples] of any float type. `g` = tan(pi frequency / rate) > 0 and the damping
    `r` = 1 / (2 Q) > 0 are float64 [batch or 1, 1, 1 or samples], each sample with its own. `state`
    [batch, channels, 2] float64 holds the two integrators, None means silence. low + 2 r band + high is the
    input; the band output reaches 1 / (2 r) at the frequency. Differentiable once with respect to everything.

    Zavalishin, The Art of VA Filter Design (2012), chapter 4. Without input, one step changes the energy
    s1^2 + s2^2 by -8 g r band^2, so no movement of g and r above zero can make it grow.
    """
    if state is None:
        state = torch.zeros(*audio.shape[:2], 2, dtype=torch.float64, device=audio.device)
    if not audio.numel():
        return (audio, audio, audio), state
    g, r = g.double(), r.double()
    if compiled_for(audio, g, r, state):
        from fxkit_signal.compiled.recursive import run_svf

        return run_svf(audio, g, r, state)
    return _svf_by_scan(audio, g, r, state)


def _svf_by_scan(
    audio: Tensor, g: Tensor, r: Tensor, state: Tensor
) -> tuple[tuple[Tensor, Tensor, Tensor], Tensor]:
    x = audio.double()
    damping = 2 * r + g
    inverse = 1 / (1 + g * damping)
    # band = into_band (x - s2) + inverse s1 and low = g band + s2, from which s1' and s2' follow.
    into_band = g * inverse
    into_low = g * into_band
    first, second = (
        torch.stack([2 * inverse - 1, -2 * into_band]),
        torch.stack([2 * into_band, 1 - 2 * into_low]),
    )
    matrix = torch.stack([first, second]).expand(-1, -1, -1, -1, audio.shape[-1])
    drive = torch.stack([2 * into_band * x, 2 * into_low * x])
    (s1, s2), end = run_recursion(matrix, drive, state.movedim(-1, 0))
    high = (x - damping * s1 - s2) * inverse
    band = g * high + s1
    low = g * band + s2
    kind = audio.dtype
    return (low.to(kind), band.to(kind), high.to(kind)), end.movedim(0, -1)
