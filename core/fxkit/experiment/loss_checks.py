"""Check what the losses of an experiment declare against the segments that they will be given."""

from __future__ import annotations

from fxkit.context import BuildContext
from fxkit.experiment.draft import Draft
from fxkit.experiment.fault import Fault
from fxkit.experiment.model import Part
from fxkit.experiment.report import Report
from fxkit.traits import loss_traits


def check_losses(found: Draft, report: Report) -> None:
    """Report losses that cannot be trained on, or need longer signals than training segments are.

    Metrics measure whole recordings and are not checked.
    """
    data, run = found.parts["data"].get(""), found.tables["run"]
    if data is None or run is None:
        return
    ctx = BuildContext(sample_rate=run.sample_rate, hop=run.hop, seed=run.seed)
    for name, part in found.parts["losses"].items():
        _check(found, name, part, ctx, data.keys.segment, report)


def _check(found: Draft, name: str, part: Part, ctx: BuildContext, segment: int, report: Report) -> None:
    tree = found.named("losses")[name]
    fault = Fault(report, tree, f'"{part.name}" of {part.plugin}')
    traits = fault.guarded(lambda: loss_traits(part.spec, ctx))
    if traits is None:
        return
    if not traits.differentiable:
        report.at_table(tree, f"{part.name} has no gradient to train on; move it to [metrics.{name}]")
    if segment < traits.least_samples:
        report.at_table(
            tree,
            f"needs segments of {traits.least_samples} samples, data.segment is {segment};"
            f" raise it, or give this loss shorter FFTs",
        )
