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
    from fxkit_callbacks._clips import Clip

_DRAW = "fxkit_callbacks._run_pictures:"


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
        refers="recording",
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
        run.background.settle(self)

    def state_dict(self) -> dict[str, Any]:
        """Return what the trigger keeps."""
        return self.trigger.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.trigger.load_state_dict(state)

    def _draw(self, run: Run, evaluation: Evaluation, when: str) -> None:
        from fxkit.runs.journal import read_journal

        records = read_journal(run.folder.journal)
        if records:
            title = f"Losses of {run.experiment.run.name} up to step {run.step}"
            run.background.call(self, f"{_DRAW}draw_losses", run.folder.plots / "losses.png", records, title)
        for clip in self.clips.of(evaluation):
            self._compare(run, clip, when)

    def _compare(self, run: Run, clip: Clip, when: str) -> None:
        example, excerpt = clip.example, clip.excerpt
        if excerpt.start == excerpt.stop:
            return
        target, prediction = excerpt.cut(example.target), excerpt.cut(example.prediction)
        signals = {"target": target, "prediction": prediction, "residual": target - prediction}
        figures = "  ".join(f"{name} {value:.4g}" for name, value in example.metrics.items())
        title, channels = f"{example.name}, {when}:  {figures}", example.target.shape[0]
        note = f"channel 1 of {channels}" if channels > 1 else ""
        path = run.folder.plots / "comparison.png"
        run.background.call(self, f"{_DRAW}draw_comparison", path, signals, excerpt, title, note)
