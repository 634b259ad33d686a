"""Find the largest batch that fits into memory, by measuring what a step takes."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from typing import Any

import attrs
import torch

from fxkit.engine.advice import advising
from fxkit.engine.course import Course
from fxkit.engine.distributed import ALONE
from fxkit.engine.memory import Meter, free_memory, in_words, is_lack
from fxkit.engine.phases import Stage, stages_of
from fxkit.engine.segments import Segments
from fxkit.engine.setup import Prepared, to_device
from fxkit.experiment.model import Experiment
from fxkit.runs.checkpoint import random_state, restore_random_state

Cut = Callable[[Prepared, Stage], Segments]

# A GPU is the run's own; memory of the machine is everybody's.
SHARES = {"cuda": 0.9, "cpu": 0.5}


def with_fitting_batch(prepared: Prepared, cut: Cut, report: Callable[[str], None]) -> Prepared:
    """Return the same with `train.batch_size` set to the largest that fits on every worker.

    `cut` makes the segments of a stage. Weights and random numbers are left as they were found.
    Raises `OutOfMemory` when not even the smallest fits.
    """
    share = SHARES.get(torch.device(prepared.device).type, 0.5)
    budget = int(share * free_memory(prepared.device))
    if prepared.device == "cpu":
        budget //= prepared.crew.launch.local_size
    found = prepared.crew.least(largest(prepared, cut, budget, report))
    report(f"train.batch_size = {found}: the largest that {in_words(budget)} hold")
    return with_batch_size(prepared, found)


def largest(prepared: Prepared, cut: Cut, budget: int, report: Callable[[str], None]) -> int:
    """Return the largest batch size (train.accumulate times a power of two) whose step takes `budget` bytes.

    Sizes beyond one epoch are not tried.
    """
    meter = Meter(prepared.device)
    found, peaks = 0, [0]
    for size in _sizes(prepared, cut):
        try:
            peaks.append(meter.peak(partial(_trial, prepared, cut, size)))
        except Exception as error:
            if not is_lack(error):
                raise
            break
        report(f"a batch of {size} takes {in_words(peaks[-1])}")
        if peaks[-1] > budget:
            break
        found = size
        # What a step takes grows in proportion to the batch, beside what it takes without one.
        if len(peaks) > 2 and 3 * peaks[-1] - 2 * peaks[-2] > budget:
            break
    if not found:
        stage = stages_of(prepared.experiment)[0]
        with advising("looking for a batch size", stage, prepared.experiment, prepared.device):
            raise MemoryError
    return found


def with_batch_size(prepared: Prepared, size: int) -> Prepared:
    """Return the same with another batch size, which the resolved experiment says too."""
    return attrs.evolve(prepared, experiment=experiment_with(prepared.experiment, size))


def experiment_with(experiment: Experiment, size: int) -> Experiment:
    """Return the experiment with another `train.batch_size`."""
    resolved: dict[str, Any] = copy.deepcopy(dict(experiment.resolved))
    table: Mapping[str, Any] = resolved.get("train", {})
    resolved["train"] = {**table, "batch_size": size}
    return attrs.evolve(experiment, train=attrs.evolve(experiment.train, batch_size=size), resolved=resolved)


def _sizes(prepared: Prepared, cut: Cut) -> Iterator[int]:
    stage = stages_of(prepared.experiment)[0]
    most = max(stage.accumulate, len(cut(prepared, stage)))
    size = stage.accumulate
    while size <= most:
        yield size
        size *= 2


def _trial(prepared: Prepared, cut: Cut, size: int) -> None:
    """Make one step with a batch of `size`, on a copy of everything that it would change."""
    drawn = random_state()
    model, terms = copy.deepcopy((prepared.model, prepared.terms))
    changed = attrs.evolve(with_batch_size(prepared, size), model=model, terms=terms, crew=ALONE)
    try:
        course = Course(prepared=changed, report=lambda text: None)
        course.step(0, to_device(cut(changed, course.stage).batch(0), prepared.device))
    finally:
        restore_random_state(drawn)
