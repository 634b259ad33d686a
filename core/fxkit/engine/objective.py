"""What is minimised: a weighted sum of named losses, each a mean of per-item values."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import torch

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit.experiment.model import Part
from fxkit.model.assembly import build_part
from fxkit.protocols import Loss
from fxkit.traits import loss_traits
from fxkit.values import Batch, Output, Shared


@attrs.frozen
class Term:
    """Hold one loss with its weight; a metric has weight None and is not trained on."""

    name: str
    loss: Loss
    weight: float | None


def build_terms(
    losses: Mapping[str, Part], metrics: Mapping[str, Part], ctx: BuildContext
) -> tuple[Term, ...]:
    """Build the losses, then the metrics; a metric named like a loss is that loss and is left out.

    Raises `AssemblyError` for one that the material does not suit.
    """
    trained = tuple(Term(name, _built(part, ctx), part.keys.weight) for name, part in losses.items())
    watched = tuple(
        Term(name, _built(part, ctx), None) for name, part in metrics.items() if name not in losses
    )
    return trained + watched


def _built(part: Part, ctx: BuildContext) -> Loss:
    traits = loss_traits(part.spec, ctx)
    if traits.channels is not None and ctx.target_channels not in traits.channels:
        wanted = " or ".join(map(str, traits.channels))
        raise AssemblyError(
            part.path, f"{part.name} takes {wanted} channels; the target has {ctx.target_channels}"
        )
    if "input" in traits.uses and not ctx.channels:
        raise AssemblyError(part.path, f"{part.name} compares with the input, and this data has none")
    loss: Loss = build_part(part, ctx)
    return loss


def aligned(output: Output, batch: Batch) -> tuple[Output, Batch]:
    """Cut warm-up and latency, so that sample k of prediction and target belong together."""
    late, cut = output.latency, batch.warmup
    stop = batch.target.shape[-1] - late
    target = batch.target[..., cut:stop]
    if late == 0 and cut == 0:
        return output, batch
    stems = {name: stem[..., cut + late :] for name, stem in output.stems.items()}
    return (
        attrs.evolve(output, audio=output.audio[..., cut + late :], stems=stems, latency=0),
        attrs.evolve(
            batch, target=target, input=None if batch.input is None else batch.input[..., cut:stop], warmup=0
        ),
    )


def measure(
    terms: tuple[Term, ...], output: Output, batch: Batch, shared: Shared | None = None
) -> dict[str, torch.Tensor]:
    """Return each term's per-item values [batch] over the scored part.

    Several outputs that are measured on the same aligned batch may share what is made of its target.
    """
    output, batch = aligned(output, batch)
    # What the losses share lasts as long as this call: a segment of many windows would keep it all.
    batch = attrs.evolve(batch, shared=shared or Shared())
    return {term.name: _values(term, output, batch) for term in terms}


def _values(term: Term, output: Output, batch: Batch) -> torch.Tensor:
    try:
        return term.loss(output, batch)
    except AssemblyError as error:
        table = "metrics" if term.weight is None else "losses"
        raise error.at(f"{table}.{term.name}") from error


def weighted_total(terms: tuple[Term, ...], values: Mapping[str, torch.Tensor]) -> torch.Tensor:
    """Sum the means of the trained terms, each times its weight."""
    parts = [values[term.name].mean() * term.weight for term in terms if term.weight is not None]
    return torch.stack(parts).sum()
