"""The `model-summary` callback: what a model is made of and what it costs, before it trains."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import attrs

from fxkit.files import write_text
from fxkit.hooks import hookimpl
from fxkit.spec import opt

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.engine.session import Run
    from fxkit.inspection.stopwatch import Timing
    from fxkit.inspection.subject import Subject


@attrs.frozen(kw_only=True)
class ModelSummary:
    """Show the model when the run starts, as a table in the terminal.

    A row for each node and each controller: plugin, weights, parameters, receptive field, latency,
    multiplications with addition per sample, and its share of the time; in all, how many times faster than
    real time the model streams on this machine. RUN/model.txt has that and all parameters with their
    ranges, RUN/model.json the same for programs.
    """

    seconds: float = opt(0.3, unit="s", ge=0, le=60, help="audio that is streamed to time it; 0: not timed")
    block: int = opt(512, unit="samples", ge=1, help="samples of a block of that stream")

    def build(self, ctx: BuildContext) -> Summary:
        """Build the callback."""
        return Summary(self)


class Summary:
    """Describe one run's model."""

    def __init__(self, options: ModelSummary) -> None:
        self.options = options

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Describe, time, show and write."""
        from fxkit.inspection.probe import undisturbed
        from fxkit.inspection.subject import Subject, describe_subject
        from fxkit_callbacks._model_table import model_table, model_text

        stands = f"after step {run.step}" if run.step else "as it starts"
        name = run.experiment.run.name
        subject = Subject(source=name, stands=stands, experiment=run.experiment, model=run.model)
        with undisturbed(run.model):
            card = describe_subject(subject)
            timing = self._timed(subject, run.prepared.device)
        table = model_table(card, timing)
        run.report(table)
        write_text(run.folder.path / "model.txt", f"{table}\n\n{model_text(card)}\n")
        document = {**card.document(), "timing": None if timing is None else attrs.asdict(timing)}
        write_text(run.folder.path / "model.json", json.dumps(document, indent=2, allow_nan=False) + "\n")

    def _timed(self, subject: Subject, device: str) -> Timing | None:
        import torch

        from fxkit.inspection.stopwatch import measure

        options = self.options
        if not options.seconds:
            return None
        # What a model keeps from inference mode could not be trained with.
        return measure(
            subject, block=options.block, seconds=options.seconds, device=device, mode=torch.no_grad
        )
