"""The `audio-samples` callback: hear what the model does."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Literal

import attrs

from fxkit.files import write_atomically
from fxkit.hooks import hookimpl
from fxkit.spec import opt
from fxkit_callbacks._due import late_note
from fxkit_callbacks._names import safe_name, safe_names
from fxkit_callbacks._signals import exceeds_full_scale, signals, wav_bytes

if TYPE_CHECKING:
    import torch

    from fxkit.context import BuildContext
    from fxkit.engine.session import Evaluation, Run


@attrs.frozen(kw_only=True)
class AudioSamples:
    """Write input, target, prediction and residual as WAV, and the stems of parallel branches.

    The files are RUN/audio/step-NNNNNN/NAME.SIGNAL.wav for validation recordings and
    RUN/audio/test/NAME.SIGNAL.wav for the test. Each starts where scoring starts, so that the files
    of one recording are aligned and are what its figures were measured on.
    """

    every: int = opt(500, unit="steps", ge=1, help="written at each validation whose step is a multiple")
    max_examples: int = opt(4, ge=1, help="recordings that are written, the first of the split")
    seconds: float = opt(30.0, unit="s", gt=0, help="longest part of a recording that is written")
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
        self.options = options
        self._told = False

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Say so when validations will seldom fall on multiples of `every`."""
        note = late_note(self.options.every, run.experiment.train.validate_every)
        if note:
            run.report(f"audio-samples: {note}")

    @hookimpl
    def fx_validate_end(self, run: Run, step: int, evaluation: Evaluation) -> None:
        """Write validation examples when they are due."""
        if step % self.options.every == 0:
            self._write_all(run, run.folder.audio / f"step-{step:06d}", evaluation)

    @hookimpl
    def fx_run_end(self, run: Run, evaluation: Evaluation) -> None:
        """Write test examples."""
        self._write_all(run, run.folder.audio / "test", evaluation)

    def _write_all(self, run: Run, folder: Path, evaluation: Evaluation) -> None:
        examples = evaluation.examples[: self.options.max_examples]
        samples = round(self.options.seconds * evaluation.sample_rate)
        for example, stem in zip(examples, safe_names(e.name for e in examples), strict=True):
            for signal, audio in signals(example, samples, stems=self.options.stems).items():
                path = folder / f"{stem}.{safe_name(signal)}.wav"
                content = wav_bytes(audio, evaluation.sample_rate, self._subtype(run, path, audio))
                _put(path, content)

    def _subtype(self, run: Run, path: Path, audio: torch.Tensor) -> str:
        if self.options.format == "float":
            return "FLOAT"
        if not exceeds_full_scale(audio):
            return "PCM_24"
        if not self._told:
            self._told = True
            run.report(f"audio-samples: {path.name} goes beyond full scale; such files are written as float")
        return "FLOAT"


def _put(path: Path, content: bytes) -> None:
    write_atomically(path, lambda stream: stream.write(content))
