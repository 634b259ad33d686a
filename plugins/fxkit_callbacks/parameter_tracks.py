"""The `parameter-tracks` callback: what the parameters are, over the training and over time."""

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
class ParameterTracks(Triggers):
    """Show every parameter in its physical unit: over the steps of training, and over time where it moves.

    Pictures and data of the newest state are in RUN/parameters. history.csv has each validation's least,
    median and greatest value over recordings and time, and NODE.png draws them; tracks.npz has the
    parameters that move in an excerpt of one recording, and NODE-tracks.png draws them under its waveform.
    The medians also go to the journal and to TensorBoard, at every validation. At the end, the excerpt is
    one of the test.
    """

    every: int | None = opt(500, unit="steps", ge=0, help="drawn at each validation whose step is a multiple")
    seconds: float = opt(2.0, unit="s", ge=0.05, le=60, help="length of the excerpt, the loudest part")
    clip: str | None = opt(
        None,
        refers="recording",
        help='recording to take, as "NAME" or "NAME @ SECONDS", to start there; the first when absent',
    )

    def build(self, ctx: BuildContext) -> Tracker:
        """Build the callback."""
        return Tracker(self)


class Tracker:
    """Remember parameters at every validation; draw and write when it is due."""

    def __init__(self, options: ParameterTracks) -> None:
        from fxkit_callbacks._clips import Clips
        from fxkit_callbacks._history import History

        named = () if options.clip is None else (options.clip,)
        self.clips = Clips(seconds=options.seconds, count=1, named=named)
        self.trigger = Trigger(options)
        self.history = History()

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Refuse a clip, phases and a metric that there are not."""
        self.trigger.check(run)
        self.clips.check(run, "parameter-tracks")

    @hookimpl
    def fx_validate_end(self, run: Run, step: int, evaluation: Evaluation) -> None:
        """Remember and publish the parameters, and draw when it is due."""
        self.history.add(step, [example.parameters for example in evaluation.examples])
        newest = self.history.newest()
        if newest:
            run.publish("parameters", step, newest)
        if self.trigger.due(run, step, evaluation):
            self._write(run, evaluation)

    @hookimpl
    def fx_run_end(self, run: Run, evaluation: Evaluation) -> None:
        """Draw everything with an excerpt of the test."""
        self._write(run, evaluation)
        run.background.settle(self)

    def state_dict(self) -> dict[str, Any]:
        """Return the history, and what the trigger keeps."""
        return {"history": self.history.state_dict(), "trigger": self.trigger.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.history.load_state_dict(state["history"])
        self.trigger.load_state_dict(state["trigger"])

    def _write(self, run: Run, evaluation: Evaluation) -> None:
        from fxkit_callbacks._parameter_files import write_history, write_tracks

        write_history(self, run, self.history)
        for clip in self.clips.of(evaluation):
            write_tracks(self, run, clip, evaluation)
