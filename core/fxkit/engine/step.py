"""One optimiser step: run the model, measure, propagate back, clip, update."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import nullcontext
from typing import Any

import attrs
import torch

from fxkit.engine.account import Account, gradient_norms, part_values
from fxkit.engine.distributed import Crew
from fxkit.engine.laps import Laps
from fxkit.engine.learner import Learner
from fxkit.engine.nest import detached
from fxkit.engine.objective import Parts, Term, measure_parts, weighted_total
from fxkit.engine.readout import Readout
from fxkit.engine.windows import Window, hop_of, run_window
from fxkit.experiment.tables import TrainTable
from fxkit.model.graph import Model
from fxkit.model.manner import Manner
from fxkit.values import Batch, State

Measured = tuple[dict[str, torch.Tensor], Parts, State]


@attrs.frozen(kw_only=True)
class Aim:
    """Hold what one step minimises and what is looked at meanwhile.

    `number` is the step's, from 1; `weights` go by the names of the losses. With `compares_gradients` the
    norms of all losses' gradients are found, too. `on_gradients` is called when the gradients are complete,
    before they are clipped.
    """

    number: int
    weights: Mapping[str, float]
    compares_gradients: bool = False
    on_gradients: Callable[[], object] | None = None


class TrainingPass(torch.nn.Module):
    """Run a model over a window and measure it: all that gradients flow through, in one module."""

    def __init__(self, model: Model, terms: Sequence[Term], laps: Laps) -> None:
        super().__init__()
        self.laps = laps
        self.model = model
        losses = (term.loss for term in terms)
        self.losses = torch.nn.ModuleList(loss for loss in losses if isinstance(loss, torch.nn.Module))
        self.hop = hop_of(model)

    def forward(
        self, batch: Batch, window: Window, state: State, *, learner: Learner, manner: Manner
    ) -> Measured:
        """Return loss name -> values [batch], their parts, and the state behind the window, cut off."""
        with self.laps.of("forward"), nullcontext() if learner.moves_model else torch.no_grad():
            output, scored = run_window(self.model, batch, window, state, hop=self.hop, manner=manner)
        after = None if window.last else detached(output.state)
        with self.laps.of("losses"):
            return *measure_parts(learner.terms, output, scored), after


@attrs.frozen(kw_only=True, eq=False)
class Stepper:
    """Make optimiser steps; `run` is a `TrainingPass`, or what shares its work out among workers."""

    run: Any
    crew: Crew
    table: TrainTable
    laps: Laps

    def step(
        self,
        learner: Learner,
        parts: Sequence[Batch],
        window: Window,
        states: Sequence[State],
        manner: Manner,
        aim: Aim,
    ) -> tuple[Account, list[State]]:
        """Make one step from the parts of a batch; returns what it came to, and the state behind each part.

        Raises `NonFiniteError` when a loss is NaN or infinite: on the CPU before any weight is changed. A
        GPU is not waited for, and the losses can be checked once they are there.
        """
        learner.optimizer.zero_grad(set_to_none=True)
        rows, after = [], []
        norms: dict[str, torch.Tensor] = {}
        if aim.compares_gradients:
            # What is compiled cannot be gone through several times.
            manner = attrs.evolve(manner, processors={})
        for index, (part, state) in enumerate(zip(parts, states, strict=True)):
            more = index + 1 < len(parts)
            with self.crew.silent(self.run) if more else nullcontext():
                values, inner, behind = self.run(part, window, state, learner=learner, manner=manner)
                total = weighted_total(learner.terms, values, aim.weights)
                if aim.compares_gradients and not index:
                    norms = _norms(learner, values, aim.weights)
                beside = {**part_values(inner), **norms}
                rows.append(_row(values, total, beside))
                if not total.is_cuda:
                    Readout((*values, "total"), rows[-1][: len(values) + 1]).check()
                with self.laps.of("backward"):
                    learner.scaler.scale(total / len(parts) if len(parts) > 1 else total).backward()
            after.append(behind)
        with self.laps.of("optimiser"):
            self._update(learner, aim.on_gradients)
        mean = self.crew.averaged(rows[0] if len(rows) == 1 else torch.stack(rows).mean(0))
        readout = Readout((*values, "total"), mean, tuple(beside))
        weights = {name: weight for name, (weight, _) in inner.items()}
        return Account(step=aim.number, weights=aim.weights, inner=weights, losses=readout), after

    def _update(self, learner: Learner, on_gradients: Callable[[], object] | None) -> None:
        table = self.table
        if on_gradients or table.clip_value is not None or table.clip_norm is not None:
            learner.scaler.unscale_(learner.optimizer)
        if on_gradients:
            with self.laps.of("hooks"):
                on_gradients()
        if table.clip_value is not None:
            torch.nn.utils.clip_grad_value_(learner.weights, table.clip_value)
        if table.clip_norm is not None:
            torch.nn.utils.clip_grad_norm_(learner.weights, table.clip_norm)
        learner.scaler.step(learner.optimizer)
        learner.scaler.update()


def _norms(
    learner: Learner, values: Mapping[str, torch.Tensor], weights: Mapping[str, float]
) -> dict[str, torch.Tensor]:
    scale = learner.scaler.get_scale()
    contributions = {name: values[name].mean() * (weight * scale) for name, weight in weights.items()}
    return gradient_norms(contributions, learner.weights)


def _row(
    values: Mapping[str, torch.Tensor], total: torch.Tensor, beside: Mapping[str, torch.Tensor]
) -> torch.Tensor:
    means = [value.detach().mean() for value in values.values()]
    return torch.stack([*means, total.detach(), *beside.values()])
