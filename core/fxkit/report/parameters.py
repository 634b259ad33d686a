"""The parameters of a gray box: where they stand in their ranges, and how those move that do."""

from __future__ import annotations

import math

import attrs
import torch

from fxkit.inspection.card import ParameterCard
from fxkit.inspection.text import numbers
from fxkit.report.chart import Chart, Line
from fxkit.report.contents import RunContents

_MOST_CHARTS = 12
_MOST_VALUES = 4


@attrs.frozen(kw_only=True)
class Setting:
    """Hold a parameter that stands still: `places` are shares of its range, by its mapping."""

    node: str
    name: str
    text: str
    unit: str
    low: str
    high: str
    setter: str
    places: tuple[float, ...]


def settings(run: RunContents) -> tuple[Setting, ...]:
    """Return the parameters that stand still and are few enough to read."""
    if run.card is None:
        return ()
    return tuple(
        _setting(node.name, parameter)
        for node in run.card.nodes.values()
        for parameter in node.parameters
        if parameter.values is not None and len(parameter.values) <= _MOST_VALUES
    )


def _setting(node: str, parameter: ParameterCard) -> Setting:
    values = parameter.values or ()
    return Setting(
        node=node,
        name=parameter.name,
        text=numbers(values),
        unit=parameter.unit,
        low=f"{parameter.low:g}",
        high=f"{parameter.high:g}",
        setter=parameter.setter,
        places=tuple(_place(parameter, value) for value in values),
    )


def _place(parameter: ParameterCard, value: float) -> float:
    low, high = parameter.low, parameter.high
    if parameter.mapping == "log" and min(low, value) > 0:
        low, high, value = math.log(low), math.log(high), math.log(value)
    share = (value - low) / (high - low) if high > low else 0.0
    return round(min(max(share, 0.0), 1.0), 4)


def track_charts(run: RunContents) -> tuple[Chart, ...]:
    """Return how parameters move over the first recording, node by node."""
    if not run.evaluation.examples:
        return ()
    example = run.evaluation.examples[0]
    seconds = example.target.shape[-1] / run.evaluation.sample_rate
    units = _units(run)
    moving = {name: track for name, track in example.parameters.items() if _moves(track)}
    return tuple(_track_chart(name, track, seconds, units.get(name, "")) for name, track in moving.items())[
        :_MOST_CHARTS
    ]


def _moves(track: torch.Tensor) -> bool:
    few = track.ndim == 2 and track.shape[1] > 1 and track.shape[0] <= _MOST_VALUES
    return few and bool((track != track[:, :1]).any())


def _units(run: RunContents) -> dict[str, str]:
    nodes = run.card.nodes.values() if run.card else ()
    return {f"{node.name}.{one.name}": one.unit for node in nodes for one in node.parameters}


def _track_chart(name: str, track: torch.Tensor, seconds: float, unit: str) -> Chart:
    count = track.shape[1]
    times = [seconds * place / count for place in range(count)]
    several = track.shape[0] > 1
    lines = tuple(
        Line(name=f"{name}[{row}]" if several else name, x=times, y=values.tolist(), colour=row)
        for row, values in enumerate(track)
    )
    return Chart(title=name, x_label="time in s", y_label=unit or "value", lines=lines)
