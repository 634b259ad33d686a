"""Measure what a validation has played, without playing it again."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import torch

from fxkit.engine.evaluation import score, whole_batch
from fxkit.engine.objective import Term, build_terms
from fxkit.errors import AssemblyError
from fxkit.experiment.model import Part
from fxkit.experiment.tables import NoKeys
from fxkit.values import Output

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.engine.material import Material
    from fxkit.engine.session import Example

Row = tuple[str, dict[str, float]]


def metric_terms(specs: Mapping[str, Any], ctx: BuildContext) -> tuple[Term, ...]:
    """Build metrics by name; raises `AssemblyError` for one that the material does not suit."""
    terms = build_terms({}, {name: _part(name, spec) for name, spec in specs.items()}, ctx)
    for term in terms:
        if term.traits.terms:
            raise AssemblyError(
                f"metrics.{term.name}", "reads the model's own terms, which a validation does not keep"
            )
        if isinstance(term.loss, torch.nn.Module):
            term.loss.to(ctx.device).eval()
    return terms


def _part(name: str, spec: Any) -> Part:
    return Part(
        path=f"metrics.{name}", kind="losses", plugin=name, version="", name=name, spec=spec, keys=NoKeys()
    )


def measured(
    terms: tuple[Term, ...], examples: Sequence[Example], material: Material, device: str
) -> list[Row]:
    """Return each example's name with the values of all terms; what is drawn at random is left as it was."""
    rows = []
    with torch.no_grad(), torch.random.fork_rng():
        for example, recording, features in zip(
            examples, material.recordings, material.features, strict=True
        ):
            batch = whole_batch(recording, features, device)
            rows.append((example.name, score(terms, _output(example, device), batch)))
    return rows


def _output(example: Example, device: str) -> Output:
    def items(tensors: Mapping[str, torch.Tensor]) -> dict[str, torch.Tensor]:
        return {name: tensor[None].to(device) for name, tensor in tensors.items()}

    return Output(
        audio=example.prediction[None].to(device),
        parameters=items(example.parameters),
        stems=items(example.stems),
    )
