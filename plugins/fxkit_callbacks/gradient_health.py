"""The `gradient-health` callback: does every node learn, and at a sensible pace?"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from fxkit.hooks import hookimpl
from fxkit.spec import opt
from fxkit.trigger import Trigger, Triggers

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.engine.session import Evaluation, Run
    from fxkit_callbacks._gradients import Measurement


@attrs.frozen(kw_only=True)
class GradientHealth(Triggers):
    """Measure the gradients of each node, and warn of nodes that do not learn, crawl or leap.

    The figures `gradients` hold for each node, controller and loss with weights of its own: NAME/gradient and
    NAME/weight, Euclidean norms of the gradient before clipping and of the weights; NAME/update, the norm of
    what the step changed over that of the weights, about 1e-3 for a network that learns well; NAME/zero and
    NAME/non-finite, shares of the gradient's entries. A warning names the node and what to do, once; it comes
    when `patience` measurements in a row agree.
    """

    on_steps: ClassVar[bool] = True

    every: int = opt(
        25, unit="steps", ge=0, help="measured in steps that are multiples of this; 0: never by count"
    )
    patience: int = opt(3, unit="measurements", ge=1, help="measurements in a row before a warning")
    slow: float = opt(1e-7, ge=0, help="warn below this ratio of update to weights; 0: never")
    fast: float = opt(0.3, gt=0, help="warn above this ratio of update to weights")

    def build(self, ctx: BuildContext) -> Examiner:
        """Build the callback."""
        return Examiner(self)


class Examiner:
    """Measure in the steps that are due, and remember what was wrong how often."""

    def __init__(self, options: GradientHealth) -> None:
        self.patience, self.slow, self.fast = options.patience, options.slow, options.fast
        self.trigger = Trigger(options)
        self.open: Measurement | None = None
        self.figures: dict[str, float] = {}
        self.streaks: dict[str, int] = {}
        self.warned: list[str] = []

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Check when to act."""
        self.trigger.check(run)

    @hookimpl
    def fx_validate_end(self, run: Run, step: int, evaluation: Evaluation) -> None:
        """Note a new best."""
        self._finish()
        self.trigger.due(run, step, evaluation)

    @hookimpl
    def fx_gradients(self, run: Run, step: int) -> None:
        """Measure the gradients, and keep the weights to see what the step makes of them."""
        self.open, self.figures = None, {}
        if self.trigger.due(run, step):
            from fxkit_callbacks._gradients import Measurement

            self.open = Measurement(run.course.learner_at(step - 1).optimizer)

    @hookimpl
    def fx_step_end(self, run: Run, step: int) -> None:
        """Publish what was measured, and warn."""
        self._finish()
        if not self.figures:
            return
        run.publish("gradients", step, self.figures)
        for name in dict.fromkeys(key.rpartition("/")[0] for key in self.figures):
            self._judge(run, step, name, {part: self.figures[f"{name}/{part}"] for part in _PARTS})
        self.figures = {}

    def state_dict(self) -> dict[str, Any]:
        """Return what was found so far, also in a step whose end has not come."""
        self._finish()
        names = ("figures", "streaks", "warned")
        return {"trigger": self.trigger.state_dict(), **{name: getattr(self, name) for name in names}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.trigger.load_state_dict(state["trigger"])
        self.figures, self.streaks = dict(state["figures"]), dict(state["streaks"])
        self.warned = list(state["warned"])

    def _finish(self) -> None:
        """Complete a measurement: the weights are now those behind the update."""
        if self.open is not None:
            self.figures, self.open = self.open.figures(), None

    def _judge(self, run: Run, step: int, name: str, found: Mapping[str, float]) -> None:
        wrong = {
            "dead": found["gradient"] == 0,
            "non-finite": found["non-finite"] > 0,
            "slow": found["gradient"] > 0 and found["update"] < self.slow,
            "fast": found["update"] > self.fast,
        }
        for problem, there in wrong.items():
            key = f"{name}/{problem}"
            self.streaks[key] = self.streaks.get(key, 0) + 1 if there else 0
            if self.streaks[key] >= self.patience and key not in self.warned:
                self.warned.append(key)
                advice = _ADVICE[problem].format(name=name, **found)
                run.report(f"gradient-health: step {step}: {name} {advice}")


_PARTS = ("gradient", "weight", "update", "zero", "non-finite")

_ADVICE = {
    "dead": "receives no gradient: nothing that it does reaches a loss; look at model.chain and at gains of"
    " 0, or freeze it",
    "non-finite": "has gradients that are not finite ({non-finite:.1%} of them); lower train.optimizer.lr or"
    " its own lr, or set train.clip_norm",
    "slow": "hardly moves: a step changes its weights by {update:.1e} of their size; raise its lr",
    "fast": "leaps: a step changes its weights by {update:.1e} of their size; lower its lr or set"
    " train.clip_norm",
}
