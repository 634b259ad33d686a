"""Evaluate a model on whole recordings: metrics, audio and parameter tracks from one pass."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import torch

from fxkit.engine.material import Material
from fxkit.engine.objective import Term, measure
from fxkit.engine.streaming import process
from fxkit.model.graph import Model
from fxkit.model.manner import Manner
from fxkit.values import Batch, Output, Recording


@attrs.frozen(kw_only=True, eq=False)
class Example:
    """Hold one evaluated recording; tensors [channels, samples] on the CPU, tracks [size, time].

    Sample k of prediction, `stems` (of parallel branches) and `nodes` belongs to sample k of the target.
    `nodes`, the audio behind each node, is there where a callback asked for it.
    """

    name: str
    target: torch.Tensor
    prediction: torch.Tensor
    input: torch.Tensor | None
    skip: int
    metrics: Mapping[str, float]
    stems: Mapping[str, torch.Tensor]
    parameters: Mapping[str, torch.Tensor]
    nodes: Mapping[str, torch.Tensor] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True, eq=False)
class Evaluation:
    """Hold an evaluated split: `metrics` are means over recordings, "loss" the weighted total."""

    split: str
    step: int
    sample_rate: int
    metrics: Mapping[str, float]
    examples: tuple[Example, ...]


def evaluate(
    model: Model,
    terms: tuple[Term, ...],
    material: Material,
    *,
    split: str,
    step: int,
    sample_rate: int,
    device: str = "cpu",
    between: Callable[[], None] = lambda: None,
    keeps_nodes: Callable[[str], bool] = lambda recording: False,
) -> Evaluation:
    """Run the model over every recording of a split and measure it.

    Recordings run whole, state carried throughout; each recording's first `skip` samples are left
    out of the scores. `between` is called between recordings (to stop early by raising). `keeps_nodes`
    tells by a recording's name whether the audio behind every node is kept.
    """
    was_training = model.training
    model.eval()
    examples = []
    try:
        with torch.no_grad():
            for recording, features in zip(material.recordings, material.features, strict=True):
                between()
                manner = Manner(nodes=keeps_nodes(recording.name))
                examples.append(_example(model, terms, recording, features, device, manner))
    finally:
        model.train(was_training)
    return Evaluation(
        split=split,
        step=step,
        sample_rate=sample_rate,
        metrics=_means(terms, examples),
        examples=tuple(examples),
    )


def _example(
    model: Model,
    terms: tuple[Term, ...],
    recording: Recording,
    features: Mapping[str, torch.Tensor],
    device: str,
    manner: Manner,
) -> Example:
    batch = whole_batch(recording, features, device)
    output = process(
        model,
        model_input(batch),
        knobs=batch.knobs,
        features=batch.features,
        clock=recording.start,
        manner=manner,
    )
    return Example(
        name=recording.name,
        target=recording.target,
        prediction=output.audio[0].cpu(),
        input=recording.input,
        skip=recording.skip,
        metrics=score(terms, output, batch),
        stems=_first_items(output.stems),
        parameters=_first_items(output.parameters),
        nodes=_first_items(output.nodes),
    )


def _first_items(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
    return {name: tensor[0].cpu() for name, tensor in tensors.items()}


def score(terms: tuple[Term, ...], output: Output, batch: Batch) -> dict[str, float]:
    """Return each term's value for a batch of one."""
    return {name: float(value.mean()) for name, value in measure(terms, output, batch).items()}


def whole_batch(recording: Recording, features: Mapping[str, torch.Tensor], device: str) -> Batch:
    """Make a batch of one from a whole recording."""
    return Batch(
        target=recording.target[None].to(device),
        input=None if recording.input is None else recording.input[None].to(device),
        knobs=None if recording.knobs is None else recording.knobs[None].to(device),
        features={name: series[None].to(device) for name, series in features.items()},
        warmup=recording.skip,
        names=(recording.name,),
        starts=torch.tensor([recording.start]),
    )


def model_input(batch: Batch) -> torch.Tensor:
    """Return what enters the model: the dry audio, or zero channels of the target's length."""
    return batch.target[:, :0] if batch.input is None else batch.input


def _means(terms: Sequence[Term], examples: Sequence[Example]) -> dict[str, float]:
    if not examples:
        return {}
    means = {term.name: sum(e.metrics[term.name] for e in examples) / len(examples) for term in terms}
    weighted = [means[term.name] * term.weight for term in terms if term.weight is not None]
    return {**means, "loss": sum(weighted)}
