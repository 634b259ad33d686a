"""Checks of what signals a loss takes: their lengths, types and devices, and what it leaves as it was."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import torch

from fxkit.testing.check import distance, promise
from fxkit.testing.loss import LossCase, with_gradient

# Of float32 sums against float64, and of another device's order of summation.
_ROUNDING = 1e-3
_DEVICE_TOLERANCE = 1e-4
_LONG = 65537


def check_least_samples(case: LossCase) -> str | None:
    """Check that the shortest signal that is declared is measured, with a gradient, and no shorter one.

    A loss that needs more than one sample declares it by `LossTraits.least_samples`: an experiment with
    shorter segments is then refused before it runs. On less it raises, or gives no finite value.
    """
    if case.traits.terms:
        return "reads terms of the model"
    least = case.traits.least_samples
    audio, target = (signal[..., :least] for signal in case.signals())
    value, gradient = with_gradient(case, audio, target)
    fine = bool(value.isfinite().all()) and bool(gradient.isfinite().all())
    promise(fine, case, f"is not finite on {least} samples, the least that it declares")
    if least == 1:
        return None
    try:
        short = case.measure(audio[..., 1:], target[..., 1:])
    except Exception as error:
        promise(bool(str(error)), case, f"refuses {least - 1} samples without a reason")
        return None
    measured = bool(short.isfinite().all())
    promise(not measured, case, f"measures {least - 1} samples, and declares to need {least}")
    return None


def check_precision(case: LossCase) -> None:
    """Check that float64 stays float64 and float32 float32, and that both give one value on a long signal."""
    long = attrs.evolve(case, samples=max(case.samples, _LONG))
    audio, target = long.signals(batch=2)
    exact, rounded = long.measure(audio, target), long.measure(audio.float(), target.float())
    for value, signal in ((exact, audio), (rounded, audio.float())):
        promise(value.dtype == signal.dtype, case, f"turns {signal.dtype} into {value.dtype}")
    promise(bool(rounded.isfinite().all()), case, f"gives {rounded.tolist()} on {audio.shape[-1]} samples")
    error = float((rounded.double() - exact).abs().max() / exact.abs().max().clamp(min=1e-9))
    promise(error <= _ROUNDING, case, f"differs by {error:.1e} between float32 and float64")


def check_leaves_all_as_it_was(case: LossCase) -> None:
    """Check that measuring twice gives the same bits, and changes no signal, weight or random state.

    Nor does it move what it owns to the type or device of a signal: a run moves losses.
    """
    audio, target = case.signals()
    loss = case.spec.build(case.ctx)
    owned = _owned(loss)
    before = {"output": audio.clone(), "target": target.clone(), **_copies(owned)}
    drawn = torch.get_rng_state()
    once, again = (case.measure(audio, target, loss).detach() for _ in range(2))
    promise(torch.equal(once, again), case, "gives another value when it measures the same signals again")
    promise(torch.equal(drawn, torch.get_rng_state()), case, "draws from torch's global random numbers")
    for name, tensor in {"output": audio, "target": target, **owned}.items():
        promise(torch.equal(tensor, before[name]), case, f"changes {name}")
    moved = [name for name, tensor in _owned(loss).items() if tensor is not owned.get(name)]
    promise(not moved, case, f"puts other tensors in the place of {', '.join(moved)}")


def check_faults_show(case: LossCase) -> str | None:
    """Check that an output that is not a number has no finite value, and spoils no other item's.

    A run stops when it sees one. A metric that cannot be trained on is not asked.
    """
    if case.traits.terms or not case.traits.differentiable:
        return "is not trained on the output"
    audio, target = case.signals()
    expected = case.measure(audio, target)
    audio[1] = torch.nan
    values = case.measure(audio, target)
    promise(not bool(values[1].isfinite()), case, f"gives {float(values[1])} for an output that is NaN")
    error = distance(values[[0, 2]], expected[[0, 2]])
    promise(error <= 1e-6, case, f"changes by {error:.1e} when another item of the batch is NaN")
    return None


def check_loss_device(case: LossCase) -> str | None:
    """Check that a GPU, where there is one, yields the CPU's value and gradient, to 1e-4, in float32."""
    if not torch.cuda.is_available():
        return "there is no GPU here"
    audio, target = (signal.float() for signal in case.signals())
    there = attrs.evolve(case, ctx=attrs.evolve(case.ctx, device="cuda"))
    for name, found, expected in zip(
        ("value", "gradient"),
        with_gradient(there, audio.cuda(), target.cuda()),
        with_gradient(case, audio, target),
        strict=True,
    ):
        promise(found.device.type == "cuda", case, f"yields its {name} on {found.device}")
        # A rounded sign turns the gradient of single bins over; its direction stays.
        apart = float((found.cpu() - expected).norm() / expected.norm().clamp(min=1e-12))
        limit = _DEVICE_TOLERANCE if name == "value" else 0.05
        promise(apart <= limit, case, f"yields a {name} on the GPU that differs by {apart:.1e}")
    return None


def _owned(loss: object) -> dict[str, torch.Tensor]:
    if not isinstance(loss, torch.nn.Module):
        return {}
    return {**dict(loss.named_parameters()), **dict(loss.named_buffers())}


def _copies(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor.detach().clone() for name, tensor in tensors.items()}
