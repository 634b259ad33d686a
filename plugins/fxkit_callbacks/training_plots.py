"""The `training-plots` callback: pictures of the losses and of one recording."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from fxkit.hooks import hookimpl
from fxkit.spec import opt
from fxkit.trigger import Trigger, Triggers

if TYPE_CHECKING:
    from collections.abc import Mapping

    from fxkit.context import BuildContext
    from fxkit.engine.session import Evaluation, Run


@attrs.frozen(kw_only=True)
class TrainingPlots(Triggers):
    """Draw how far a run has come as PNG files in RUN/plots, newest state only.

    losses.png shows all losses and metrics, comparison.png target, prediction and residual in an excerpt of
    one recording, as waveforms and spectrograms; at the end, of the test.
    """

    every: int | None = opt(500, unit="steps", ge=0, help="drawn at each validation whose step is a multiple")
    seconds: float = opt(2.0, unit="s", ge=0.05, le=60, help="length of the excerpt, the loudest part")
    clip: str | None = opt(
        None,
        help='recording to take, as "NAME" or "NAME @ SECONDS", to start there; the first when absent',
    )

    def build(self, ctx: BuildContext) -> Plotter:
        """Build the callback."""
        return Plotter(self)


class Plotter:
    """Draw when it is due."""

    def __init__(self, options: TrainingPlots) -> None:
        from fxkit_callbacks._clips import Clips

        named = () if options.clip is None else (options.clip,)
        self.clips = Clips(seconds=options.seconds, count=1, named=named)
        self.trigger = Trigger(options)

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Refuse a clip, phases and a metric that there are not."""
        self.trigger.check(run)
        self.clips.check(run, "training-plots")

    @hookimpl
    def fx_validate_end(self, run: Run, step: int, evaluation: Evaluation) -> None:
        """Draw when it is due."""
        if self.trigger.due(run, step, evaluation):
            self._draw(run, evaluation, f"validation at step {step}")

    @hookimpl
    def fx_run_end(self, run: Run, evaluation: Evaluation) -> None:
        """Draw the whole run and a recording of the test."""
        self._draw(run, evaluation, "test")

    def state_dict(self) -> dict[str, Any]:
        """Return what the trigger keeps."""
        return self.trigger.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.trigger.load_state_dict(state)

    def _draw(self, run: Run, evaluation: Evaluation, when: str) -> None:
        from fxkit_callbacks._run_pictures import draw_comparison, draw_losses

        draw_losses(run)
        for clip in self.clips.of(evaluation):
            draw_comparison(run, clip, when)
