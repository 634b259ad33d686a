"""What callbacks that measure a model with test signals have in common."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

import torch

from fxkit.engine.loop import borrowed
from fxkit.errors import RunError
from fxkit.inspection.probe import refuse_players

if TYPE_CHECKING:
    from fxkit.engine.session import Evaluation, Run


def check_probing(run: Run, name: str, knobs: Sequence[float], levels: Sequence[float]) -> None:
    """Refuse models that have no response, knobs that are not the device's, and no levels at all.

    Raises `RunError` that begins with the `name` of the callback.
    """
    if not levels:
        raise RunError(f"{name}: levels is empty; name one or more in dBFS")
    try:
        refuse_players(run.model)
        knob_tensor(run, knobs)
    except RunError as error:
        raise RunError(f"{name}: {error}") from None


def knob_tensor(run: Run, knobs: Sequence[float]) -> torch.Tensor | None:
    """Return knobs in the device's own units scaled to [0, 1]; None, for their middles, where none are given.

    Raises `RunError` for the wrong number of them, and for one out of its range.
    """
    ctx = next(iter(run.model.plan.nodes.values())).ctx
    ranges = [ctx.knob_ranges.get(name, (0.0, 1.0)) for name in ctx.knobs]
    listed = ", ".join(
        f"{name} ({low:g} to {high:g})" for name, (low, high) in zip(ctx.knobs, ranges, strict=True)
    )
    fits = len(knobs) == len(ranges) and all(
        low <= value <= high for value, (low, high) in zip(knobs, ranges, strict=True)
    )
    if knobs and not fits:
        raise RunError(f"knobs = {list(knobs)} do not fit; the recordings have: {listed or 'none'}")
    if not knobs:
        return None
    return torch.tensor([(v - low) / (high - low) for v, (low, high) in zip(knobs, ranges, strict=True)])


@contextmanager
def validated_weights(run: Run, evaluation: Evaluation) -> Iterator[None]:
    """Let the model have the weights that `evaluation` was made with, such as their moving average."""
    test = evaluation.split == "test"
    other = None if test else run.callbacks.hook.fx_validation_weights(run=run, step=run.step)
    with borrowed(run.model, other):
        yield


def responses(run: Run) -> Path:
    """Return the folder of what is measured."""
    return run.folder.path / "responses"


def state_title(run: Run, evaluation: Evaluation) -> str:
    """Say which state of the model a picture shows."""
    when = "as kept at the end" if evaluation.split == "test" else f"at step {evaluation.step}"
    return f"{run.experiment.run.name} {when}"
