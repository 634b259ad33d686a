"""What is minimised: a weighted sum of named losses, each a mean of per-item values."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import attrs
import torch

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit.experiment.model import Part
from fxkit.model.assembly import build_part
from fxkit.protocols import Loss, Ramp
from fxkit.traits import LossTraits, loss_traits
from fxkit.values import Batch, Output, Shared

# "term.part" -> weight and value [batch] of a part of a loss that is a sum.
Parts = dict[str, tuple[float, torch.Tensor]]


@attrs.frozen
class Term:
    """Hold one loss with its weight; a metric has weight None and is not trained on.

    `weight` is the nominal one: where it follows a `ramp`, that in the end, which validations take.
    """

    name: str
    loss: Loss
    weight: float | None
    higher_is_better: bool = False
    traits: LossTraits = attrs.field(factory=LossTraits)
    ramp: Ramp | None = None

    def weight_at(self, step: int, share: float) -> float:
        """Return the weight in step `step` (from 0), before which `share` of the training was over."""
        return (self.weight or 0.0) if self.ramp is None else float(self.ramp.weight(step, share))


@attrs.frozen
class Criterion:
    """Hold what chooses between weights: a metric's name, and whether more of it is better."""

    metric: str
    higher_is_better: bool = False

    def cost(self, value: float) -> float:
        """Return a figure of which less is better."""
        return -value if self.higher_is_better else value

    def prefers(self, value: float, best: float) -> bool:
        """Tell whether `value` is better than `best`; one that is not a number never is."""
        return self.cost(value) < self.cost(best)


def criterion(terms: Iterable[Term], metric: str | None) -> Criterion:
    """Return the criterion of a metric's name; None stands for "loss", the weighted total."""
    higher = {term.name for term in terms if term.higher_is_better}
    return Criterion(metric or "loss", metric in higher)


def build_terms(
    losses: Mapping[str, Part], metrics: Mapping[str, Part], ctx: BuildContext
) -> tuple[Term, ...]:
    """Build the losses, then the metrics; a metric named like a loss is that loss and is left out.

    Raises `AssemblyError` for one that the material does not suit.
    """
    trained = tuple(weighted(_term(name, part, ctx), part.keys.weight, ctx) for name, part in losses.items())
    watched = tuple(_term(name, part, ctx) for name, part in metrics.items() if name not in losses)
    return trained + watched


def weighted(term: Term, weight: Any, ctx: BuildContext) -> Term:
    """Return a term with a weight as an experiment has it: a number, or the part of a ramp."""
    if not isinstance(weight, Part):
        return attrs.evolve(term, weight=weight, ramp=None)
    ramp: Ramp = build_part(weight, ctx)
    return attrs.evolve(term, weight=float(ramp.final), ramp=ramp)


def _term(name: str, part: Part, ctx: BuildContext) -> Term:
    wrong = unsuited(part, ctx)
    if wrong:
        raise AssemblyError(part.path, wrong)
    traits = loss_traits(part.spec, ctx)
    loss: Loss = build_part(part, ctx)
    return Term(name, loss, None, traits.higher_is_better, traits)


def unsuited(part: Part, ctx: BuildContext) -> str | None:
    """Return why a loss or metric cannot measure recordings of the channels in `ctx`, or None."""
    traits = loss_traits(part.spec, ctx)
    if traits.channels is not None and ctx.target_channels not in traits.channels:
        wanted = " or ".join(map(str, traits.channels))
        return f"{part.name} takes {wanted} channels; the target has {ctx.target_channels}"
    if "input" in traits.uses and not ctx.channels:
        return f"{part.name} compares with the input, and this data has none"
    return None


def check_length(terms: Iterable[Term], samples: int, of: str, fix: str) -> None:
    """Raise `AssemblyError` for a term that cannot measure `samples` samples; `fix` says what helps."""
    for term in terms:
        if samples < term.traits.least_samples:
            table = "metrics" if term.weight is None else "losses"
            message = f"needs {term.traits.least_samples} samples, and {of} has {samples} that are scored"
            raise AssemblyError(f"{table}.{term.name}", f"{message}; {fix}, or give it shorter FFTs")


def aligned(output: Output, batch: Batch) -> tuple[Output, Batch]:
    """Cut warm-up and latency, so that sample k of prediction and target belong together."""
    late, cut = output.latency, batch.warmup
    stop = batch.target.shape[-1] - late
    target = batch.target[..., cut:stop]
    if late == 0 and cut == 0:
        return output, batch
    lags = {name: output.stems_late.get(name, late) for name in output.stems}
    stems = {name: stem[..., cut + lags[name] : stop + lags[name]] for name, stem in output.stems.items()}
    return (
        attrs.evolve(output, audio=output.audio[..., cut + late :], stems=stems, latency=0, stems_late={}),
        attrs.evolve(
            batch, target=target, input=None if batch.input is None else batch.input[..., cut:stop], warmup=0
        ),
    )


def measure(
    terms: Iterable[Term], output: Output, batch: Batch, shared: Shared | None = None
) -> dict[str, torch.Tensor]:
    """Return each term's per-item values [batch] over the scored part.

    Several outputs that are measured on the same aligned batch may share what is made of its target.
    """
    return measure_parts(terms, output, batch, shared)[0]


def measure_parts(
    terms: Iterable[Term], output: Output, batch: Batch, shared: Shared | None = None
) -> tuple[dict[str, torch.Tensor], Parts]:
    """Return each term's per-item values [batch] over the scored part, and those of the parts of sums."""
    output, batch = aligned(output, batch)
    # What the losses share lasts as long as this call: a segment of many windows would keep it all.
    batch = attrs.evolve(batch, shared=shared or Shared())
    values: dict[str, torch.Tensor] = {}
    parts: Parts = {}
    for term in terms:
        values[term.name], own = _values(term, output, batch)
        parts.update({f"{term.name}.{name}": part for name, part in own.items()})
    return values, parts


def _values(term: Term, output: Output, batch: Batch) -> tuple[torch.Tensor, Parts]:
    tell = getattr(term.loss, "parts", None)
    try:
        parts: Parts = dict(tell(output, batch)) if tell else {}
        if parts:
            return torch.stack([weight * value for weight, value in parts.values()]).sum(dim=0), parts
        return term.loss(output, batch), {}
    except AssemblyError as error:
        table = "metrics" if term.weight is None else "losses"
        raise error.at(f"{table}.{term.name}") from error


def weighted_total(
    terms: Iterable[Term],
    values: Mapping[str, torch.Tensor],
    weights: Mapping[str, float] | None = None,
) -> torch.Tensor:
    """Sum the means of the trained terms, each times its weight: those given, or the nominal ones."""
    given = weights or dict(_nominal(terms))
    return torch.stack([values[name].mean() * weight for name, weight in given.items()]).sum()


def _nominal(terms: Iterable[Term]) -> Iterator[tuple[str, float]]:
    return ((term.name, term.weight) for term in terms if term.weight is not None)
