"""The picture of the losses over the training, from the journal."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fxkit.figure import COLOURS, finish_panel, legend_outside, new_figure, rows, step_axis

Curve = tuple[list[int], list[float]]


def curves(records: Sequence[Mapping[str, Any]]) -> dict[str, dict[str, Curve]]:
    """Sort journal records into name -> {"training": (steps, values), "validation": ...}.

    The weighted total is "loss" in both, and stands first; a value that was not finite is NaN.
    """
    sorted_: dict[str, dict[str, Curve]] = {"loss": {}}
    for record in records:
        kind = {"train": "training", "val": "validation"}.get(record["kind"])
        values = {name: value for name, value in record.items() if name not in ("kind", "step")}
        for name, value in values.items() if kind else ():
            kinds = sorted_.setdefault("loss" if name == "total" else name, {})
            steps, points = kinds.setdefault(str(kind), ([], []))
            steps.append(record["step"])
            points.append(math.nan if value is None else float(value))
    return {name: kinds for name, kinds in sorted_.items() if kinds}


def loss_picture(records: Sequence[Mapping[str, Any]], title: str) -> Figure:
    """Draw one panel per loss and metric."""
    named = curves(records)
    figure = new_figure(0.94 + 1.7 * len(named), title)
    axes = rows(figure, [1] * len(named), ("training", "validation"))
    for one, (name, kinds) in zip(axes, named.items(), strict=True):
        _draw(one, name, kinds)
    legend_outside(axes[0])
    step_axis(axes[-1])
    return figure


def _draw(axes: Axes, name: str, kinds: Mapping[str, Curve]) -> None:
    if "training" in kinds:
        axes.plot(*kinds["training"], color=COLOURS[0], linewidth=0.9, alpha=0.75, label="training")
    if "validation" in kinds:
        axes.plot(
            *kinds["validation"],
            color=COLOURS[1],
            linewidth=1.6,
            marker="o",
            markersize=4,
            label="validation",
        )
    seen = [values for _, values in kinds.values()]
    finish_panel(axes, name, seen, log=not any(value <= 0 for values in seen for value in values), span=1e-9)
