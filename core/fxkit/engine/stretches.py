"""Measure recordings without one stretch of time after the other, as the jackknife needs it."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from functools import partial
from itertools import pairwise

import torch

from fxkit.engine.evaluation import Example
from fxkit.engine.objective import Term, measure
from fxkit.scores import TOTAL
from fxkit.values import Batch, Output

# Stretches shorter than this are no longer independent of each other.
SHORTEST_SECONDS = 0.5
FEWEST = 5

Without = dict[str, tuple[float, ...]]


@torch.no_grad()
def without_stretches(
    terms: Sequence[Term],
    examples: Sequence[Example],
    *,
    stretches: int,
    sample_rate: int,
    device: str = "cpu",
) -> dict[str, Without]:
    """Return recording -> metric -> its value without each of up to `stretches` equal stretches of time.

    A stretch lasts half a second at least; empty where all recordings together hold fewer than 5 of them, and
    without the metrics that read terms of the model, which are not known stretch by stretch.
    """
    shortest = round(SHORTEST_SECONDS * sample_rate)
    counts = [min(stretches, _scored(example) // shortest) for example in examples]
    if sum(counts) < FEWEST or min(counts, default=0) < 2:
        return {}
    return {
        example.name: _without_each(terms, example, count, device)
        for example, count in zip(examples, counts, strict=True)
    }


def _scored(example: Example) -> int:
    return example.target.shape[-1] - example.skip


def _without_each(terms: Sequence[Term], example: Example, count: int, device: str) -> Without:
    measurable = [term for term in terms if not term.traits.terms]
    measured = [
        measure(measurable, Output(audio=prediction), Batch(target=target, input=dry, names=(example.name,)))
        for prediction, target, dry in _cut(example, count, device)
    ]
    found = {term.name: tuple(float(values[term.name].mean()) for values in measured) for term in measurable}
    weights = {term.name: term.weight for term in terms if term.weight is not None}
    if weights.keys() <= found.keys():
        parts = [[weight * value for value in found[name]] for name, weight in weights.items()]
        found[TOTAL] = tuple(map(sum, zip(*parts, strict=True)))
    return found


def _cut(
    example: Example, count: int, device: str
) -> Iterator[tuple[torch.Tensor, torch.Tensor, torch.Tensor | None]]:
    edges = [example.skip + _scored(example) * index // count for index in range(count + 1)]
    for first, stop in pairwise(edges):
        rest = partial(_joined, skip=example.skip, first=first, stop=stop, device=device)
        dry = None if example.input is None else rest(example.input)
        yield rest(example.prediction), rest(example.target), dry


def _joined(audio: torch.Tensor, *, skip: int, first: int, stop: int, device: str) -> torch.Tensor:
    return torch.cat([audio[:, skip:first], audio[:, stop:]], dim=-1)[None].to(device)


def stretch_seconds(examples: Sequence[Example], without: Mapping[str, Without], sample_rate: int) -> float:
    """Return how long a stretch lasts on average."""
    counts = [len(next(iter(one.values()), ())) for one in without.values()]
    total = sum(_scored(example) for example in examples)
    return total / max(sum(counts), 1) / sample_rate
