"""Say what to change when memory runs out."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

import torch

from fxkit.engine.memory import free_memory, in_words, is_lack
from fxkit.engine.phases import Stage
from fxkit.errors import RunError
from fxkit.experiment.model import Experiment


class OutOfMemory(RunError):
    """Report that memory ran out, and what takes less."""


@contextmanager
def advising(doing: str, stage: Stage, experiment: Experiment, device: str) -> Iterator[None]:
    """Turn a lack of memory inside the `with` block into `OutOfMemory`; `doing` says during what."""
    try:
        yield
    except Exception as error:
        if not is_lack(error):
            raise
        raise OutOfMemory(f"{doing}: {_lack(stage, device)}; {_ways_out(stage, experiment)}") from error


def _lack(stage: Stage, device: str) -> str:
    if torch.device(device).type == "cuda":
        torch.cuda.empty_cache()
    window = "" if stage.window is None else f", train.window = {stage.window}"
    return (
        f"out of memory on {device} ({in_words(free_memory(device))} free) with train.batch_size ="
        f" {stage.batch_size}, train.accumulate = {stage.accumulate}, data.segment = {stage.segment}{window}"
    )


def _ways_out(stage: Stage, experiment: Experiment) -> str:
    """Name what takes less memory, first what leaves the result as it is."""
    ways = [*_same_result(stage, experiment), *_other_result(stage)]
    return f"set {', or '.join(ways)}; fxkit run --find-batch-size finds the largest batch that fits"


def _same_result(stage: Stage, experiment: Experiment) -> Iterator[str]:
    more = range(stage.accumulate + 1, stage.batch_size + 1)
    parts = next((parts for parts in more if stage.batch_size % parts == 0), None)
    if parts is not None:
        yield f"train.accumulate = {parts} (the same gradient in parts)"
    kept = [name for name, node in experiment.nodes.items() if not node.keys.recompute]
    if kept:
        yield f"nodes.{kept[0]}.recompute = true (the same, slower)"


def _other_result(stage: Stage) -> Iterator[str]:
    if stage.batch_size > 1:
        yield f"train.batch_size = {stage.batch_size // 2}"
    if stage.window is None:
        yield f"train.window = {max(1, stage.segment // 4)} (gradients reach back less far)"
    if stage.segment >= 32:
        yield f"data.segment = {stage.segment // 2}"
    if stage.precision == "float32":
        yield 'train.precision = "bf16"'
