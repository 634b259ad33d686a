"""Checks of losses: one value per item, batching, silence, zero at the goal, gradients."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs
import torch

from fxkit.context import BuildContext
from fxkit.testing.case import Hints
from fxkit.testing.check import distance, promise
from fxkit.testing.options import check_options_act, rounded
from fxkit.traits import LossTraits, loss_traits
from fxkit.values import Batch, Output

# Magnitude spectra have kinks, and a longer step crosses some.
STEP = 1e-8
# What sums of float64 numbers lose.
ROUNDING = 1e-14


@attrs.frozen(kw_only=True, eq=False)
class LossCase:
    """Test a loss on signals of `samples` samples, or as many as it needs; `hints` as for a processor."""

    spec: Any
    ctx: BuildContext = attrs.field(factory=BuildContext)
    samples: int = 4096
    hints: Hints = attrs.field(factory=dict)
    examples: Sequence[Any] = ()

    def signals(self, *, batch: int = 3, seed: int = 0) -> tuple[torch.Tensor, torch.Tensor]:
        """Return noise and a target close to it, in float64."""
        draw = torch.Generator().manual_seed(seed)
        samples = max(self.samples, loss_traits(self.spec, self.ctx).least_samples)
        shape = (batch, max(1, self.ctx.target_channels), samples)
        audio, other = (0.3 * torch.randn(shape, generator=draw, dtype=torch.float64) for _ in range(2))
        return audio, 0.9 * audio + 0.2 * other

    def measure(self, audio: torch.Tensor, target: torch.Tensor, loss: Any = None) -> torch.Tensor:
        """Return the loss of each item, by a `loss` that is built already or one made for it.

        The recording that entered is made of the target. The model's terms are pieces of the audio, by
        which the gradient of a loss of terms can thus be asked for.
        """
        declared = loss_traits(self.spec, self.ctx)
        entered = 0.5 * target + 0.2 * target.roll(7, dims=-1)
        terms = {
            name: audio[..., index * 64 : (index + 1) * 64].reshape(len(audio), -1, 8)
            for index, name in enumerate(declared.terms)
        }
        batch = Batch(target=target, input=entered)
        made = on_device(self.spec.build(self.ctx), self.ctx) if loss is None else loss
        value: torch.Tensor = made(Output(audio=audio, terms=terms), batch)
        return value

    def tones(self) -> tuple[torch.Tensor, torch.Tensor]:
        """Return a quarter of a second of tones, from 30 Hz to 5 kHz, and targets that are a bit higher."""
        samples = max(self.samples, self.ctx.sample_rate // 4, loss_traits(self.spec, self.ctx).least_samples)
        time = torch.arange(samples, dtype=torch.float64) / self.ctx.sample_rate
        pitches = torch.tensor([30.0, 220.0, 5000.0], dtype=torch.float64)[:, None, None]
        channels = max(1, self.ctx.target_channels)
        found, wanted = (
            0.3 * torch.sin(2 * torch.pi * pitches * detune * time).expand(-1, channels, -1)
            for detune in (1.0, 1.02)
        )
        return found, wanted

    @property
    def traits(self) -> LossTraits:
        """Return what the loss declares."""
        return loss_traits(self.spec, self.ctx)


def check_one_value_per_item(case: LossCase) -> None:
    """Check that there is one finite value per item, above that of a perfect output."""
    audio, target = case.signals()
    values = case.measure(audio, target)
    promise(tuple(values.shape) == (3,), case, f"returns {tuple(values.shape)} for 3 items, not (3,)")
    promise(bool(values.isfinite().all()), case, f"returns {values.tolist()}")
    if not case.traits.distance:
        return
    perfect = case.measure(target.clone(), target)
    worse = perfect - values if case.traits.higher_is_better else values - perfect
    # What counts frames or notes may find none to tell noise from noise.
    right = bool((worse > 0).all() if case.traits.differentiable else (worse >= 0).all())
    promise(right, case, f"gives {values.tolist()} where a perfect output gives {perfect.tolist()}")


def check_batching(case: LossCase) -> None:
    """Check that an item's value does not depend on the batch that it is in, to 1e-6."""
    audio, target = case.signals()
    together = case.measure(audio, target)
    alone = torch.cat([case.measure(audio[i : i + 1], target[i : i + 1]) for i in range(3)])
    error = distance(together, alone)
    promise(error <= 1e-6, case, f"changes an item's value by {error:.1e} with the batch that it is in")


