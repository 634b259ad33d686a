"""The `parameter-plots` callback: pictures of parameters, audio and losses."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from fxkit.hooks import hookimpl
from fxkit.spec import opt
from fxkit_callbacks._due import late_note

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fxkit.context import BuildContext
    from fxkit.engine.session import Evaluation, Run
    from fxkit_callbacks._history import History


@attrs.frozen(kw_only=True)
class ParameterPlots:
    """Draw what the model has learnt as PNG files in RUN/plots, newest state only.

    parameters-NODE.png shows each node's parameters at every validation, tracks-NODE.png those that
    move over time, comparison.png target, prediction and residual, losses.png all losses. Tracks
    and comparison show the loudest excerpt of the first recording; at the end, of the test.
    """

    every: int = opt(500, unit="steps", ge=1, help="drawn at each validation whose step is a multiple")
    seconds: float = opt(2.0, unit="s", ge=0.05, le=60, help="length of the excerpt in tracks and comparison")

    def build(self, ctx: BuildContext) -> Plotter:
        """Build the callback."""
        from fxkit_callbacks._history import History

        return Plotter(self.every, self.seconds, History())


class Plotter:
    """Remember parameters at every validation and draw when it is due."""

    def __init__(self, every: int, seconds: float, history: History) -> None:
        self.every = every
        self.seconds = seconds
        self.history = history

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Say so when validations will seldom fall on multiples of `every`."""
        note = late_note(self.every, run.experiment.train.validate_every)
        if note:
            run.report(f"parameter-plots: {note}")

    @hookimpl
    def fx_validate_end(self, run: Run, step: int, evaluation: Evaluation) -> None:
        """Remember the parameters, and draw when it is due."""
        self.history.add(step, [example.parameters for example in evaluation.examples])
        if step % self.every == 0:
            self._draw(run, evaluation)

    @hookimpl
    def fx_run_end(self, run: Run, evaluation: Evaluation) -> None:
        """Draw everything with the test's audio."""
        self._draw(run, evaluation)

    def state_dict(self) -> dict[str, Any]:
        """Return the history."""
        return self.history.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.history.load_state_dict(state)

    def _draw(self, run: Run, evaluation: Evaluation) -> None:
        from fxkit_callbacks._pictures import draw_all

        draw_all(run, evaluation, self.history, self.seconds)
