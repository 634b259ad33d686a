"""The `profiler` callback: what training steps spend their time on."""

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
    from fxkit_callbacks._tracing import Timed, Tracing


@attrs.frozen(kw_only=True)
class Profiler(Triggers):
    """Measure the steps that follow a due one, and write where their time goes to RUN/profile.

    The first `steps` steps are timed without a profiler: data, forward, losses, backward, optimiser, hooks,
    validation and the rest, per step and as shares, also as the figures `profile`. The next `steps` steps are
    recorded by torch.profiler, which slows them down: step-NNNNNN.txt lists the dearest operations, and
    step-NNNNNN.json.gz is a trace for ui.perfetto.dev or chrome://tracing. On a GPU the timed steps wait for
    it at the border of each part.
    """

    on_steps: ClassVar[bool] = True

    every: int = opt(
        0, unit="steps", ge=0, help="measured behind steps that are multiples of this; 0: never by count"
    )
    at: tuple[int, ...] = opt((10,), unit="steps", ge=1, help="measured behind these steps")
    steps: int = opt(5, ge=1, le=1000, help="steps that are timed, and then again that are recorded")
    operations: int = opt(20, ge=1, help="rows of the table of operations")

    def build(self, ctx: BuildContext) -> Recorder:
        """Build the callback."""
        return Recorder(self)


class Recorder:
    """Time some steps, then record as many.

    A measurement that is cut off by a stop is not taken up again: times are no part of a run's state.
    """

    def __init__(self, options: Profiler) -> None:
        self.steps, self.operations = options.steps, options.operations
        self.trigger = Trigger(options)
        self._left = 0
        self._timed: Timed | None = None
        self._tracing: Tracing | None = None

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
        """Begin to time, go on to recording, or write, when it is time for that."""
        if self._left:
            self._left -= 1
            if not self._left:
                self._go_on(run, step)
        elif self.trigger.due(run, step):
            self._left = self.steps
            run.course.laps.start()

    @hookimpl
    def fx_run_end(self, run: Run) -> None:
        """Say so when the training ended before a measurement did."""
        if self._left:
            run.report("profiler: the training ended within a measurement, which is dropped")

    @hookimpl
    def fx_close(self, run: Run) -> None:
        """End what is still measuring."""
        self._left = 0
        run.course.laps.stop()
        if self._tracing is not None:
            self._tracing.stop()
        self._tracing = None

    def state_dict(self) -> dict[str, Any]:
        """Return the best so far."""
        return {"trigger": self.trigger.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.trigger.load_state_dict(state["trigger"])

    def _go_on(self, run: Run, step: int) -> None:
        from fxkit_callbacks._tracing import Timed, Tracing, write

        seconds = run.course.laps.stop()
        if self._tracing is None:
            self._timed, self._tracing = Timed(step, self.steps, seconds), Tracing(run.prepared.device)
            run.publish("profile", step, self._timed.figures())
            self._left = self.steps
            run.course.laps.start(marks=True)
            return
        self._tracing.stop()
        write(run, step, self._timed, self._tracing, self.operations)
        self._timed, self._tracing = None, None
