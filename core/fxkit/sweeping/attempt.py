"""One attempt at a trial: read its variant, train it in its folder, and tell what came of it."""

from __future__ import annotations

import gc
import math
import os
import shutil
import socket
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.engine.interrupts import Interrupted
from fxkit.errors import FxkitError, RunError
from fxkit.files import finite
from fxkit.job import run_experiment
from fxkit.run_end import RunResult
from fxkit.runs.folder import RunFolder, open_folder
from fxkit.runs.journal import read_journal
from fxkit.sweeping.axes import written
from fxkit.sweeping.heartbeat import beating
from fxkit.sweeping.log import Log
from fxkit.sweeping.record import Record
from fxkit.sweeping.register import ERROR, PLACE, WORKER, Register
from fxkit.sweeping.sweep import Sweep, read_variant
from fxkit.sweeping.watch import Watch

if TYPE_CHECKING:
    from optuna import Trial


@attrs.define(kw_only=True, eq=False)
class Attempt:
    """Carry a trial out that was claimed."""

    sweep: Sweep
    register: Register
    folder: Path
    trial: Trial
    device: str | None
    report: Callable[[str], object]
    log: Log = attrs.field(factory=Log)
    record: Record = attrs.field(init=False)

    def __attrs_post_init__(self) -> None:
        frozen = self.register.storage.get_trial(self.trial._trial_id)
        self.record = Record(
            sweep=self.register.name,
            trial=self.trial.user_attrs[PLACE],
            attempt=len(frozen.system_attrs.get("retry_history", ())),
            parameters={},
            metric=self.sweep.metric,
        )

    @property
    def path(self) -> Path:
        """Return the run folder."""
        return trial_path(self.folder, self.record.trial)

    def carry_out(self) -> None:
        """Train, and put what came of it on record.

        A failure is on record, too, and is not raised; what ends the whole sweep is, and lets the trial wait.
        """
        with beating(self.register.storage, self.trial._trial_id, self.register.heartbeat):
            try:
                self.trial.set_user_attr(WORKER, f"{socket.gethostname()}:{os.getpid()}")
                self._train()
            except (Interrupted, KeyboardInterrupt):
                self.register.give_back(self.trial)
                self._keep(state="waiting")
                self.say("interrupted; it goes on when the sweep does")
                raise KeyboardInterrupt from None
            except FxkitError as error:
                self._failed(str(error))
            except Exception as error:
                self.log.message(traceback.format_exc())
                self._failed(f"{type(error).__name__}: {error}")
        gc.collect()

    def say(self, text: str) -> None:
        """Show a line about this trial."""
        self.report(f"trial {self.record.trial}  {text}")

    def _train(self) -> None:
        texts = {axis.path: axis.drawn(self.trial) for axis in self.sweep.axes}
        self.record = attrs.evolve(self.record, parameters=texts)
        self.say(written(texts))
        experiment = read_variant(self.sweep, texts)
        watch = Watch(self.trial, self.sweep.metric, self._begun, self.say)
        result = run_experiment(
            experiment,
            progress=self.log,
            out=self.path,
            device=self.device,
            resume=self._started(),
            observers={"sweep": watch},
        )
        self._done(result, watch.pruned)

    def _started(self) -> RunFolder | None:
        """Return the run folder to go on with; what has saved nothing yet starts over."""
        if not RunFolder(self.path).last.is_file():
            shutil.rmtree(self.path, ignore_errors=True)
            return None
        return open_folder(self.path)

    def _begun(self, folder: Path) -> None:
        self.log.open(folder)
        self._keep()

    def _keep(self, **changes: Any) -> None:
        self.record = attrs.evolve(self.record, **changes)
        self.record.write(self.path)

    def _done(self, result: RunResult, pruned: str | None) -> None:
        from optuna.trial import TrialState

        value = value_of(result, self.sweep.metric)
        facts = {
            "test": finite(dict(result.test)),
            "steps": result.steps,
            "seconds": result.seconds,
            "weights": result.weights,
            "value": value,
        }
        for name, fact in facts.items():
            self.trial.set_user_attr(name, fact)
        self._keep(state="pruned" if pruned else "complete", value=value)
        if pruned:
            self.trial.study.tell(self.trial, state=TrialState.PRUNED)
        else:
            self.trial.study.tell(self.trial, value)
        self.say(f"{pruned or 'done'}  {self.sweep.metric} {value:.5g}  ({result.seconds:.0f} s)")

    def _failed(self, reason: str) -> None:
        from optuna.exceptions import UpdateFinishedTrialError
        from optuna.trial import TrialState

        self.say(f"failed: {reason}")
        try:
            self.trial.set_user_attr(ERROR, reason)
            self.trial.study.tell(self.trial, state=TrialState.FAIL)
        except UpdateFinishedTrialError:
            # Another worker has it now, and writes its record.
            return
        self._keep(state="failed", error=reason)
        self.log.open(self.path)


def trial_path(folder: Path, place: int) -> Path:
    """Return the run folder of a trial."""
    return folder / f"trial-{place:04d}"


def value_of(result: RunResult, metric: str) -> float:
    """Return the validation figure of the weights that a run has kept.

    Raises `RunError` when nothing was validated, or when the figure is not finite.
    """
    records = [one for one in read_journal(RunFolder(result.run).journal) if one["kind"] == "val"]
    kept = [one for one in records if result.best in (None, one["step"])]
    if not kept:
        raise RunError(f"{result.run}: has no validation; a sweep needs validation recordings")
    value = kept[-1].get(metric)
    if value is None or not math.isfinite(value):
        raise RunError(f"{result.run}: {metric} of the validation is not finite")
    return float(value)
