"""The `lr-monitor` callback: how the learning rates move, and when they were lowered."""

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

_HELD = 2
_LEAST = 0.01
_MOST_LINES = 20


@attrs.frozen(kw_only=True)
class LRMonitor(Triggers):
    """Publish the learning rate of each node, controller and loss, and say when one jumps.

    The figures `learning-rate` hold, per owner of weights, the rate of the step that follows. A rate that a
    schedule moves all the time is published and not talked about; one that was held for steps and then
    changes by a hundredth or more, as a plateau or a stepwise schedule changes it, is told and published
    at once.
    """

    on_steps: ClassVar[bool] = True

    every: int = opt(
        25, unit="steps", ge=0, help="rates are published at multiples of this; 0: at jumps only"
    )
    tell: bool = opt(True, help="show a line when a rate that was held is changed")

    def build(self, ctx: BuildContext) -> Monitor:
        """Build the callback."""
        return Monitor(self)


class Monitor:
    """Follow the learning rates from step to step."""

    def __init__(self, options: LRMonitor) -> None:
        self.options = options
        self.trigger = Trigger(options)
        self.rates: dict[str, float] = {}
        self.held: dict[str, int] = {}
        self.phase = ""
        self.told = 0

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Check when to act."""
        self.trigger.check(run)

    @hookimpl
    def fx_validate_end(self, run: Run, step: int, evaluation: Evaluation) -> None:
        """Note a new best."""
        self.trigger.due(run, step, evaluation)

    @hookimpl
    def fx_step_end(self, run: Run, step: int) -> None:
        """Publish when it is due or when a rate has jumped."""
        rates, phase = run.learning_rates, run.course.stage.name
        jumped = [] if phase != self.phase else [name for name in rates if self._jumps(name, rates[name])]
        for name in jumped if self.options.tell else ():
            self._tell(run, step, name, rates[name])
        due = self.trigger.due(run, step)
        for name, rate in rates.items():
            self.held[name] = self.held.get(name, 0) + 1 if rate == self.rates.get(name) else 0
        self.rates, self.phase = dict(rates), phase
        if due or jumped:
            run.publish("learning-rate", step, rates)

    @hookimpl
    def fx_close(self, run: Run) -> None:
        """Tell how many jumps were not told."""
        if self.told > _MOST_LINES:
            run.report(f"lr-monitor: {self.told - _MOST_LINES} more changes of learning rates")

    def state_dict(self) -> dict[str, Any]:
        """Return the rates so far."""
        names = ("rates", "held", "phase", "told")
        return {"trigger": self.trigger.state_dict(), **{name: getattr(self, name) for name in names}}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.trigger.load_state_dict(state["trigger"])
        self.rates, self.held = dict(state["rates"]), dict(state["held"])
        self.phase, self.told = state["phase"], state["told"]

    def _jumps(self, name: str, rate: float) -> bool:
        before = self.rates.get(name, rate)
        return self.held.get(name, 0) >= _HELD and abs(rate - before) > _LEAST * abs(before)

    def _tell(self, run: Run, step: int, name: str, rate: float) -> None:
        self.told += 1
        if self.told > _MOST_LINES:
            return
        schedule = run.course.stage.schedule
        by = f" by {schedule.name}" if schedule else ""
        run.report(f"step {step}  learning rate of {name}  {self.rates[name]:.4g} -> {rate:.4g}{by}")
