"""The transistor ladder: four one-pole low-passes in series inside a feedback loop, without its delay.

In the form of Zavalishin (The Art of VA Filter Design, 2012, chapter 5: zero-delay feedback, trapezoidal
integrators), with the stages y_1 ... y_4, the states s_1 ... s_4, and f = tanh or the identity:

    e = x - k y_4,   y_i = s_i + g (y_(i-1) - y_i) with y_0 = f(e),   s_i <- 2 y_i - s_i.

The stages are linear, so y_4 = G^4 f(e) + S with G = g / (1 + g), and all that is implicit is one number,
e + k G^4 f(e) = x - k S. Its left side rises, and is concave where e > 0 and convex where e < 0: Newton's
method from the near side of the solution cannot overshoot and needs no damping.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor
from torch.autograd.function import once_differentiable

from fxkit_signal.dispatch import compiled_for

STAGES = 4
# Errors square at each step; from the start below this many reach the last digits of float64.
NEWTON_STEPS = 8


def ladder(
    audio: Tensor, g: Tensor, k: Tensor, mix: Tensor, state: Tensor | None = None, *, saturate: bool
) -> tuple[Tensor, Tensor]:
    """Run audio through ladder filters, exactly and differentiably.

    `audio` [batch, channels, samples]; `g` = tan(pi f / rate) > 0 and the feedback `k` >= 0 (4 starts to
    ring by itself), float64 [batch or 1, 1, 1 or samples]; `mix` float64 [5], the weights of y_0 ... y_4 in
    the output; `state` [batch, channels, 4] float64, None means silence. With `saturate` f is tanh, else
    the identity, for which `k` must stay below 4. Returns audio of the same type and the next state. Any
    split into blocks gives the same output. Differentiable once, not with respect to `mix`.
    """
    batch, channels, samples = audio.shape
    if state is None:
        state = audio.new_zeros(batch, channels, STAGES, dtype=torch.float64)
    if samples == 0:
        return audio, state
    g, k = (value.double().expand(batch, 1, samples)[:, 0] for value in (g, k))
    if compiled_for(audio, g, k, state):
        y, after = _Compiled.apply(audio.double(), g, k, mix, state, saturate)  # type: ignore[no-untyped-call]
    else:
        y, after = _by_sample(audio.double(), g, k, mix, state, saturate)
    return y.to(audio.dtype), after


def _by_sample(
    x: Tensor, g: Tensor, k: Tensor, mix: Tensor, state: Tensor, saturate: bool
) -> tuple[Tensor, Tensor]:
    share = 1 / (1 + g)
    gain = g * share
    loop = k * gain**4
    levels = []
    for n in range(x.shape[-1]):
        one, part = gain[:, n, None], share[:, n, None]
        rest = torch.zeros_like(x[..., n])
        for stage in range(STAGES):
            rest = one * rest + part * state[..., stage]
        entering = x[..., n] - k[:, n, None] * rest
        level = _solve(entering, loop[:, n, None], saturate)
        stages = [level]
        for stage in range(STAGES):
            stages.append(one * stages[-1] + part * state[..., stage])
        levels.append(torch.stack(stages, dim=-1))
        state = 2 * levels[-1][..., 1:] - state
    return torch.stack(levels, dim=-2) @ mix.to(x), state


def _solve(entering: Tensor, loop: Tensor, saturate: bool) -> Tensor:
    """Return f(e) for e + loop f(e) = entering."""
    if not saturate:
        return entering / (1 + loop)
    with torch.no_grad():
        e = _start(entering, loop)
        for _ in range(NEWTON_STEPS):
            e = _improved(e, entering, loop)
    # One more step, from a solution that stands still, has the gradient of the solution.
    return _improved(e, entering, loop).tanh()


def _start(entering: Tensor, loop: Tensor) -> Tensor:
    """Return a value between 0 and the solution: the slope is at most 1 + loop, and tanh at most 1."""
    size = entering.abs()
    return torch.maximum(size / (1 + loop), size - loop) * entering.sign()


def _improved(e: Tensor, entering: Tensor, loop: Tensor) -> Tensor:
    level = e.tanh()
    return e - (e + loop * level - entering) / (1 + loop * (1 - level * level))


class _Compiled(torch.autograd.Function):
    """Run the compiled ladder; keeps y_0 ... y_4 of every sample for the way back."""

    @staticmethod
    def forward(
        ctx: Any, x: Tensor, g: Tensor, k: Tensor, mix: Tensor, state: Tensor, saturate: bool
    ) -> tuple[Tensor, Tensor]:
        from fxkit_signal.compiled.ladder import run_ladder

        arrays = [value.detach().contiguous().numpy() for value in (x, g, k, mix.to(x), state)]
        y, after = x.new_empty(x.shape), x.new_empty(state.shape)
        stages = x.new_empty(*x.shape, STAGES + 1)
        run: Any = run_ladder
        run(*arrays, saturate, NEWTON_STEPS, y.numpy(), stages.numpy(), after.numpy())
        ctx.save_for_backward(x, g, k, mix, state, stages)
        ctx.saturate = saturate
        return y, after

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, grad_y: Tensor, grad_after: Tensor) -> tuple[Tensor | None, ...]:
        from fxkit_signal.compiled.ladder import run_ladder_adjoint

        x, g, k, mix, state, stages = ctx.saved_tensors
        given = (g, k, mix.to(x), stages, grad_y, grad_after)
        arrays = [value.detach().contiguous().numpy() for value in given]
        to_x, to_g, to_k, to_state = (x.new_zeros(value.shape) for value in (x, g, k, state))
        results = [value.numpy() for value in (to_x, to_g, to_k, to_state)]
        run: Any = run_ladder_adjoint
        run(*arrays, ctx.saturate, *results)
        return to_x, to_g, to_k, None, to_state, None
