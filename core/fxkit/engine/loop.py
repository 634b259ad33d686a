"""The training loop: batch, forward, losses, backward, step; validate when due; stop when asked."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

import attrs
import torch

from fxkit.engine.account import Account, dominance_line, dominant, summary
from fxkit.engine.advice import advising
from fxkit.engine.evaluation import Evaluation, evaluate
from fxkit.engine.interrupts import Interrupted, InterruptRequest
from fxkit.engine.phases import Stage
from fxkit.engine.prefetch import Prefetch
from fxkit.engine.readout import Readout
from fxkit.engine.segments import Segments
from fxkit.engine.session import Best, Run
from fxkit.errors import NonFiniteError
from fxkit.runs import checkpoint
from fxkit.runs.progress import figures
from fxkit.values import Batch


@attrs.define(kw_only=True)
class Loop:
    """Train a run from where it stands to its end; `segments` cuts those of a stage."""

    run: Run
    segments: Callable[[Stage], Segments]
    request: InterruptRequest
    _batches: Prefetch | None = None
    _stage: int = -1
    _ready: tuple[int, Batch] | None = None
    _unchecked: tuple[int, Readout] | None = None
    _shown: float = math.nan
    _observed: float | None = None
    _compared: Account | None = None

    def train(self) -> None:
        """Run all remaining steps.

        Raises `Interrupted` between two steps when asked to stop, and `NonFiniteError` when a loss is
        no longer finite; the state is then as after the last finished step.
        """
        run, course = self.run, self.run.course
        steps, seconds = course.limit
        run.progress.start(run.step, steps, None if seconds is None else seconds - course.clock.seconds)
        try:
            if run.pending is not None:
                # The run was interrupted between a step and its end: its validation and hooks are due.
                self.end_step(run.pending)
            while run.stopped is None and self._goes_on():
                self._leave_if_asked()
                run.pending = self.step()
                self.end_step(run.pending)
            self._settle()
        finally:
            self.close()
        if run.validated != run.step:
            self._led(self._validate)
        if run.course.account is not None and len(run.course.account.weights) > 1:
            run.report(summary(run.course.account, self._compared))

    def close(self) -> None:
        """End what prepares batches."""
        if self._batches:
            self._batches.close()
        self._batches, self._stage, self._ready = None, -1, None

    def _goes_on(self) -> bool:
        run, course = self.run, self.run.course
        if not course.goes_on(run.step):
            return False
        if run.experiment.phases and course.begun == run.step:
            run.report(
                f"step {run.step}  phase {course.index + 1} of {len(course.stages)}: {course.stage.name}"
            )
            run.journal.write("phase", run.step + 1, {"name": course.stage.name})
        return True

    def _leave_if_asked(self) -> None:
        if self.run.course.crew.any(self.request.requested):
            raise Interrupted("interrupted")

    def _leave_validation_if_asked(self) -> None:
        if self.request.requested:
            raise Interrupted("interrupted")

    def step(self) -> Readout:
        """Make one optimiser step and return its losses."""
        run, before = self.run, self._unchecked
        device, doing = run.prepared.device, f"step {run.step + 1}"
        with advising(doing, run.course.stage, run.experiment, device), self._named(run.step + 1):
            with run.course.laps.of("data"):
                batch = self._batch()
            losses = run.course.step(run.step, batch)
        run.step += 1
        if before is not None:
            self._check(*before)
        self._unchecked = None if losses.is_known else (run.step, losses)
        self._shown = losses["total"] if losses.is_known else before[1]["total"] if before else math.nan
        return losses

    def _batch(self) -> Batch:
        course = self.run.course
        if self._batches is None or self._stage != course.index:
            self.close()
            self._batches = Prefetch(self.segments(course.stage), self.run.prepared.device)
            self._stage = course.index
        number = course.batch_at(self.run.step)
        if self._ready is None or self._ready[0] != number:
            self._ready = (number, self._batches.batch(number))
        return self._ready[1]

    def _settle(self) -> None:
        """Check losses of the last step that a GPU has not been asked for yet."""
        if self._unchecked is not None:
            self._check(*self._unchecked)
        self._unchecked = None

    def _check(self, step: int, losses: Readout) -> None:
        with self._named(step):
            losses.check()

    @contextmanager
    def _named(self, step: int) -> Iterator[None]:
        try:
            yield
        except NonFiniteError as error:
            raise NonFiniteError(
                f"step {step}: {error}; {self.run.last_good()}."
                " Lower train.optimizer.lr or set train.clip_norm"
            ) from None

    def end_step(self, losses: Mapping[str, float]) -> None:
        """Do what follows a step: show it, validate when due, run the hooks, save where asked."""
        self._led(lambda: self._end_step(losses))

    def _led(self, work: Callable[[], None]) -> None:
        """Let the leading worker do what one does for all, and the others learn what came of it."""
        run, crew, interrupted = self.run, self.run.course.crew, False
        if crew.launch.leads:
            try:
                work()
            except Interrupted:
                interrupted = True
        told = (interrupted, run.stopped, run.validated, self._observed, run.saves_requested)
        interrupted, run.stopped, run.validated, observed, saves = crew.told(told)
        if not crew.launch.leads:
            run.pending = run.pending if interrupted else None
            for path in saves:
                run.request_save(path)
            if observed is not None:
                run.course.observe(observed)
        self._observed = None
        if interrupted:
            raise Interrupted("interrupted")
        run.save_requested()

    def _end_step(self, losses: Mapping[str, float]) -> None:
        run = self.run
        run.progress.step(run.step, self._shown)
        if run.step % run.experiment.train.validate_every == 0 and run.validated != run.step:
            self._settle()
            with run.course.laps.of("validation"):
                self._validate()
        self._log(losses)
        with run.course.laps.of("hooks"):
            run.callbacks.hook.fx_step_end(run=run, step=run.step, losses=losses)
            run.stopped = run.callbacks.hook.fx_should_stop(run=run, step=run.step)
        run.pending = None
        if run.saves_requested:
            self._settle()

    def _log(self, losses: Mapping[str, float]) -> None:
        run, account = self.run, self.run.course.account
        logs = run.step % run.experiment.train.log_every == 0 or run.step == 1
        if logs:
            run.journal.write("train", run.step, losses)
        if account is not None and (logs or account.compares_gradients):
            run.journal.write("terms", run.step, account.record())
            run.callbacks.hook.fx_figures(run=run, step=run.step, name="terms", values=account.figures())
        if account is not None and account.compares_gradients:
            self._tell_shares(account)

    def _tell_shares(self, account: Account) -> None:
        """Say it when one loss alone makes the gradient, unless the last time it was the same one."""
        before = self._compared and dominant(self._compared.shares)
        one = dominant(account.shares)
        if one is not None and one != before and account.step > 1:
            self.run.report(dominance_line(account.step, one, account.shares))
        # In the first step nothing has found its size yet.
        self._compared = account if account.step > 1 else None

    def _validate(self) -> None:
        run = self.run
        if not run.prepared.materials["val"].recordings:
            run.validated = run.step
            return
        other = run.callbacks.hook.fx_validation_weights(run=run, step=run.step)
        with borrowed(run.model, other):
            evaluation = evaluate_split(run, "val", between=self._leave_validation_if_asked)
            run.validated = run.step
            run.journal.write("val", run.step, evaluation.metrics)
            run.report(f"step {run.step}  val  {figures(evaluation.metrics)}")
            run.look_at_polarity(evaluation)
            value = evaluation.metrics[run.criterion.metric]
            self._keep_best(value)
        self._observed = run.criterion.cost(value)
        run.course.observe(self._observed)
        run.callbacks.hook.fx_validate_end(run=run, step=run.step, evaluation=evaluation)

    def _keep_best(self, value: float) -> None:
        run = self.run
        # A first value that is NaN would never be beaten.
        if math.isfinite(value) and (run.best is None or run.criterion.prefers(value, run.best.value)):
            run.best = Best(value, run.step)
            content = {"step": run.step, "value": value, "model": run.model.state_dict()}
            checkpoint.save(run.folder.best, content)


@contextmanager
def borrowed(model: torch.nn.Module, weights: Mapping[str, torch.Tensor] | None) -> Iterator[None]:
    """Give a model other weights, by name, inside the `with` block; None leaves it as it is."""
    own = dict(model.named_parameters())
    kept = {name: own[name].detach().clone() for name in weights or ()}
    _put(own, weights or {})
    try:
        yield
    finally:
        _put(own, kept)


def _put(weights: Mapping[str, torch.Tensor], values: Mapping[str, torch.Tensor]) -> None:
    with torch.no_grad():
        for name, value in values.items():
            weights[name].copy_(value)


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
        keeps_nodes=run.callbacks.wanted_nodes(run, split),
    )