def check_zero_at_goal(case: LossCase) -> None:
    """Check that a perfect output costs nothing, or less than nothing (decibels), with a finite gradient."""
    audio, _ = case.signals()
    value, gradient = with_gradient(case, audio, audio.clone())
    if case.traits.distance and not case.traits.higher_is_better:
        promise(float(value.max()) <= 1e-9, case, f"gives {value.tolist()} for a perfect output")
    promise(bool(gradient.isfinite().all()), case, "has a gradient that is not finite at a perfect output")


def check_silent_signals(case: LossCase) -> None:
    """Check that silence as output, as target and as both gives a finite value and gradient, in float32."""
    audio, target = (signal.float() for signal in case.signals())
    silence = torch.zeros_like(audio)
    pairs = {"output": (silence, target), "target": (audio, silence), "output and target": (silence, silence)}
    for where, (found, wanted) in pairs.items():
        value, gradient = with_gradient(case, found, wanted)
        promise(bool(value.isfinite().all()), case, f"is not finite on a silent {where}")
        promise(bool(gradient.isfinite().all()), case, f"has no finite gradient on a silent {where}")


def check_loss_gradient(case: LossCase) -> None:
    """Check that the gradient agrees with finite differences in float64, in size as well, and leads downhill.

    A metric that declares itself not differentiable is not asked.
    """
    if not case.traits.differentiable:
        return
    audio, target = case.signals()
    _, gradient = with_gradient(case, audio, target)
    for direction in _directions(gradient):
        ends = [float(case.measure(audio + sign * STEP * direction, target).sum()) for sign in (1, -1)]
        expected, found = (ends[0] - ends[1]) / (2 * STEP), float((gradient * direction).sum())
        close = abs(found - expected) <= 1e-3 * max(abs(expected), 1e-3) + ROUNDING * abs(ends[0]) / STEP
        promise(close, case, f"has the slope {found:.6g}; finite differences give {expected:.6g}")
    downhill = audio - 1e-3 * gradient / gradient.norm()
    falls = float(case.measure(downhill, target).sum()) < float(case.measure(audio, target).sum())
    promise(falls, case, "rises along its falling gradient")


def check_loss_options(case: LossCase) -> None:
    """Check that each option of the loss makes a difference, on noise, quiet or loud, and on tones."""

    def observe(spec: Any) -> Any:
        changed = attrs.evolve(case, spec=spec)
        audio, target = case.signals()
        values = [rounded(changed.measure(gain * audio, gain * target)) for gain in (1.0, 1e-4, 30.0)]
        told = _names_of_parts(changed, audio, target)
        return [*values, rounded(changed.measure(*case.tones())), loss_traits(spec, case.ctx), told]

    check_options_act(case.spec, observe, case.hints, case.examples)


def _names_of_parts(case: LossCase, audio: torch.Tensor, target: torch.Tensor) -> list[str]:
    loss = case.spec.build(case.ctx)
    if not hasattr(loss, "parts") or case.traits.terms:
        return []
    return list(loss.parts(Output(audio=audio), Batch(target=target, input=0.5 * target)))


def _directions(gradient: torch.Tensor) -> Iterator[torch.Tensor]:
    """Yield any direction, that of the gradient, along which its size shows, and both ends of the signal."""
    yield torch.randn(gradient.shape, generator=torch.Generator().manual_seed(1), dtype=gradient.dtype)
    yield gradient / gradient.norm()
    ends = torch.zeros_like(gradient)
    ends[..., 0], ends[..., -1] = 3.0, -5.0
    yield ends


def on_device(loss: Any, ctx: BuildContext) -> Any:
    """Move a loss that is a module to the device that it was built for, as a run does."""
    return loss.to(ctx.device) if isinstance(loss, torch.nn.Module) else loss


def with_gradient(
    case: LossCase, audio: torch.Tensor, target: torch.Tensor
) -> tuple[torch.Tensor, torch.Tensor]:
    """Return the value of each item and the gradient of their sum by the output; 0 where there is none."""
    live = audio.clone().requires_grad_()
    value = case.measure(live, target)
    if not case.traits.differentiable:
        return value.detach(), torch.zeros_like(live)
    (gradient,) = torch.autograd.grad(value.sum(), live)
    return value.detach(), gradient
