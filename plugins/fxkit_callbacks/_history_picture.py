"""The picture of a node's parameters over the training."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fxkit.figure import (
    COLOURS,
    MARKERS,
    finish_panel,
    legend_outside,
    new_figure,
    plain,
    rows,
    step_axis,
)
from fxkit.parameter import Parameter
from fxkit_callbacks._course import LARGEST, Array
from fxkit_callbacks._map import BAR_LABEL, draw_map, edges_around
from fxkit_callbacks._panel import Panel, panels

_PANEL_HEIGHT = 1.9


def history_picture(
    parameters: Sequence[Parameter], steps: Sequence[int], series: Mapping[str, Array], title: str
) -> Figure:
    """Draw each parameter at the `steps` of validations; a band spans recordings and time where it moves.

    `series` parameter's name -> [points, entries, 3], or [points, entries, 1] of a large one.
    """
    lines = panels(parameter for parameter in parameters if parameter.size <= LARGEST)
    maps = [parameter for parameter in parameters if parameter.size > LARGEST]
    figure = new_figure(0.94 + _PANEL_HEIGHT * (len(lines) + len(maps)), title)
    labels = [line.label for panel in lines for line in panel.lines] + [BAR_LABEL] * len(maps)
    axes = rows(figure, [1] * (len(lines) + len(maps)), labels)
    for one, panel in zip(axes, lines, strict=False):
        _draw(one, panel, steps, series)
    for one, parameter in zip(axes[len(lines) :], maps, strict=True):
        middles = series[parameter.name][..., 0].T
        draw_map(one, edges_around(np.array(steps)), middles, parameter)
    step_axis(axes[-1])
    return figure


def _draw(axes: Axes, panel: Panel, steps: Sequence[int], series: Mapping[str, Array]) -> None:
    seen = []
    for style, line in enumerate(panel.lines):
        points = series[line.parameter.name][:, line.entry]
        least, middle, greatest = points.T
        colour = COLOURS[style]
        axes.plot(
            steps,
            middle,
            color=colour,
            marker=MARKERS[style],
            markersize=4,
            markevery=max(1, len(steps) // 15),
            linewidth=1.3,
            label=plain(line.label),
        )
        if (greatest > least).any():
            axes.fill_between(steps, least, greatest, color=colour, alpha=0.18, linewidth=0)
        seen.append(points)
    finish_panel(axes, panel.axis_label, seen, log=panel.log, span=panel.span)
    legend_outside(axes)
