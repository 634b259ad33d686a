"""Check what the losses of an experiment declare against its model and the segments that they are given."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import attrs

from fxkit.context import BuildContext
from fxkit.experiment.declarations import auxiliary_terms
from fxkit.experiment.draft import Draft
from fxkit.experiment.fault import Fault
from fxkit.experiment.model import Part
from fxkit.experiment.report import Report
from fxkit.experiment.tables import DataKeys
from fxkit.experiment.tree import Tree
from fxkit.experiment.wording import some, suggestion
from fxkit.spec import describe
from fxkit.traits import LossTraits, loss_traits


@attrs.frozen
class _Length:
    """Hold a length in samples that losses may be given, and the key that sets it."""

    samples: int
    key: str


def check_losses(found: Draft, report: Report) -> None:
    """Report losses that cannot be trained on, or need longer signals or other terms than there are.

    Metrics measure whole recordings, whose length is not known here.
    """
    run = found.tables["run"]
    if run is None:
        return
    ctx = BuildContext(sample_rate=run.sample_rate, hop=run.hop, seed=run.seed)
    shortest = min(_lengths(found), key=lambda length: length.samples)
    terms = auxiliary_terms(found)
    for place in ("losses", "metrics"):
        for name, part in found.parts[place].items():
            tree = found.named(place)[name]
            fault = Fault(report, tree, f'"{part.name}" of {part.plugin}')
            traits = fault.guarded(lambda part=part: loss_traits(part.spec, ctx))  # type: ignore[misc]
            if traits is not None:
                _check_terms(tree, traits, terms, report)
            if traits is not None and place == "losses":
                _check_trained(tree, name, part, traits, shortest, report)
    _check_weights(found, report)
    _check_sign(found, ctx, report)


def _lengths(found: Draft) -> Iterator[_Length]:
    train = found.tables.get("train")
    yield _Length(_segment(found), "data.segment")
    if train is not None and train.window:
        yield _Length(train.window, "train.window")
    for index, phase in enumerate(found.tables.get("phase") or ()):
        for key in ("segment", "window"):
            samples = getattr(phase, key)
            if samples:
                yield _Length(samples, f"phase.{phase.name or index}.{key}")


def _segment(found: Draft) -> int:
    """Return data.segment, as it stands where something else in [data] is wrong."""
    part, tree = found.parts["data"].get(""), found.tree.at(("data", "segment"))
    if part is not None:
        return int(part.keys.segment)
    usual = describe(DataKeys).option("segment")
    assert usual is not None
    return tree.value if tree is not None and type(tree.value) is int else int(usual.default)


def _check_terms(tree: Tree, traits: LossTraits, terms: Sequence[str] | None, report: Report) -> None:
    """Report auxiliary terms that a loss reads and no node gives; None for `terms` that are not known."""
    missing = [name for name in traits.terms if terms is not None and name not in terms]
    if not missing:
        return
    near = suggestion(missing[0], terms or ())
    there = near or f"; it has {some(list(terms or ())) or 'none'}"
    report.at_table(tree, f'the model has no term "{missing[0]}"{there}')


def _check_trained(
    tree: Tree, name: str, part: Part, traits: LossTraits, shortest: _Length, report: Report
) -> None:
    if not traits.differentiable:
        report.at_table(tree, f"{part.name} has no gradient to train on; move it to [metrics.{name}]")
    elif traits.higher_is_better:
        report.at_table(
            tree, f"more is better of {part.name}, and losses are minimised; move it to [metrics.{name}]"
        )
    if shortest.samples < traits.least_samples:
        report.at_table(
            tree,
            f"needs {traits.least_samples} samples, {shortest.key} is {shortest.samples};"
            " raise it, or give this loss shorter FFTs",
        )


def _check_weights(found: Draft, report: Report) -> None:
    """Report losses of which none weighs anything in the end: all validations would be worth the same."""
    parts = found.parts["losses"]
    tree = found.tree.get("losses")
    complete = tree is not None and len(parts) == len(found.named("losses"))
    if tree is not None and parts and complete and not any(nominal(p.keys.weight) for p in parts.values()):
        report.at_table(tree, "every weight is 0 in the end, and so would be each validation; let one weigh")


def nominal(weight: Any) -> float:
    """Return the weight that validations take: the number, or that in the end of a ramp."""
    return float(getattr(weight.spec, "final", 1.0)) if isinstance(weight, Part) else float(weight)


def _check_sign(found: Draft, ctx: BuildContext, report: Report) -> None:
    """Warn of losses of which none sees whether the model comes out upside down."""
    tree, nodes = found.tree.get("losses"), found.parts["nodes"]
    complete = all(len(found.parts[place]) == len(found.named(place)) for place in ("losses", "nodes"))
    if tree is None or not complete or report.problems:
        return
    # No phase of what is synthesised is the right one.
    blind = () if any(_makes_sound(part, ctx) for part in nodes.values()) else _sign_blind(found, ctx)
    if blind:
        report.mild.at_table(
            tree,
            f"no loss sees the sign ({', '.join(blind)}), so that the model may come out upside down;"
            " add one that does, such as esr, and let it act alone at first",
        )


def _makes_sound(part: Part, ctx: BuildContext) -> bool:
    return bool(part.spec.traits(ctx).source)


def _sign_blind(found: Draft, ctx: BuildContext) -> tuple[str, ...]:
    losses = found.parts["losses"]
    traits = {name: loss_traits(part.spec, ctx) for name, part in losses.items() if nominal(part.keys.weight)}
    compared = {name: one.sign_blind for name, one in traits.items() if one.distance}
    return tuple(compared) if all(compared.values()) else ()
