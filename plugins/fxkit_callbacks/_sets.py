"""What `set-distance` and `fad` share: their options, and how they watch a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs

from fxkit.errors import RunError
from fxkit.hooks import hookimpl
from fxkit.spec import opt
from fxkit.trigger import Trigger, Triggers

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.engine.session import Evaluation, Run
    from fxkit.protocols import Embedding
    from fxkit.set_distance import SetDistance
    from fxkit.yardstick import Yardstick

# Minutes of recordings from which on their embedding is announced.
_LONG = 10.0


@attrs.frozen(kw_only=True)
class Comparing(Triggers):
    """Hold the options of callbacks that compare the predictions, as a set, with recordings."""

    embedding: Any = opt(kind="embeddings", help="what turns windows of audio into vectors")
    reference: Literal["train", "val"] = opt(
        "train", help='recordings that distances are measured from; "val": those that were predicted'
    )
    windows_per_dimension: float = opt(
        10.0, ge=1, help="windows per dimension that both sets need for a Fréchet distance"
    )
    most_windows: int = opt(5000, ge=10, help="windows of the reference that are used, evenly taken")

    def embedding_for(self, ctx: BuildContext) -> Embedding:
        """Build the embedding, without a draw from torch's generator that the training would miss."""
        import torch

        with torch.random.fork_rng(devices=[]):
            built: Embedding = self.embedding.build(ctx)
        return built


class Comparer:
    """Measure the predictions of evaluations against a run's recordings."""

    def __init__(self, options: Comparing, embedding: Embedding, name: str, *, memorised: bool) -> None:
        self.options = options
        self.embedding = embedding
        self.memorised = memorised
        self.name = name
        self.trigger = Trigger(options)
        self._yardstick: Yardstick | None = None

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Embed the recordings that stay, and say what will not be told and why."""
        from fxkit.engine.recording_sets import run_yardstick, targets

        self.trigger.check(run)
        self.name = _own_name(run, self.options, self.name)
        minutes = (
            sum(one.shape[-1] for one in targets(run.prepared.materials["train"])) / run.sample_rate / 60
        )
        if minutes > _LONG:
            run.report(f"{self.name}: embedding {minutes:.0f} min of training recordings, once for all runs")
        try:
            self._yardstick = run_yardstick(
                self.embedding,
                run.prepared.materials,
                sample_rate=run.sample_rate,
                reference=self.options.reference,
                memorised=self.memorised,
                per_dim=self.options.windows_per_dimension,
                most=self.options.most_windows,
            )
        except RunError as error:
            raise RunError(f"{self.name}: {error}") from error
        for note in self._yardstick.notes(targets(run.prepared.materials["val"])):
            run.report(f"{self.name}: {note}")

    @hookimpl
    def fx_validate_end(self, run: Run, step: int, evaluation: Evaluation) -> None:
        """Measure the predictions of a validation when it is due."""
        if self.trigger.due(run, step, evaluation):
            self._measure(run, step, evaluation, f"step {step}", self.name)

    @hookimpl
    def fx_run_end(self, run: Run, evaluation: Evaluation) -> None:
        """Measure the predictions of the test."""
        if evaluation.examples:
            self._measure(run, run.step, evaluation, evaluation.split, f"{self.name}-{evaluation.split}")

    def state_dict(self) -> dict[str, Any]:
        """Return what the trigger has seen; all else is made anew from the recordings."""
        return self.trigger.state_dict()

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.trigger.load_state_dict(state)

    def line(self, found: SetDistance) -> str:
        """Write what a person is told."""
        return str(found)

    def _measure(self, run: Run, step: int, evaluation: Evaluation, when: str, record: str) -> None:
        from fxkit.engine.recording_sets import predictions

        assert self._yardstick is not None
        found = self._yardstick.measure(predictions(evaluation))
        run.report(f"{when}  {self.name} {self.line(found)}")
        run.publish(record, step, found.figures())
        run.journal.write(f"{record}-by", step, {"provenance": attrs.asdict(found.provenance)})


def _own_name(run: Run, options: Comparing, name: str) -> str:
    """Return the plugin's name, with the table's where there are several of the plugin."""
    alike = [part for part in run.experiment.callbacks.values() if type(part.spec) is type(options)]
    own = next((part.path.rpartition(".")[2] for part in alike if part.spec is options), name)
    return name if len(alike) < 2 else f"{name} {own}"
