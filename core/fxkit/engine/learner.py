"""What learns in a turn: its weights, optimiser, schedule and losses."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

import attrs
import torch
from torch.amp.grad_scaler import GradScaler

from fxkit.engine.budget import Place
from fxkit.engine.objective import Term, weighted
from fxkit.engine.phases import Stage, Turn
from fxkit.engine.precision import scaler_for
from fxkit.engine.setup import Prepared
from fxkit.errors import AssemblyError
from fxkit.experiment.model import Part
from fxkit.model.assembly import build_part, parameter_groups, weight_groups

_LOSSES = "losses."


@attrs.frozen(kw_only=True, eq=False)
class Learner:
    """Hold what makes the steps of one turn.

    `terms` are what it minimises, `follows_stage` says what their ramps follow, the stage or the whole
    training; `moves_model` is False where nothing but losses' own weights learn.
    """

    terms: tuple[Term, ...]
    follows_stage: bool
    weights: tuple[torch.nn.Parameter, ...]
    moves_model: bool
    optimizer: torch.optim.Optimizer
    schedule: Any
    scaler: GradScaler

    @property
    def has_ramps(self) -> bool:
        """Tell whether weights of its losses move."""
        return any(term.ramp for term in self.terms)

    def loss_weights(self, training: Place, stage: Place) -> dict[str, float]:
        """Return term -> its weight in a step that stands at these places."""
        at = stage if self.follows_stage else training
        return {term.name: term.weight_at(at.step, at.share) for term in self.terms}

    def select(self, everything: Collection[torch.nn.Parameter]) -> None:
        """Let gradients reach these weights and no others."""
        mine = set(map(id, self.weights))
        for weight in everything:
            weight.requires_grad_(id(weight) in mine)

    def advance(self, share: float) -> None:
        """Move the learning rates on by a step; `share` of the stage is over."""
        advance = getattr(self.schedule, "advance", None)
        if advance:
            advance(share)
        elif self.schedule is not None:
            self.schedule.step()

    def observe(self, cost: float) -> None:
        """Tell a schedule that follows the validations what one has found; less is better."""
        observe = getattr(self.schedule, "observe", None)
        if observe:
            observe(cost)

    def state_dict(self) -> dict[str, Any]:
        """Return what decides how the turn goes on."""
        return {
            "optimizer": self.optimizer.state_dict(),
            "schedule": None if self.schedule is None else self.schedule.state_dict(),
            "scaler": self.scaler.state_dict(),
        }

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.optimizer.load_state_dict(state["optimizer"])
        if self.schedule is not None:
            self.schedule.load_state_dict(state["schedule"])
        self.scaler.load_state_dict(state["scaler"])


def build_learner(prepared: Prepared, stage: Stage, turn: Turn) -> Learner:
    """Build the optimiser and schedule of a turn over the weights that learn in it.

    Raises `AssemblyError` when nothing learns, or when a loss would learn against the model in its step.
    """
    lr = _rate(turn.optimizer)
    wanted = [term for term in prepared.terms if term.name in turn.weights]
    groups = parameter_groups(prepared.model, lr, turn.train)
    moves_model = bool(groups)
    taught = [term for term in wanted if turn.train is None or _LOSSES + term.name in turn.train]
    for term in taught:
        if isinstance(term.loss, torch.nn.Module):
            groups += weight_groups(f"{_LOSSES}{term.name}", term.loss, lr)
    if not groups:
        raise AssemblyError("nodes", "nothing can be trained: every node is frozen or has no weights")
    rivals = {term.name for term in taught if hasattr(term.loss, "judge")}
    for name in sorted(rivals) if moves_model else ():
        message = "its weights learn against the model; give it a turn of its own in [[phase]] alternate"
        raise AssemblyError(f"{_LOSSES}{name}", message)
    terms = tuple(
        weighted(_judging(term) if term.name in rivals else term, turn.weights[term.name], prepared.ctx)
        for term in wanted
    )
    weights = tuple(weight for group in groups for weight in group["params"])
    optimizer: torch.optim.Optimizer = build_part(turn.optimizer, groups)
    schedule = stage.schedule
    return Learner(
        terms=terms,
        follows_stage=turn.has_own_weights,
        weights=weights,
        moves_model=moves_model,
        optimizer=optimizer,
        schedule=build_part(schedule, optimizer, stage.steps_of(turn)) if schedule else None,
        scaler=scaler_for(stage.precision, prepared.device),
    )


def _judging(term: Term) -> Term:
    """Return the term by which a loss's own weights learn against the model."""
    rival: Any = term.loss
    return attrs.evolve(term, loss=rival.judge)


def _rate(part: Part) -> float:
    lr = getattr(part.spec, "lr", None)
    if lr is None:
        raise AssemblyError(part.path, f"{part.plugin} has no option lr, from which each node's rate is made")
    return float(lr)
