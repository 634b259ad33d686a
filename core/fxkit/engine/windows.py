"""Windows of a segment: which samples a step runs over, and which of them are scored."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping

import attrs
import torch

from fxkit.engine.evaluation import model_input
from fxkit.engine.phases import Stage
from fxkit.engine.streaming import due_features, due_knobs
from fxkit.errors import AssemblyError
from fxkit.model.graph import Model
from fxkit.model.manner import PLAIN, Manner
from fxkit.values import Batch, Output, State

Forward = Callable[..., Output]


@attrs.frozen
class Window:
    """Hold the samples [begin, stop) of a batch that one step runs over.

    `first` and `last` say where in its segment it stands; the state is carried over all others.
    """

    begin: int
    stop: int
    first: bool
    last: bool


def windows_of(stage: Stage) -> tuple[Window, ...]:
    """Return the windows of a segment in their order; one over all of it without `train.window`."""
    length, end = stage.window or stage.segment, stage.warmup + stage.segment
    begins = range(stage.warmup, end, length)
    return tuple(
        Window(
            0 if begin == stage.warmup and stage.warmup_gradient else begin,
            begin + length,
            begin == stage.warmup,
            begin + length == end,
        )
        for begin in begins
    )


def check_window(stage: Stage, latency: int) -> None:
    """Raise `AssemblyError` where nothing of a window would be left to score behind the latency."""
    if stage.window is not None and stage.window <= latency:
        message = f"{stage.window} samples are not more than the model's latency of {latency}"
        raise AssemblyError("train.window", f"{message}; choose a longer window")


def parts_of(batch: Batch, count: int) -> Iterator[Batch]:
    """Divide a batch into `count` of equal size."""
    if count == 1:
        yield batch
        return
    size = batch.target.shape[0] // count
    for first in range(0, size * count, size):
        yield _items(batch, slice(first, first + size))


def _items(batch: Batch, which: slice) -> Batch:
    return attrs.evolve(
        batch,
        target=batch.target[which],
        input=None if batch.input is None else batch.input[which],
        knobs=None if batch.knobs is None else batch.knobs[which],
        features={name: series[which] for name, series in batch.features.items()},
        names=batch.names[which],
        starts=None if batch.starts is None else batch.starts[which],
    )


def run_window(
    model: Forward, batch: Batch, window: Window, state: State, *, hop: int, manner: Manner = PLAIN
) -> tuple[Output, Batch]:
    """Run a model over a window and return its output beside the part of the batch that it answers.

    `state` is that behind the window before; None at the first one, before which the model runs over
    the batch's warm-up without a gradient.
    """
    if window.begin and state is None:
        with torch.no_grad():
            state = _passed(model, batch, 0, window.begin, None, hop, manner).state
    output = _passed(model, batch, window.begin, window.stop, state, hop, manner)
    if window.first and window.last and not window.begin:
        return output, batch
    late = 0 if window.first else output.latency
    # The first samples behind a warm-up come out of what went in before it; later windows go on at once.
    answered = _cut(batch, window.begin - late, window.stop - late)
    if window.first:
        return output, attrs.evolve(answered, warmup=batch.warmup - window.begin)
    return attrs.evolve(output, latency=0), attrs.evolve(answered, warmup=0)


def _passed(
    model: Forward, batch: Batch, begin: int, stop: int, state: State, hop: int, manner: Manner
) -> Output:
    audio = model_input(batch)
    features: Mapping[str, torch.Tensor] = batch.features
    knobs = batch.knobs
    if begin or stop < audio.shape[-1]:
        features = due_features(features, begin, stop - begin, hop)
        knobs = due_knobs(knobs, begin, stop - begin, hop)
        audio = audio[..., begin:stop]
    starts = batch.starts if state is None else None
    return model(audio, knobs=knobs, features=features, state=state, starts=starts, manner=manner)


def _cut(batch: Batch, begin: int, stop: int) -> Batch:
    return attrs.evolve(
        batch,
        target=batch.target[..., begin:stop],
        input=None if batch.input is None else batch.input[..., begin:stop],
        starts=None if batch.starts is None else batch.starts + begin,
    )


def hop_of(model: Model) -> int:
    """Return the distance of a model's frames, in samples."""
    return next(iter(model.plan.nodes.values())).ctx.hop
