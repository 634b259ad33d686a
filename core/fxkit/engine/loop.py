"""The training loop: batch, forward, losses, backward, step; validate when due; stop when asked."""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs
import torch

from fxkit.engine.evaluation import Evaluation, evaluate, model_input
from fxkit.engine.interrupts import Interrupted, InterruptRequest
from fxkit.engine.objective import measure, weighted_total
from fxkit.engine.segments import Segments
from fxkit.engine.session import Best, Run
from fxkit.engine.setup import Prepared, to_device, trainable
from fxkit.errors import NonFiniteError
from fxkit.runs import checkpoint
from fxkit.runs.progress import figures
from fxkit.values import Batch


@attrs.define(kw_only=True)
class Loop:
    """Train a run from where it stands to its end."""

    run: Run
    segments: Segments
    request: InterruptRequest

    def train(self) -> None:
        """Run all remaining steps.

        Raises `Interrupted` between two steps when asked to stop, and `NonFiniteError` when a loss is
        no longer finite; the state is then as after the last finished step.
        """
        run, steps = self.run, self.run.experiment.train.steps or 1000
        run.progress.start(run.step, steps)
        if run.pending is not None:
            # The run was interrupted between a step and its end: its validation and hooks are due.
            self.end_step(run.pending)
        while run.step < steps and run.stopped is None:
            self._leave_if_asked()
            run.pending = self.step()
            self.end_step(run.pending)
        if run.validated != run.step:
            self._validate()

    def _leave_if_asked(self) -> None:
        if self.request.requested:
            raise Interrupted("interrupted")

    def step(self) -> dict[str, float]:
        """Make one optimiser step and return its losses."""
        run = self.run
        batch = to_device(self.segments.batch(run.step), run.prepared.device)
        try:
            losses = train_step(run.prepared, run.optimizer, batch)
        except NonFiniteError as error:
            raise NonFiniteError(
                f"step {run.step + 1}: {error}; {run.last_good()}."
                " Lower train.optimizer.lr or set train.clip_norm"
            ) from None
        if run.scheduler:
            run.scheduler.step()
        run.step += 1
        return losses

    def end_step(self, losses: dict[str, float]) -> None:
        """Do what follows a step: show it, validate when due, run the hooks, save where asked."""
        run = self.run
        run.progress.step(run.step, losses["total"])
        if run.step % run.experiment.train.validate_every == 0 and run.validated != run.step:
            self._validate()
        if run.step % run.experiment.train.log_every == 0 or run.step == 1:
            run.journal.write("train", run.step, losses)
        run.callbacks.hook.fx_step_end(run=run, step=run.step, losses=losses)
        run.stopped = run.callbacks.hook.fx_should_stop(run=run, step=run.step)
        run.pending = None
        run.save_requested()

    def _validate(self) -> None:
        run = self.run
        if not run.prepared.materials["val"].recordings:
            run.validated = run.step
            return
        evaluation = evaluate_split(run, "val", between=self._leave_if_asked)
        run.validated = run.step
        run.journal.write("val", run.step, evaluation.metrics)
        run.report(f"step {run.step}  val  {figures(evaluation.metrics)}")
        self._keep_best(evaluation)
        run.callbacks.hook.fx_validate_end(run=run, step=run.step, evaluation=evaluation)

    def _keep_best(self, evaluation: Evaluation) -> None:
        run = self.run
        value = evaluation.metrics[run.experiment.train.best or "loss"]
        # A first value that is NaN would never be beaten.
        if math.isfinite(value) and (run.best is None or value < run.best.value):
            run.best = Best(value, run.step)
            content = {"step": run.step, "value": value, "model": run.model.state_dict()}
            checkpoint.save(run.folder.best, content)


def train_step(prepared: Prepared, optimizer: torch.optim.Optimizer, batch: Batch) -> dict[str, float]:
    """Make one optimiser step and return the raw losses and their weighted "total".

    Raises `NonFiniteError`, before anything is changed, when a loss is NaN or infinite.
    """
    model = prepared.model
    terms = tuple(term for term in prepared.terms if trainable(term))
    output = model(model_input(batch), knobs=batch.knobs, features=batch.features, starts=batch.starts)
    values = measure(terms, output, batch)
    total = weighted_total(terms, values)
    losses = {name: float(value.detach().mean()) for name, value in values.items()}
    losses["total"] = float(total.detach())
    bad = [name for name, value in losses.items() if not math.isfinite(value)]
    if bad:
        raise NonFiniteError(f"{', '.join(bad)} is not finite")
    optimizer.zero_grad(set_to_none=True)
    total.backward()
    clip = prepared.experiment.train.clip_norm
    if clip is not None:
        torch.nn.utils.clip_grad_norm_(model.parameters(), clip)
    optimizer.step()
    return losses


def evaluate_split(run: Run, split: str, between: Callable[[], None] = lambda: None) -> Evaluation:
    """Evaluate the run's model on one split."""
    prepared = run.prepared
    return evaluate(
        prepared.model,
        prepared.terms,
        prepared.materials[split],
        split=split,
        step=run.step,
        sample_rate=run.sample_rate,
        device=prepared.device,
        between=between,
    )
