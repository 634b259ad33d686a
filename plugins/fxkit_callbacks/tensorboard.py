"""The `tensorboard` callback: curves and audio for TensorBoard, written to the run folder alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from fxkit.hooks import hookimpl
from fxkit.spec import opt
from fxkit.trigger import Trigger, Triggers
from fxkit_callbacks._signals import exceeds_full_scale, signals

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    import torch

    from fxkit.context import BuildContext
    from fxkit.engine.session import Evaluation, Run

_FLUSH_SECONDS = 10
_QUEUE = 1000
_SIGNALS = ("input", "target", "prediction")


@attrs.frozen(kw_only=True)
class TensorBoard(Triggers):
    """Write losses, learning rates, metrics and audio for `tensorboard --logdir RUN/tensorboard`.

    Every validation is written, and every figure that other callbacks publish; `every` and its like say how
    often the training losses are. What is heard are the same clips each time, as loud as they are. A resumed
    run goes on with the same curves: what was written after the step that it resumes from is dropped. The
    test is a TensorBoard run of its own, RUN/tensorboard/test.
    """

    on_steps: ClassVar[bool] = True

    every: int | None = opt(
        10, unit="steps", ge=0, help="steps between points of the training losses; 0: see at, improves"
    )
    audio: bool = opt(True, help="write what validation recordings sound like")
    audio_every: int = opt(1000, unit="steps", ge=1, help="least distance of validations that are heard")
    max_examples: int = opt(2, ge=1, help="recordings to hear, the first of the split")
    seconds: float = opt(5.0, unit="s", gt=0, help="longest part of a recording to hear: the loudest")
    clips: tuple[str, ...] = opt(
        (),
        refers="recording",
        help='recordings to hear instead, each as "NAME", or as "NAME @ SECONDS" to start there',
    )

    def build(self, ctx: BuildContext) -> Board:
        """Build the callback; the folder is opened when the run starts."""
        return Board(self)


class Board:
    """Write one run's events."""

    def __init__(self, options: TensorBoard) -> None:
        from fxkit_callbacks._clips import Clips

        self.options = options
        self.clips = Clips(seconds=options.seconds, count=options.max_examples, named=options.clips)
        self.trigger = Trigger(options)
        self._writer: Any = None
        self._heard = 0

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Open the folder, dropping the events that this run will write again."""
        self.trigger.check(run)
        self.clips.check(run, "tensorboard")
        folder, again = run.folder.tensorboard, run.step == 0 or run.pending is not None
        first = not folder.exists()
        self._writer = _open(folder, run.step if again else run.step + 1)
        if first:
            text = run.folder.resolved.read_text(encoding="utf-8")
            self._writer.add_text("resolved.toml", f"```toml\n{text}\n```", 0)

    @hookimpl
    def fx_step_end(self, run: Run, step: int, losses: Mapping[str, float]) -> None:
        """Write losses and learning rates when they are due."""
        if not self.trigger.due(run, step) and step != 1:
            return
        _add_scalars(self._writer, "train", losses, step)
        _add_scalars(self._writer, "lr", run.learning_rates, step)

    @hookimpl
    def fx_validate_end(self, run: Run, step: int, evaluation: Evaluation) -> None:
        """Write metrics and audio; input and target, which stay the same, once."""
        self.trigger.due(run, step, evaluation)
        self._add_evaluation(self._writer, evaluation, step, self._names(step))

    @hookimpl
    def fx_figures(self, step: int, name: str, values: Mapping[str, float]) -> None:
        """Write what another callback publishes."""
        _add_scalars(self._writer, name, values, step)

    @hookimpl
    def fx_run_end(self, run: Run, evaluation: Evaluation) -> None:
        """Write the test's metrics and audio, in place of what an earlier end wrote."""
        writer = _open(run.folder.tensorboard / "test", 0)
        self._add_evaluation(writer, evaluation, run.step, _SIGNALS if self.options.audio else ())
        writer.close()

    @hookimpl
    def fx_close(self) -> None:
        """Write out and close."""
        if self._writer is not None:
            self._writer.close()

    def state_dict(self) -> dict[str, Any]:
        """Return which step was heard last, and what the trigger keeps."""
        return {"heard": self._heard, "trigger": self.trigger.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self._heard = state["heard"]
        self.trigger.load_state_dict(state["trigger"])

    def _names(self, step: int) -> tuple[str, ...]:
        """Return what of a validation is heard."""
        heard = self._heard
        if not self.options.audio or (heard and step < heard + self.options.audio_every):
            return ()
        self._heard = step
        return ("prediction",) if heard else _SIGNALS

    def _add_evaluation(self, writer: Any, evaluation: Evaluation, step: int, names: tuple[str, ...]) -> None:
        _add_scalars(writer, evaluation.split, evaluation.metrics, step)
        for clip in self.clips.of(evaluation) if names else ():
            parts = signals(clip)
            for name in (name for name in names if name in parts):
                tag = f"{evaluation.split}/{clip.stem}/{name}"
                _add_audio(writer, tag, parts[name], evaluation.sample_rate, step)


def _open(folder: Path, purge_step: int) -> Any:
    from torch.utils.tensorboard import SummaryWriter

    return SummaryWriter(str(folder), purge_step=purge_step, max_queue=_QUEUE, flush_secs=_FLUSH_SECONDS)


def _add_scalars(writer: Any, group: str, values: Mapping[str, float], step: int) -> None:
    for name, value in values.items():
        writer.add_scalar(f"{group}/{name}", value, step)


def _add_audio(writer: Any, tag: str, audio: torch.Tensor, sample_rate: int, step: int) -> None:
    # SummaryWriter.add_audio takes mono alone, and clips with a print to stdout.
    from tensorboard.compat.proto.summary_pb2 import Summary

    from fxkit_callbacks._wave_file import wav_bytes

    subtype = "FLOAT" if exceeds_full_scale(audio) else "PCM_16"
    clip = Summary.Audio(
        sample_rate=sample_rate,
        num_channels=audio.shape[0],
        length_frames=audio.shape[1],
        encoded_audio_string=wav_bytes(audio.numpy(), sample_rate, subtype),
        content_type="audio/wav",
    )
    writer.file_writer.add_summary(Summary(value=[Summary.Value(tag=tag, audio=clip)]), step)
