"""Checks of gradients: finite, and right in magnitude, for every input and every weight."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import attrs
import torch

from fxkit.testing.case import Case, ControllerCase, run, stirred, weights
from fxkit.testing.check import promise
from fxkit.testing.track import Tracks, on_values

SAMPLES = 160
LONG = 8192
STEPS = (1e-5, 1e-6, 1e-7)
TOLERANCE = 1e-4
JACOBIAN_SAMPLES = 24
NO_GRADIENT = "it declares not to be differentiable"
NOT_LEARNED = "what it yields depends on no input and on no weight"
NO_DERIVATIVE = "its gradients are declared to be estimates, or absent"


def check_gradients_reach(case: Case) -> str | None:
    """Check that gradients to all inputs are finite, and to all weights finite and not zero."""
    if not _has_gradient(case):
        return NO_GRADIENT
    module = stirred(case)
    if not run(case, module, on_values(case.tracks(SAMPLES), _live)).requires_grad:
        promise(isinstance(case, ControllerCase), case, "yields audio from which no gradient leads back")
        return NOT_LEARNED
    tracks, silent = _backward(case, module, SAMPLES + case.lead)
    if silent:
        # What echoes needs time before all its weights are heard.
        tracks, silent = _backward(case, module, LONG + case.lead)
    promise(not silent, case, f"gives {', '.join(silent)} no gradient")
    leaves = {name: track.values for name, track in tracks.items()} | weights(module)
    for name, leaf in leaves.items():
        finite = leaf.grad is None or bool(leaf.grad.isfinite().all())
        promise(finite, case, f"gives {name} a gradient that is not finite")
    return None


def _backward(case: Case, module: Any, samples: int) -> tuple[Tracks, list[str]]:
    """Run backwards over so many samples; return the input, and the weights that have no gradient."""
    tracks = on_values(case.tracks(samples), _live)
    run(case, module, tracks).square().sum().backward()
    found = {name: weight.grad for name, weight in weights(module).items()}
    return tracks, [name for name, grad in found.items() if grad is None or not bool(grad.any())]


def _live(values: torch.Tensor) -> torch.Tensor:
    return values.clone().requires_grad_()


def check_gradient_magnitude(case: Case) -> str | None:
    """Check that gradients to every input and weight agree with finite differences in float64.

    Each is probed along one random direction: an error of scale shows, not only one of sign.
    A module that returns float32 for float64 input is not probed.
    """
    if not _is_derivative(case):
        return NO_DERIVATIVE
    module = stirred(case, dtype=torch.float64)
    tracks = on_values(case.tracks(SAMPLES + case.lead), lambda values: values.double().requires_grad_())
    yielded = run(case, module, tracks)
    if yielded.dtype != torch.float64 or not yielded.requires_grad:
        return "it computes in float32 alone" if yielded.requires_grad else NOT_LEARNED

    def value() -> torch.Tensor:
        yielded = run(case, module, tracks)
        mix = torch.linspace(0.5, 1.5, yielded.numel(), dtype=torch.float64)
        return (mix * yielded.flatten()).sum()

    scale = float(run(case, module, tracks).detach().abs().sum())
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
        # Differences of rounded sums say no more than this.
        doubt = 4e-16 * scale / STEPS[0]
        error = max(0.0, abs(found - expected) - doubt) / max(abs(expected), 1e-6)
        text = f"has the slope {found:.6g} along {name}; finite differences give {expected:.6g}"
        promise(error <= TOLERANCE, case, text)
    return None


def check_gradcheck(case: Case) -> str | None:
    """Check that the Jacobian to every input and weight passes torch's `gradcheck` in float64.

    It is projected at random in fast mode; the gradient of the gradient is not asked for.
    """
    if not _is_derivative(case):
        return NO_DERIVATIVE
    if case.lead > SAMPLES:
        return "its latency is too long for so short a signal"
    module = stirred(case, dtype=torch.float64)
    tracks = on_values(case.tracks(JACOBIAN_SAMPLES + case.lead, batch=1), torch.Tensor.double)
    if run(case, module, tracks).dtype != torch.float64:
        return "it computes in float32 alone"
    if not weights(module) and not any(track.values.numel() for track in tracks.values()):
        return NOT_LEARNED
    names = [name for name, track in tracks.items() if track.values.numel()]
    leaves = [tracks[name].values for name in names] + list(weights(module).values())
    leaves = [leaf.detach().clone().requires_grad_() for leaf in leaves]

    def function(*values: torch.Tensor) -> torch.Tensor:
        live = {
            **tracks,
            **{n: attrs.evolve(tracks[n], values=v) for n, v in zip(names, values, strict=False)},
        }
        return run(case, _Weighted(module, values[len(names) :]), live)

    try:
        torch.autograd.gradcheck(function, leaves, rtol=1e-3, atol=1e-6, fast_mode=True)
    except RuntimeError as error:
        promise(False, case, f"fails gradcheck: {' '.join(str(error).split())[:200]}")
    return None


class _Weighted:
    """Call a module with other weights than its own, in their order."""

    def __init__(self, module: Any, values: Sequence[torch.Tensor]) -> None:
        self.module = module
        self.weights = dict(zip(weights(module), values, strict=True))

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        if not self.weights:
            return self.module(*args, **kwargs)
        return torch.func.functional_call(self.module, self.weights, args, kwargs)


def _has_gradient(case: Case) -> bool:
    return bool(getattr(case.spec.traits(case.surroundings), "differentiable", True))


def _is_derivative(case: Case) -> bool:
    return _has_gradient(case) and not getattr(case.spec.traits(case.surroundings), "straight_through", False)


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
