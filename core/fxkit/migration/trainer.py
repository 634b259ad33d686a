"""Bring the settings of Lightning's trainer over: length, clipping, validations, callbacks, logger."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

from fxkit.migration.entry import Entry
from fxkit.migration.rules import apply
from fxkit.migration.training_classes import TRAINER
from fxkit.migration.work import Work

# How programs call the figures that are watched -> the loss or metric, "loss" for the total.
Monitors = Mapping[str, str]
_NAMES = re.compile(r"name|run_name|version")


def bring_trainer(work: Work, trainer: Entry, monitors: Monitors) -> None:
    """Bring over the keys of a trainer; `monitors` says what its names of figures stand for."""
    ledger, sketch = work.ledger, work.sketch
    sketch.set("train", **apply(TRAINER, trainer, ledger, "train"))
    _length(work, trainer)
    _clipping(work, trainer)
    _accumulation(work, trainer)
    _validations(work, trainer)
    _logger(work, trainer.get("logger"))
    callbacks = trainer.get("callbacks")
    for entry in callbacks.elements() if callbacks else ():
        _callback(work, entry, monitors)
    if callbacks is not None and not callbacks.elements() and not ledger.knows(callbacks):
        ledger.unneeded(callbacks, "there are none")


def _length(work: Work, trainer: Entry) -> None:
    train, epochs = work.sketch.tables.setdefault("train", {}), trainer.get("max_epochs")
    if train.get("steps", 1) < 0:
        del train["steps"]
    if epochs is not None and train.get("steps"):
        work.ledger.unneeded(epochs, "train.steps says how long")
        return
    steps = work.epochs(epochs, "train.steps")
    if steps is not None:
        train["steps"] = steps


def _clipping(work: Work, trainer: Entry) -> None:
    value, algorithm = trainer.get("gradient_clip_val"), trainer.get("gradient_clip_algorithm")
    size = value.plain() if value else None
    option = "clip_value" if algorithm is not None and algorithm.plain() == "value" else "clip_norm"
    if not isinstance(size, (int, float)) or size <= 0:
        for entry in (value, algorithm):
            if entry is not None:
                work.ledger.unneeded(entry, "nothing is clipped")
        return
    work.sketch.set("train", **{option: float(size)})
    work.ledger.mapped(value, f"train.{option}")
    work.ledger.mapped(algorithm, f"train.{option}")


def _accumulation(work: Work, trainer: Entry) -> None:
    times = trainer.get("accumulate_grad_batches")
    accumulate(work, times)


def accumulate(work: Work, times: Entry | None) -> None:
    """Bring over gradients that are gathered over several batches: one batch as many times as large."""
    if times is None:
        return
    count = times.plain()
    batch = work.sketch.tables.get("train", {}).get("batch_size")
    if count == 1:
        work.ledger.unneeded(times, "one batch per step")
    elif isinstance(count, int) and batch:
        work.sketch.set("train", batch_size=batch * count, accumulate=count)
        work.ledger.mapped(times, "train.accumulate", f"{count} parts of a batch of {batch * count}")
    else:
        work.ledger.missing(times, "the batch size that it multiplies is not known", "train")


def _validations(work: Work, trainer: Entry) -> None:
    inside, every = trainer.get("val_check_interval"), trainer.get("check_val_every_n_epoch")
    if inside is not None and isinstance(inside.plain(), int):
        work.sketch.set("train", validate_every=inside.plain())
        work.ledger.mapped(inside, "train.validate_every", "steps")
        inside = None
    for entry in (inside, every):
        if entry is not None and work.sketch.tables["train"].get("validate_every"):
            work.ledger.unneeded(entry, "train.validate_every says when")
        elif entry is not None:
            steps = work.epochs(entry, "train.validate_every")
            work.sketch.set("train", validate_every=steps)
    if work.steps_per_epoch and not work.sketch.tables["train"].get("validate_every"):
        work.sketch.set("train", validate_every=work.steps_per_epoch)


def _logger(work: Work, logger: Entry | None) -> None:
    if logger is None:
        return
    if not logger.is_table:
        work.ledger.unneeded(logger, "add callbacks.NAME with the type tensorboard, csv or jsonl")
        return
    name = logger.get("class_path")
    kind = str(name.plain()) if name else ""
    plugin = "csv" if "CSV" in kind else "tensorboard"
    if "TensorBoard" in kind or "CSV" in kind:
        work.ledger.mapped(name, f"callbacks.{plugin}.type", plugin)
    else:
        work.ledger.missing(
            name, "runs are logged to files; TensorBoard takes its place", "callbacks.tensorboard"
        )
    work.sketch.set(f"callbacks.{plugin}", type=plugin)
    for key, entry in (logger.get("init_args") or Entry({}, "", 0, "")).items():
        if key == "name" and isinstance(entry.plain(), str):
            work.sketch.set("run", name=run_name(entry.plain()))
            work.ledger.mapped(entry, "run.name")
        elif key == "save_dir":
            work.ledger.unneeded(entry, "run --out says where runs go")
        elif not entry.plain():
            work.ledger.unneeded(entry, "is empty")
        else:
            work.ledger.missing(entry, "a run is known by its name and folder alone", f"callbacks.{plugin}")


def run_name(text: str) -> str:
    """Return text that can name a run and its folder."""
    return re.sub(r"[/\\\0]", "-", text).strip().lstrip(".") or "run"


def _callback(work: Work, entry: Entry, monitors: Monitors) -> None:
    path = entry.get("class_path") or entry
    name = work.sketch.free(
        "callbacks", re.sub(r"(?<=[a-z])(?=[A-Z])", "-", str(path.plain()).rpartition(".")[2])
    )
    table = f"callbacks.{name}"
    found = work.classed("callbacks", entry, table)
    if found is None:
        return
    given = entry.get("init_args")
    found |= watched(work, given.get("monitor") if given else None, monitors, table)
    found |= _kept(work, given.get("save_top_k") if given else None, table)
    work.sketch.set(table, **found)


def watched(work: Work, entry: Entry | None, monitors: Monitors, table: str) -> dict[str, Any]:
    """Return which loss or metric is watched; nothing for the total, which is when none is named."""
    if entry is None or work.ledger.knows(entry):
        return {}
    name = monitors.get(str(entry.plain()))
    tables = work.sketch.tables
    if name is None or (
        name != "loss" and f"losses.{name}" not in tables and f"metrics.{name}" not in tables
    ):
        work.ledger.missing(entry, "no loss or metric is called so", table)
        return {}
    work.ledger.mapped(entry, f"{table}.metric", "" if name != "loss" else "the weighted loss")
    return {} if name == "loss" else {"metric": name}


def _kept(work: Work, entry: Entry | None, table: str) -> dict[str, Any]:
    if entry is None:
        return {}
    count = entry.plain()
    if not isinstance(count, int) or count < 0:
        work.ledger.missing(entry, "some states are kept, not all", table)
        return {}
    work.ledger.mapped(entry, f"{table}.best", "the best weights are kept in any case")
    return {"best": count}
