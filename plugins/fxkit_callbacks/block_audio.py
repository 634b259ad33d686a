"""The `block-audio` callback: hear and measure the sound behind each node."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.files import write_text
from fxkit.hooks import hookimpl
from fxkit.spec import opt
from fxkit.trigger import Trigger, Triggers
from fxkit_callbacks._names import safe_name
from fxkit_callbacks._signals import WRITE, behind_nodes

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fxkit.context import BuildContext
    from fxkit.engine.session import Evaluation, Run


@attrs.frozen(kw_only=True)
class BlockAudio(Triggers):
    """Write the sound behind each node as WAV, and a table of levels that shows wrong gain staging.

    The files are RUN/blocks/step-NNNNNN/NAME.NN-NODE.wav, numbered in the order of the chain (00 is what
    enters), and NAME.stem-LABEL.wav for each parallel branch as it enters the sum; for the test they lie in
    RUN/blocks/test. All are float, as loud as they are, and aligned to the sample. levels.csv beside them
    has peak, RMS and crest factor behind each node; the same go to the journal and to TensorBoard. A node
    that is more than `far_db` from the level of the target is pointed out. The sound comes from the
    validation's own pass.
    """

    every: int | None = opt(
        500,
        unit="steps",
        ge=0,
        help="written at each validation whose step is a multiple",
    )
    max_examples: int = opt(1, ge=1, help="recordings that are written, the first of the split")
    seconds: float = opt(5.0, unit="s", gt=0, help="longest part of a recording that is written: the loudest")
    clips: tuple[str, ...] = opt(
        (),
        refers="recording",
        help='recordings to write instead, each as "NAME", or as "NAME @ SECONDS" to start there',
    )
    audio: bool = opt(True, help="write the WAV files; without, the levels alone")
    far_db: float = opt(30.0, unit="dB", gt=0, help="distance from the target's RMS that is pointed out")

    def build(self, ctx: BuildContext) -> Listener:
        """Build the callback."""
        return Listener(self)


class Listener:
    """Write and measure what stands behind each node."""

    needs = ("nodes",)

    def __init__(self, options: BlockAudio) -> None:
        from fxkit_callbacks._clips import Clips

        self.options = options
        self.clips = Clips(seconds=options.seconds, count=options.max_examples, named=options.clips)
        self.trigger = Trigger(options)
        self.far: tuple[str, ...] = ()

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Refuse clips, phases and metrics that there are not, and tell what memory it takes."""
        self.trigger.check(run)
        self.clips.check(run, "block-audio")
        run.report(f"block-audio: {self._memory(run)}")

    def nodes_of(self, run: Run, split: str) -> Sequence[str]:
        """Return the recordings that are heard; none in a validation that is not one to act on."""
        if split == "val" and not self.trigger.may_be_due(run, run.step):
            return ()
        return self._heard(run, split)

    @hookimpl
    def fx_validate_end(self, run: Run, step: int, evaluation: Evaluation) -> None:
        """Write and measure when it is due."""
        if self.trigger.due(run, step, evaluation):
            self._act(run, run.folder.path / "blocks" / f"step-{step:06d}", evaluation, "levels")

    @hookimpl
    def fx_run_end(self, run: Run, evaluation: Evaluation) -> None:
        """Write and measure the test."""
        self._act(run, run.folder.path / "blocks" / "test", evaluation, "levels.test")
        run.background.settle(self)

    def state_dict(self) -> dict[str, Any]:
        """Return what has been pointed out, and what the trigger keeps."""
        return {"far": list(self.far), "trigger": self.trigger.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.far = tuple(state["far"])
        self.trigger.load_state_dict(state["trigger"])

    def _heard(self, run: Run, split: str) -> Sequence[str]:
        return self.clips.names([one.name for one in run.prepared.materials[split].recordings])

    def _memory(self, run: Run) -> str:
        from fxkit.engine.memory import in_words

        nodes, heard = run.model.plan.nodes, self._heard(run, "val")
        recordings = [one for one in run.prepared.materials["val"].recordings if one.name in heard]
        size = 4 * sum(node.ctx.channels or 1 for node in nodes.values()) * sum(r.samples for r in recordings)
        return f"keeps the sound behind {len(nodes)} nodes during a validation, about {in_words(size)}"

    def _act(self, run: Run, folder: Path, evaluation: Evaluation, name: str) -> None:
        from fxkit_callbacks._levels import far_from_target, level_figures, level_text, levels

        clips = list(self.clips.of(evaluation))
        if not clips:
            return
        for clip in clips if self.options.audio else ():
            for label, audio in behind_nodes(clip).items():
                path = folder / f"{clip.stem}.{safe_name(label)}.wav"
                run.background.call(self, WRITE, path, audio.numpy(), evaluation.sample_rate, "FLOAT")
        table = levels(clips)
        write_text(folder / "levels.csv", level_text(table))
        run.publish(name, evaluation.step, level_figures(table))
        self._point_out(run, far_from_target(table, self.options.far_db))

    def _point_out(self, run: Run, far: Mapping[str, float]) -> None:
        for node, distance in far.items():
            if node not in self.far:
                self.far = (*self.far, node)
                run.report(
                    f"block-audio: step {run.step}: behind {node} it is {abs(distance):.0f} dB"
                    f" {'louder' if distance > 0 else 'quieter'} than the target; see levels.csv"
                )
