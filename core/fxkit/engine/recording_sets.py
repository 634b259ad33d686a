"""Measure an evaluation's predictions, as a set, against the recordings of a run."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import torch

from fxkit.embedding import VectorCache
from fxkit.engine.evaluation import Evaluation
from fxkit.engine.material import Material
from fxkit.errors import RunError
from fxkit.protocols import Embedding
from fxkit.set_distance import SetDistance
from fxkit.yardstick import Yardstick

ReferenceSplit = Literal["train", "val", "test"]


def targets(material: Material) -> list[torch.Tensor]:
    """Return the recorded targets [channels, samples] of a split, from where scoring starts."""
    return [one.target[:, one.skip :].float() for one in material.recordings]


def predictions(evaluation: Evaluation) -> list[torch.Tensor]:
    """Return an evaluation's predictions [channels, samples], from where scoring starts."""
    return [example.prediction[:, example.skip :] for example in evaluation.examples]


def run_yardstick(
    embedding: Embedding,
    materials: Mapping[str, Material],
    *,
    sample_rate: int,
    reference: ReferenceSplit = "train",
    memorised: bool = True,
    per_dim: float = 10.0,
    most: int = 5000,
) -> Yardstick:
    """Make a yardstick of a run's own recordings.

    The held-out recordings are those of the validation, or of the test where there is no validation.
    Raises `RunError` where the reference is empty or cannot be embedded.
    """
    split = "val" if materials["val"].recordings else "test"
    held_out = targets(materials[split])
    chosen = targets(materials[reference])
    if not chosen:
        raise RunError(f"the {reference} split is empty, and there is nothing to measure distances from")
    try:
        return Yardstick(
            embedding,
            chosen,
            sample_rate=sample_rate,
            training=targets(materials["train"]) if memorised else (),
            held_out=held_out,
            real=() if split == reference else held_out,
            per_dim=per_dim,
            most=most,
            cache=VectorCache(),
        )
    except ValueError as error:
        raise RunError(f"the {reference} split cannot be embedded: {error}") from error


def measure_sets(
    embeddings: Mapping[str, Embedding], materials: Mapping[str, Material], evaluation: Evaluation
) -> dict[str, SetDistance]:
    """Return embedding name -> how far an evaluation's predictions are from the training recordings.

    Copies are looked for outside the training split, and not by networks: the search embeds the training
    recordings several times over.
    """
    rate, untrained = evaluation.sample_rate, evaluation.split != "train"
    return {
        name: run_yardstick(
            one,
            materials,
            sample_rate=rate,
            memorised=untrained and not getattr(one, "digest", ""),
        ).measure(predictions(evaluation))
        for name, one in embeddings.items()
    }
