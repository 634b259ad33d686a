"""Checks of gradients: finite, and right in magnitude, for every input and every weight."""

from __future__ import annotations

from collections.abc import Callable

import torch

from fxkit.testing.case import Case, run, stirred, weights
from fxkit.testing.check import promise
from fxkit.testing.track import on_values

SAMPLES = 160
STEPS = (1e-5, 1e-6, 1e-7)
TOLERANCE = 1e-4


def check_gradients_reach(case: Case) -> None:
    """Check that gradients to all inputs are finite, and to all weights finite and not zero."""
    if not _differentiable(case):
        return
    module = stirred(case)
    tracks = on_values(case.tracks(SAMPLES), lambda values: values.clone().requires_grad_())
    run(case, module, tracks).square().sum().backward()
    for name, weight in weights(module).items():
        promise(weight.grad is not None and bool(weight.grad.any()), case, f"gives {name} no gradient")
    leaves = {name: track.values for name, track in tracks.items()} | weights(module)
    for name, leaf in leaves.items():
        finite = leaf.grad is None or bool(leaf.grad.isfinite().all())
        promise(finite, case, f"gives {name} a gradient that is not finite")


def check_gradient_magnitude(case: Case) -> None:
    """Check gradients to every input and weight against finite differences in float64.

    Each is probed along one random direction: an error of scale shows, not only one of sign.
    A module that returns float32 for float64 input is not probed.
    """
    module = stirred(case, dtype=torch.float64)
    tracks = on_values(case.tracks(SAMPLES), lambda values: values.double().requires_grad_())
    if not _differentiable(case) or run(case, module, tracks).dtype != torch.float64:
        return

    def value() -> torch.Tensor:
        yielded = run(case, module, tracks)
        mix = torch.linspace(0.5, 1.5, yielded.numel(), dtype=torch.float64)
        return (mix * yielded.flatten()).sum()

    leaves = {name: track.values for name, track in tracks.items() if track.values.numel()}
    leaves.update(weights(module))
    gradients = torch.autograd.grad(value(), list(leaves.values()), materialize_grads=True, allow_unused=True)
    draw = torch.Generator().manual_seed(5)
    for (name, leaf), gradient in zip(leaves.items(), gradients, strict=True):
        # In proportion to each value: one input may hold both hertz and shares.
        size = leaf.detach().abs() + 1e-3
        direction = size * torch.randn(leaf.shape, generator=draw, dtype=torch.float64)
        found = float((gradient * direction).sum())
        expected = _nearest(found, value, leaf, direction)
        error = abs(found - expected) / max(abs(expected), 1e-6)
        text = f"has the slope {found:.6g} along {name}; finite differences give {expected:.6g}"
        promise(error <= TOLERANCE, case, text)


def _differentiable(case: Case) -> bool:
    return bool(getattr(case.spec.traits(case.surroundings), "differentiable", True))


@torch.no_grad()
def _nearest(
    found: float, value: Callable[[], torch.Tensor], leaf: torch.Tensor, direction: torch.Tensor
) -> float:
    # Long steps cross kinks, short ones drown in rounding; a wrong slope is wrong at every step.
    kept, slopes = leaf.clone(), []
    for step in STEPS:
        ends = [float(_at(value, leaf, kept + sign * step * direction)) for sign in (1, -1)]
        slopes.append((ends[0] - ends[1]) / (2 * step))
    leaf.copy_(kept)
    return min(slopes, key=lambda slope: abs(slope - found))


def _at(value: Callable[[], torch.Tensor], leaf: torch.Tensor, point: torch.Tensor) -> torch.Tensor:
    leaf.copy_(point)
    return value()
