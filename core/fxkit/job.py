"""The whole job of `fxkit run`: prepare, train, evaluate, and leave a run folder behind."""

from __future__ import annotations

import os
import time
from collections.abc import Mapping
from functools import partial
from pathlib import Path
from types import MappingProxyType
from typing import Any

import torch

from fxkit.callbacks import Callbacks, OnError
from fxkit.engine.batch_size import with_fitting_batch
from fxkit.engine.course import Course
from fxkit.engine.distributed import ALONE, Crew
from fxkit.engine.interrupts import Interrupted, InterruptRequest
from fxkit.engine.loop import Loop
from fxkit.engine.phases import Stage
from fxkit.engine.segments import Segments
from fxkit.engine.session import Run
from fxkit.engine.setup import (
    Prepared,
    count_weights,
    data_digests,
    prepare,
    resolve_device,
    to_device,
)
from fxkit.engine.warm_start import require_start, start_from
from fxkit.experiment.model import Experiment
from fxkit.experiment.resolved import dump_toml
from fxkit.experiment.unmet import require
from fxkit.files import remove_parts, write_text
from fxkit.hook_trace import HookTrace
from fxkit.model.assembly import build_part
from fxkit.run_end import RunResult, finish
from fxkit.runs import checkpoint
from fxkit.runs.folder import RunFolder, create_folder, free_path
from fxkit.runs.journal import Journal, rewind
from fxkit.runs.launches import forget, remember
from fxkit.runs.lock import lock_changes, lock_document, write_lock
from fxkit.runs.presence import announce, withdraw
from fxkit.runs.progress import Progress
from fxkit.runs.shape import shape_of


def run_experiment(
    experiment: Experiment,
    *,
    progress: Progress,
    out: Path | None = None,
    device: str | None = None,
    resume: RunFolder | None = None,
    crew: Crew = ALONE,
    find_batch_size: bool = False,
    trace_hooks: bool = False,
    observers: Mapping[str, Any] = MappingProxyType({}),
) -> RunResult:
    """Train an experiment from its start, or from where the run folder `resume` stands.

    Of the workers of a `crew` the leading one writes; all return the same. Torch's global generator is
    left as it was found. With `trace_hooks` it is told at the end which callback took how long. `observers`
    are callbacks beside those of the experiment, called after them. Raises `FxkitError` for everything that
    the user can mend; an interrupt saves the state first.
    """
    began = time.monotonic()
    require(experiment)
    if not resume:
        require_start(experiment.run.init)
    chosen = resolve_device(device or experiment.run.device, crew)
    path = resume.path if resume else _chosen_path(experiment, out, crew)
    with torch.random.fork_rng():
        prepared = prepare(experiment, device=chosen, crew=crew)
        report_data(prepared, progress)
        if not resume:
            take_over(prepared, progress)
        if find_batch_size:
            prepared = with_fitting_batch(prepared, training_segments, progress.message)
        lock = {**lock_document(prepared.experiment), "workers": crew.launch.size}
        folder = resume or begin(prepared.experiment, prepared, lock, path)
        run = open_run(prepared, folder, progress, HookTrace() if trace_hooks else None, observers)
        if resume:
            _continue(run, {**lock, "data": data_digests(prepared)})
        return _carry_out(run, began)


def _chosen_path(experiment: Experiment, out: Path | None, crew: Crew) -> Path:
    return crew.told(free_path(experiment.run.name, out) if crew.launch.leads else None)


def report_data(prepared: Prepared, progress: Progress) -> None:
    """Show what the dataset found and how large the model is."""
    table = getattr(prepared.dataset, "report", "")
    if table:
        progress.message(str(table))
    for warning in prepared.warnings:
        progress.message(f"warning: {warning}")
    for path in prepared.features.damaged:
        progress.message(f"{path}: damaged; extracted anew")
    counts = ", ".join(f"{len(m.recordings)} {split}" for split, m in prepared.materials.items())
    progress.message(
        f"{counts} recordings, {prepared.where}; {count_weights(prepared.model)} weights on {prepared.device}"
    )


def take_over(prepared: Prepared, progress: Progress) -> None:
    """Start from the weights of another run where the experiment says so."""
    init = prepared.experiment.run.init
    for line in start_from(prepared.model, init) if init else ():
        progress.message(line)


def begin(experiment: Experiment, prepared: Prepared, lock: Mapping[str, Any], path: Path) -> RunFolder:
    """Create the run folder with the resolved experiment and the lock."""
    launch = prepared.crew.launch
    if not launch.leads:
        return RunFolder(path)
    folder = create_folder(path)
    if launch.key:
        remember(launch, folder)
    write_text(folder.resolved, dump_toml(experiment.resolved))
    write_lock(folder, lock, shape_of(prepared.dataset), data_digests(prepared))
    return folder


