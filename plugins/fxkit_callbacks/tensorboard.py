"""The `tensorboard` callback: curves and audio for TensorBoard, written to the run folder alone."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import attrs

from fxkit.hooks import hookimpl
from fxkit.spec import opt
from fxkit_callbacks._names import safe_names
from fxkit_callbacks._signals import exceeds_full_scale, signals, wav_bytes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import torch

    from fxkit.context import BuildContext
    from fxkit.runs.session import Evaluation, Run

_FLUSH_SECONDS = 10
_QUEUE = 1000


@attrs.frozen(kw_only=True)
class TensorBoard:
    """Write losses, learning rates, metrics and audio for `tensorboard --logdir RUN/tensorboard`.

    A resumed run goes on with the same curves: what was written after the step that it resumes from
    is dropped.
    """

    every: int = opt(10, unit="steps", ge=1, help="steps between points of the training losses")
    audio: bool = opt(True, help="write what validation recordings sound like")
    max_examples: int = opt(2, ge=1, help="recordings to hear, the first of the split")
    seconds: float = opt(5.0, unit="s", gt=0, help="longest part of a recording to hear")

    def build(self, ctx: BuildContext) -> Board:
        """Build the callback; the folder is opened when the run starts."""
        return Board(self)


class Board:
    """Write one run's events."""

    def __init__(self, options: TensorBoard) -> None:
        self.options = options
        self._writer: Any = None
        self._heard_target = False

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Open the folder, dropping the events that this run will write again."""
        from torch.utils.tensorboard import SummaryWriter

        again = run.step == 0 or run.pending is not None
        self._writer = SummaryWriter(
            str(run.folder.tensorboard),
            purge_step=run.step if again else run.step + 1,
            max_queue=_QUEUE,
            flush_secs=_FLUSH_SECONDS,
        )
        if run.step == 0:
            text = run.folder.resolved.read_text(encoding="utf-8")
            self._writer.add_text("resolved.toml", f"```toml\n{text}\n```", 0)

    @hookimpl
    def fx_step_end(self, run: Run, step: int, losses: Mapping[str, float]) -> None:
        """Write losses and learning rates when they are due."""
        if step % self.options.every and step != 1:
            return
        self._scalars("train", losses, step)
        self._scalars("lr", run.learning_rates, step)

    @hookimpl
    def fx_validate_end(self, step: int, evaluation: Evaluation) -> None:
        """Write metrics and audio; the unchanging target once."""
        self._evaluation("val", evaluation, step)
        self._heard_target = True

    @hookimpl
    def fx_run_end(self, run: Run, evaluation: Evaluation) -> None:
        """Write the test's metrics and audio."""
        self._heard_target = False
        self._evaluation("test", evaluation, run.step)

    @hookimpl
    def fx_close(self) -> None:
        """Write out and close."""
        if self._writer is not None:
            self._writer.close()

    def state_dict(self) -> dict[str, Any]:
        """Return whether the targets are in the events already."""
        return {"heard_target": self._heard_target}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self._heard_target = state["heard_target"]

    def _scalars(self, group: str, values: Mapping[str, float], step: int) -> None:
        for name, value in values.items():
            self._writer.add_scalar(f"{group}/{name}", value, step)

    def _evaluation(self, split: str, evaluation: Evaluation, step: int) -> None:
        self._scalars(split, evaluation.metrics, step)
        examples = evaluation.examples[: self.options.max_examples] if self.options.audio else ()
        samples = round(self.options.seconds * evaluation.sample_rate)
        wanted = ("prediction",) if self._heard_target else ("input", "target", "prediction")
        for example, name in zip(examples, safe_names(e.name for e in examples), strict=True):
            parts = signals(example, samples)
            for part in (part for part in wanted if part in parts):
                self._audio(f"{split}/{name}/{part}", parts[part], evaluation.sample_rate, step)
        self._writer.flush()

    def _audio(self, tag: str, audio: torch.Tensor, sample_rate: int, step: int) -> None:
        # SummaryWriter.add_audio takes mono alone, and clips with a print to stdout.
        from tensorboard.compat.proto.summary_pb2 import Summary

        subtype = "FLOAT" if exceeds_full_scale(audio) else "PCM_16"
        clip = Summary.Audio(
            sample_rate=sample_rate,
            num_channels=audio.shape[0],
            length_frames=audio.shape[1],
            encoded_audio_string=wav_bytes(audio, sample_rate, subtype),
            content_type="audio/wav",
        )
        self._writer.file_writer.add_summary(Summary(value=[Summary.Value(tag=tag, audio=clip)]), step)
