"""Check what the losses of an experiment declare against the segments that they will be given."""

from __future__ import annotations

from collections.abc import Iterator

import attrs

from fxkit.context import BuildContext
from fxkit.experiment.draft import Draft
from fxkit.experiment.fault import Fault
from fxkit.experiment.model import Part
from fxkit.experiment.report import Report
from fxkit.experiment.tree import Tree
from fxkit.traits import loss_traits


@attrs.frozen
class _Length:
    """Hold a length in samples that losses may be given, and the key that sets it."""

    samples: int
    key: str


def check_losses(found: Draft, report: Report) -> None:
    """Report losses that cannot be trained on, or need longer signals than training gives them.

    Metrics measure whole recordings and are not checked.
    """
    data, run = found.parts["data"].get(""), found.tables["run"]
    if data is None or run is None:
        return
    ctx = BuildContext(sample_rate=run.sample_rate, hop=run.hop, seed=run.seed)
    shortest = min(_lengths(found, data.keys.segment), key=lambda length: length.samples)
    _check_best(found, ctx, report)
    for name, part in found.parts["losses"].items():
        _check(found.named("losses")[name], name, part, ctx, shortest, report)


def _check_best(found: Draft, ctx: BuildContext, report: Report) -> None:
    tree = found.tree.at(("train", "best"))
    part = found.parts["metrics"].get(str(tree.value)) if tree else None
    if tree is not None and part is not None and loss_traits(part.spec, ctx).higher_is_better:
        report.at_value(
            tree, f"the best weights are those of the lowest value, and of {part.name} more is better"
        )


def _lengths(found: Draft, segment: int) -> Iterator[_Length]:
    train = found.tables.get("train")
    yield _Length(segment, "data.segment")
    if train is not None and train.window:
        yield _Length(train.window, "train.window")
    for index, phase in enumerate(found.tables.get("phase") or ()):
        for key in ("segment", "window"):
            samples = getattr(phase, key)
            if samples:
                yield _Length(samples, f"phase.{phase.name or index}.{key}")


def _check(tree: Tree, name: str, part: Part, ctx: BuildContext, shortest: _Length, report: Report) -> None:
    fault = Fault(report, tree, f'"{part.name}" of {part.plugin}')
    traits = fault.guarded(lambda: loss_traits(part.spec, ctx))
    if traits is None:
        return
    if not traits.differentiable:
        report.at_table(tree, f"{part.name} has no gradient to train on; move it to [metrics.{name}]")
    if shortest.samples < traits.least_samples:
        report.at_table(
            tree,
            f"needs {traits.least_samples} samples, {shortest.key} is {shortest.samples};"
            " raise it, or give this loss shorter FFTs",
        )
