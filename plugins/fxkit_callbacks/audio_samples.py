"""The `audio-samples` callback: hear what the model does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal

import attrs

from fxkit.hooks import hookimpl
from fxkit.spec import opt
from fxkit.trigger import Trigger, Triggers
from fxkit_callbacks._names import safe_name
from fxkit_callbacks._signals import WRITE, exceeds_full_scale, signals

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from fxkit.context import BuildContext
    from fxkit.engine.session import Evaluation, Run


@attrs.frozen(kw_only=True)
class AudioSamples(Triggers):
    """Write input, target, prediction and residual as WAV, and the stems of parallel branches.

    The files are RUN/audio/step-NNNNNN/NAME.SIGNAL.wav for validation recordings and
    RUN/audio/test/NAME.SIGNAL.wav for the test. The clips are chosen by the recordings alone, so that they
    are the same at every step and in every run on the same data; nothing is made louder or quieter. The
    files of one clip are aligned to the sample.
    """

    every: int | None = opt(
        500,
        unit="steps",
        ge=0,
        help="written at each validation whose step is a multiple",
    )
    max_examples: int = opt(4, ge=1, help="recordings that are written, the first of the split")
    seconds: float = opt(
        10.0, unit="s", gt=0, help="longest part of a recording that is written: the loudest"
    )
    clips: tuple[str, ...] = opt(
        (),
        refers="recording",
        help='recordings to write instead, each as "NAME", or as "NAME @ SECONDS" to start there',
    )
    format: Literal["float", "pcm24"] = opt(
        "float", help="sample format; audio beyond full scale is written as float in any case"
    )
    stems: bool = opt(True, help="write the output of each parallel branch, too")

    def build(self, ctx: BuildContext) -> Writer:
        """Build the callback."""
        return Writer(self)


class Writer:
    """Write the audio of evaluations into the run folder."""

    def __init__(self, options: AudioSamples) -> None:
        from fxkit_callbacks._clips import Clips

        self.options = options
        self.clips = Clips(seconds=options.seconds, count=options.max_examples, named=options.clips)
        self.trigger = Trigger(options)
        self._told = False

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Refuse clips, phases and metrics that there are not."""
        self.trigger.check(run)
        self.clips.check(run, "audio-samples")

    @hookimpl
    def fx_validate_end(self, run: Run, step: int, evaluation: Evaluation) -> None:
        """Write validation clips when they are due."""
        if self.trigger.due(run, step, evaluation):
            self._write_all(run, run.folder.audio / f"step-{step:06d}", evaluation)

    @hookimpl
    def fx_run_end(self, run: Run, evaluation: Evaluation) -> None:
        """Write test clips."""
        self._write_all(run, run.folder.audio / "test", evaluation)
        run.background.settle(self)

    def state_dict(self) -> dict[str, Any]:
        """Return when it acted last."""
        return self.trigger.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.trigger.load_state_dict(state)

    def _write_all(self, run: Run, folder: Path, evaluation: Evaluation) -> None:
        for clip in self.clips.of(evaluation):
            for signal, audio in signals(clip, stems=self.options.stems).items():
                path = folder / f"{clip.stem}.{safe_name(signal)}.wav"
                subtype = self._subtype(run, path, audio)
                run.background.call(self, WRITE, path, audio.numpy(), evaluation.sample_rate, subtype)

    def _subtype(self, run: Run, path: Path, audio: torch.Tensor) -> str:
        if self.options.format == "float":
            return "FLOAT"
        if not exceeds_full_scale(audio):
            return "PCM_24"
        if not self._told:
            self._told = True
            run.report(f"audio-samples: {path.name} goes beyond full scale; such files are written as float")
        return "FLOAT"
