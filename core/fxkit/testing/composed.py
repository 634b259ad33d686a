"""Checks of what losses tell of themselves: the parts of sums, and whether they see the sign."""

from __future__ import annotations

import torch

from fxkit.testing.check import distance, promise
from fxkit.testing.loss import LossCase
from fxkit.values import Batch, Output


def check_sign(case: LossCase) -> None:
    """Check that a distance declares itself sign-blind if, and only if, an inverted output costs the same.

    A metric that cannot be trained on is not asked.
    """
    if not case.traits.distance or not case.traits.differentiable:
        return
    audio, target = case.signals()
    upright, inverted = case.measure(audio, target), case.measure(-audio, target)
    blind = distance(upright, inverted) <= 1e-9 * (1 + float(upright.abs().max()))
    wrong = "costs the same when the output is inverted; declare LossTraits(sign_blind=True)"
    promise(case.traits.sign_blind or not blind, case, wrong)
    seen = "declares itself sign-blind, and costs something else when the output is inverted"
    promise(blind or not case.traits.sign_blind, case, seen)


def check_parts_add_up(case: LossCase) -> None:
    """Check that the parts of a loss that tells them, each times its weight, add up to the loss."""
    loss = case.spec.build(case.ctx)
    if not hasattr(loss, "parts") or case.traits.terms:
        return
    audio, target = case.signals()
    output, batch = Output(audio=audio), Batch(target=target, input=0.5 * target)
    parts = loss.parts(output, batch)
    if not parts:
        return
    total = torch.stack([weight * value for weight, value in parts.values()]).sum(dim=0)
    error = distance(total, loss(output, batch))
    promise(
        error <= 1e-9, case, f"is not the sum of its parts {', '.join(parts)}: they differ by {error:.1e}"
    )