def open_run(
    prepared: Prepared,
    folder: RunFolder,
    progress: Progress,
    trace: HookTrace | None = None,
    observers: Mapping[str, Any] = MappingProxyType({}),
) -> Run:
    """Build optimiser, schedule and callbacks, and rewind the journal to the last saved state."""
    experiment = prepared.experiment
    course = Course(prepared=prepared, report=progress.message, crew=prepared.crew)
    callbacks = Callbacks(progress.message, trace)
    leads = prepared.crew.launch.leads
    built: dict[str, tuple[Any, OnError]] = {
        name: (build_part(part, prepared.ctx), part.keys.on_error)
        for name, part in (experiment.callbacks if leads else {}).items()
    }
    watching: dict[str, tuple[Any, OnError]] = {
        name: (observer, "raise") for name, observer in (observers if leads else {}).items()
    }
    callbacks.add_all({**built, **watching})
    if leads:
        remove_parts(folder.path)
        saved = checkpoint.load(folder.last) if folder.last.is_file() else {"step": 0}
        rewind(folder.journal, int(saved["step"]), saved.get("records"))
    run = Run(
        prepared=prepared,
        folder=folder,
        course=course,
        callbacks=callbacks,
        journal=Journal(folder.journal if leads else Path(os.devnull)),
        progress=progress,
    )
    if callbacks.implement("fx_gradients"):
        course.on_gradients = lambda step: callbacks.hook.fx_gradients(run=run, step=step)
    return run


def _continue(run: Run, lock: Mapping[str, Any]) -> None:
    crew, saved = run.prepared.crew, None
    for line in lock_changes(run.folder, lock) if crew.launch.leads else ():
        run.report(f"warning: {line}")
    if crew.launch.leads and run.folder.last.is_file():
        saved = checkpoint.load(run.folder.last, run.prepared.device if crew.launch.size == 1 else "cpu")
    saved = crew.told(saved)
    if saved:
        run.load_state_dict(saved, run.folder.last)
        run.report(f"resuming {run.folder.path} at step {run.step}")
    else:
        run.report(f"resuming {run.folder.path} from the start: it has no checkpoint yet")


def _carry_out(run: Run, began: float) -> RunResult:
    try:
        result = _train(run, began)
    except BaseException:
        # What came after must not hide what ended the run.
        for error in run.callbacks.late_errors:
            run.report(str(error))
        raise
    for late in run.callbacks.late_errors:
        raise late
    return result


def _train(run: Run, began: float) -> RunResult:
    crew = run.prepared.crew
    if crew.launch.leads:
        announce(run.folder)
    try:
        with InterruptRequest(patient=crew.launch.size > 1) as request:
            run.callbacks.hook.fx_run_start(run=run)
            segments = partial(training_segments, run.prepared)
            Loop(run=run, segments=segments, request=request).train()
            run.save()
            result = crew.told(finish(run, began) if crew.launch.leads else None)
            forget(crew.launch)
            return result
    except Interrupted as error:
        run.save()
        run.journal.write("end", run.step, {"reason": "interrupted"})
        run.callbacks.hook.fx_exception(run=run, error=error)
        raise Interrupted(
            f"interrupted after step {run.step}; saved. Go on with: fxkit run --resume {run.folder.path}"
        ) from None
    except BaseException as error:
        run.journal.write("end", run.step, {"reason": "failed", "error": str(error) or type(error).__name__})
        run.callbacks.hook.fx_exception(run=run, error=error)
        raise
    finally:
        run.callbacks.close(run)
        run.background.close()
        run.journal.close()
        run.progress.close()
        if crew.launch.leads:
            withdraw(run.folder)


def training_segments(prepared: Prepared, stage: Stage) -> Segments:
    """Cut the training material as a stage of the experiment says."""
    experiment = prepared.experiment
    return Segments(
        prepared.materials["train"],
        segment=stage.segment,
        warmup=stage.warmup,
        batch_size=stage.batch_size,
        # Each stage visits the material in an order of its own, however long the one before it was.
        seed=experiment.run.seed + 982_451_653 * stage.index,
        hop=experiment.run.hop,
        transforms=prepared.transforms,
        rank=prepared.crew.launch.rank,
        ranks=prepared.crew.launch.size,
    )


def dry_run(
    experiment: Experiment,
    *,
    progress: Progress,
    device: str | None = None,
    crew: Crew = ALONE,
    find_batch_size: bool = False,
) -> dict[str, float]:
    """Build everything and make one step in memory; returns its losses.

    No run folder is made; only extracted features are cached.
    """
    require(experiment)
    require_start(experiment.run.init)
    chosen = resolve_device(device or experiment.run.device, crew)
    with torch.random.fork_rng():
        prepared = prepare(experiment, device=chosen, crew=crew)
        report_data(prepared, progress)
        take_over(prepared, progress)
        if find_batch_size:
            prepared = with_fitting_batch(prepared, training_segments, progress.message)
        course = Course(prepared=prepared, report=progress.message, crew=crew)
        batch = to_device(training_segments(prepared, course.stage).batch(0), chosen)
        losses = course.step(0, batch)
        losses.check()
        return losses.plain()
