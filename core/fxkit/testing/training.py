"""Checks of what trains: optimisers and learning-rate schedules."""

from __future__ import annotations

import copy
import io
import warnings
from typing import Any

import torch

from fxkit.testing.check import promise
from fxkit.testing.plain import PlainCase, check_that_options_act, shown

STEPS = 30


class _Problem:
    """Hold two groups of weights, a matrix and a vector each, and the way to their goals."""

    def __init__(self, spec: Any, *, second_lr: float = 0.0) -> None:
        draw = torch.Generator().manual_seed(2)
        shapes = ((3, 4), (4,), (2, 2), (5,))
        self.weights = [torch.nn.Parameter(torch.randn(shape, generator=draw)) for shape in shapes]
        self.start = [weight.detach().clone() for weight in self.weights]
        lr = float(getattr(spec, "lr", 1e-2))
        self.optimizer = spec.build(
            [
                {"name": "first", "params": self.weights[:2], "lr": lr},
                {"name": "second", "params": self.weights[2:], "lr": second_lr},
            ]
        )

    def loss(self) -> torch.Tensor:
        return torch.stack([((weight - 2.0) ** 2).sum() for weight in self.weights]).sum()

    def step(self) -> None:
        self.optimizer.zero_grad()
        self.loss().backward()
        self.optimizer.step()

    def moved(self) -> list[bool]:
        return [not torch.equal(now, then) for now, then in zip(self.weights, self.start, strict=True)]


def check_descends(case: PlainCase) -> None:
    """Check that steps lower a quadratic, leave a group of learning rate 0 alone, and keep groups' names."""
    problem = _Problem(case.spec)
    before = float(problem.loss().detach())
    for _ in range(STEPS):
        problem.step()
    after = float(problem.loss().detach())
    promise(
        after < before, case, f"does not lower a quadratic in {STEPS} steps ({before:.4g} to {after:.4g})"
    )
    promise(problem.moved() == [True, True, False, False], case, "moves weights whose learning rate is 0")
    names = {group.get("name") for group in problem.optimizer.param_groups}
    promise(names == {"first", "second"}, case, "loses the names of its groups")


def check_optimizer_resumes(case: PlainCase) -> None:
    """Check that an optimiser that is saved as tensors alone and loaded goes on with the same bits."""
    problem, other = _Problem(case.spec, second_lr=1e-3), _Problem(case.spec, second_lr=1e-3)
    for _ in range(3):
        problem.step()
    buffer = io.BytesIO()
    torch.save(problem.optimizer.state_dict(), buffer)
    buffer.seek(0)
    for target, source in zip(other.weights, problem.weights, strict=True):
        target.data.copy_(source.data)
    other.optimizer.load_state_dict(torch.load(buffer, weights_only=True))
    for _ in range(3):
        problem.step()
        other.step()
    same = all(torch.equal(a, b) for a, b in zip(problem.weights, other.weights, strict=True))
    promise(same, case, "goes on otherwise from a saved state")


def check_optimizer_extremes(case: PlainCase) -> None:
    """Check that zero gradients, and weights without any, leave all weights finite."""
    problem = _Problem(case.spec, second_lr=1e-3)
    for _ in range(3):
        for weight in problem.weights[:2]:
            weight.grad = torch.zeros_like(weight)
        problem.optimizer.step()
    finite = all(bool(weight.isfinite().all()) for weight in problem.weights)
    promise(finite, case, "makes weights that are not finite of zero gradients")


def check_optimizer_options(case: PlainCase) -> None:
    """Check that each option of the optimiser makes a difference to the steps."""

    def observe(spec: Any) -> Any:
        problem = _Problem(spec, second_lr=float(getattr(spec, "lr", 1e-2)))
        for _ in range(STEPS):
            problem.step()
        # Small numbers that guard a division show where gradients are small.
        for weight in problem.weights:
            weight.grad = torch.full_like(weight, 1e-9)
        problem.optimizer.step()
        return [(weight.detach() * 1e3).double().tolist() for weight in problem.weights]

    check_that_options_act(case, observe)


def _rates(spec: Any, steps: int, state: Any = None) -> list[float]:
    optimizer = torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0)
    scheduler = spec.build(optimizer, steps)
    rates = []
    with warnings.catch_warnings():
        # The weights are not stepped here.
        warnings.simplefilter("ignore")
        for _ in range(steps):
            rates.append(float(optimizer.param_groups[0]["lr"]))
            if hasattr(scheduler, "observe"):
                # Better for a while, then hardly, then not at all.
                scheduler.observe(1.0 / (1 + min(len(rates), 50)))
            scheduler.step()
    return rates


def check_rates(case: PlainCase) -> None:
    """Check that the learning rate is finite, never negative, and above 0 at some step, for 1 step too."""
    for steps in (100, 2, 1):
        rates = torch.tensor(_rates(case.spec, steps))
        promise(
            bool(rates.isfinite().all()), case, f"gives a learning rate that is not finite in {steps} steps"
        )
        promise(float(rates.min()) >= 0, case, f"gives the learning rate {float(rates.min()):g}")
        promise(float(rates.max()) > 0, case, f"never lets a run of {steps} step(s) learn")


def check_schedule_resumes(case: PlainCase) -> None:
    """Check that a schedule that is saved and loaded goes on with the same learning rates."""
    optimizer, other = (torch.optim.SGD([torch.nn.Parameter(torch.zeros(1))], lr=1.0) for _ in range(2))
    scheduler, fresh = case.spec.build(optimizer, 20), case.spec.build(other, 20)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for _ in range(7):
            scheduler.step()
        fresh.load_state_dict(copy.deepcopy(scheduler.state_dict()))
        other.load_state_dict(optimizer.state_dict())
        for _ in range(5):
            scheduler.step()
            fresh.step()
            rates = (optimizer.param_groups[0]["lr"], other.param_groups[0]["lr"])
            promise(rates[0] == rates[1], case, f"goes on with {rates[1]:g} instead of {rates[0]:g}")


def check_schedule_options(case: PlainCase) -> None:
    """Check that each option of the schedule makes a difference to the learning rates."""
    check_that_options_act(case, lambda spec: shown([round(rate, 9) for rate in _rates(spec, 3000)]))
