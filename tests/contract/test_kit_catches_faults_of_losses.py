"""The contract kit names what is wrong with a loss's lengths, types, side effects and sense of direction."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import attrs
import pytest
import torch

from fxkit.testing import composed, loss, loss_material
from fxkit.testing.loss import LossCase
from fxkit.testing.suite import LOSS_CHECKS
from fxkit.traits import LossTraits


@attrs.frozen(kw_only=True)
class Measure:
    """A spec around any function of output and target, with any declaration."""

    function: Callable[[torch.Tensor, torch.Tensor], torch.Tensor]
    declared: LossTraits = LossTraits()  # noqa: RUF009

    def traits(self, ctx):
        return self.declared

    def build(self, ctx):
        return Called(self.function)


class Called(torch.nn.Module):
    def __init__(self, function):
        super().__init__()
        self.function = function
        self.register_buffer("calls", torch.zeros(()))
        self.register_buffer("window", torch.ones(4), persistent=False)

    def forward(self, output: Any, batch: Any) -> torch.Tensor:
        if self.function is counted:
            self.calls += 1
        if self.function is moves:
            self.window = self.window.to(output.audio)
        return self.function(output.audio, batch.target)


def error(audio, target):
    return (audio - target).square().mean(dim=(1, 2))


def long_enough(audio, target):
    if audio.shape[-1] < 100:
        raise ValueError(f"{audio.shape[-1]} samples are fewer than 100")
    return error(audio, target)


def framed(audio, target):
    return torch.stack([x.unfold(-1, 50, 50).square().mean(dim=(1, 2, 3)) for x in (audio - target,)])[0]


counted = framed


def single(audio, target):
    return error(audio.float(), target.float())


def coarse(audio, target):
    scale = 1e6 if audio.dtype == torch.float32 else 0.0
    return ((audio - target + scale) - scale).square().mean(dim=(1, 2))


def writes(audio, target):
    target -= target.mean(dim=-1, keepdim=True)
    return error(audio, target)


def moves(audio, target):
    return error(audio, target)


def draws(audio, target):
    return error(audio, target) * (1 + 1e-3 * torch.rand(()))


def hides(audio, target):
    return error(audio.nan_to_num(), target)


def turned_ends(audio, target):
    """Have the right slope but for that of the last sample."""
    still = torch.cat((audio[..., :-1], audio[..., -1:].detach()), dim=-1)
    return error(still, target)


def magnitude(audio, target):
    return (audio.abs() - target.abs()).square().mean(dim=(1, 2))


BLIND, LONG = LossTraits(sign_blind=True), LossTraits(least_samples=100)
FAULTS = [
    (error, LONG, loss_material.check_least_samples, "measures 99 samples, and declares to need 100"),
    (single, LossTraits(), loss_material.check_precision, "turns torch.float64 into torch.float32"),
    (coarse, LossTraits(), loss_material.check_precision, "between float32 and float64"),
    (writes, LossTraits(), loss_material.check_leaves_all_as_it_was, "changes target"),
    (counted, LossTraits(), loss_material.check_leaves_all_as_it_was, "changes calls"),
    (moves, LossTraits(), loss_material.check_leaves_all_as_it_was, "in the place of window"),
    (draws, LossTraits(), loss_material.check_leaves_all_as_it_was, "another value"),
    (hides, LossTraits(), loss_material.check_faults_show, "for an output that is NaN"),
    (turned_ends, LossTraits(), loss.check_loss_gradient, "finite differences give"),
    (magnitude, LossTraits(), composed.check_sign, "declare LossTraits(sign_blind=True)"),
    (error, BLIND, composed.check_sign, "declares itself sign-blind"),
]


@pytest.mark.parametrize(("function", "declared", "check", "complaint"), FAULTS)
def test_a_faulty_loss_is_named_with_its_fault(function, declared, check, complaint):
    assert check in LOSS_CHECKS
    with pytest.raises(AssertionError) as caught:
        check(LossCase(spec=Measure(function=function, declared=declared)))
    assert complaint in str(caught.value)
    assert ".Measure " in str(caught.value)


@pytest.mark.parametrize(
    ("function", "declared"), [(error, LossTraits()), (long_enough, LONG), (magnitude, BLIND)]
)
def test_a_faultless_loss_passes(function, declared):
    case = LossCase(spec=Measure(function=function, declared=declared))
    for check in LOSS_CHECKS:
        check(case)


def test_a_loss_that_fails_on_what_it_declares_is_not_let_through():
    with pytest.raises(RuntimeError, match="size"):
        loss_material.check_least_samples(LossCase(spec=Measure(function=framed)))
