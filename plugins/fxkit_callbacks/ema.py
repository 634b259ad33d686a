"""The `ema` callback: validate, and keep as best, an average of the weights over the last steps."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.errors import RunError
from fxkit.hooks import hookimpl
from fxkit.spec import opt

if TYPE_CHECKING:
    import torch

    from fxkit.context import BuildContext
    from fxkit.engine.session import Run


@attrs.frozen(kw_only=True)
class EMA:
    """Average the weights exponentially; validations use the average, and the best one is kept.

    Polyak and Juditsky (1992), with the exponential form of Tarvainen and Valpola (2017). Training itself
    goes on with its own weights. Over the first steps the decay is held down, so that the average does not
    remember the untrained weights: at its n-th update it is at most (1 + n) / (10 + n).
    """

    decay: float = opt(0.999, ge=0, lt=1, help="share of the average that a step leaves")
    start: int = opt(0, unit="steps", ge=0, help="steps before averaging begins")

    def build(self, ctx: BuildContext) -> Average:
        """Build the callback."""
        return Average(self.decay, self.start)


class Average:
    """Hold the average of the model's weights."""

    changes_training = True

    def __init__(self, decay: float, start: int) -> None:
        self.decay, self.start = decay, start
        self.weights: dict[str, torch.Tensor] = {}
        self.updates = 0
        self.seen = 0

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Refuse a run that would end with other weights than those that were validated."""
        if run.experiment.train.keep != "best":
            raise RunError('ema: the average is kept as best; write train.keep = "best", or leave ema out')

    @hookimpl
    def fx_validation_weights(self, run: Run, step: int) -> Mapping[str, torch.Tensor] | None:
        """Return the average, once there is one."""
        self._follow(run, step)
        return self.weights or None

    @hookimpl
    def fx_step_end(self, run: Run, step: int) -> None:
        """Take the step into the average, unless a validation has."""
        self._follow(run, step)

    def _follow(self, run: Run, step: int) -> None:
        if step <= max(self.seen, self.start):
            return
        import torch

        self.seen = step
        own = {name: weight.detach() for name, weight in run.model.named_parameters()}
        if not self.weights:
            self.weights = {name: weight.clone() for name, weight in own.items()}
            return
        self.updates += 1
        decay = min(self.decay, (1 + self.updates) / (10 + self.updates))
        torch._foreach_lerp_(list(self.weights.values()), list(own.values()), 1.0 - decay)

    def state_dict(self) -> dict[str, Any]:
        """Return the average and how far it has come."""
        return {"weights": dict(self.weights), "updates": self.updates, "seen": self.seen}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.weights = {name: weight.clone() for name, weight in state["weights"].items()}
        self.updates, self.seen = state["updates"], state["seen"]
