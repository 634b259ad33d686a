"""The picture of a node's parameters over time, in an excerpt of a recording."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fxkit.figure import (
    COLOURS,
    DASHES,
    GREY,
    finish_panel,
    legend_outside,
    new_figure,
    plain,
    rows,
)
from fxkit_callbacks._course import LARGEST, Course, Wave
from fxkit_callbacks._map import BAR_LABEL, draw_map, edges_around
from fxkit_callbacks._panel import Panel, panels

_AUDIO_HEIGHT = 1.2
_PANEL_HEIGHT = 1.9


def track_picture(courses: Mapping[str, Course], target: Wave, title: str) -> Figure:
    """Draw courses, by parameter name, under the outline of the target."""
    lines = panels(course.parameter for course in courses.values() if course.parameter.size <= LARGEST)
    maps = [course for course in courses.values() if course.parameter.size > LARGEST]
    count = len(lines) + len(maps)
    figure = new_figure(0.94 + _AUDIO_HEIGHT + _PANEL_HEIGHT * count, title)
    labels = [BAR_LABEL if maps else "target", *(line.label for panel in lines for line in panel.lines)]
    axes = rows(figure, [_AUDIO_HEIGHT, *[_PANEL_HEIGHT] * count], labels)
    _draw_audio(axes[0], target)
    for one, panel in zip(axes[1:], lines, strict=False):
        _draw_lines(one, panel, courses)
    for one, course in zip(axes[1 + len(lines) :], maps, strict=True):
        draw_map(one, edges_around(course.seconds), course.values, course.parameter)
    axes[-1].set_xlim(target.start, target.stop)
    axes[-1].set_xlabel("time in s", fontsize=9)
    return figure


def _draw_audio(axes: Axes, target: Wave) -> None:
    times = np.linspace(target.start, target.stop, target.low.size, endpoint=False)
    axes.fill_between(times, target.low, target.high, color=GREY, linewidth=0, label="target")
    axes.set_ylabel("amplitude", fontsize=9)
    legend_outside(axes)


def _draw_lines(axes: Axes, panel: Panel, courses: Mapping[str, Course]) -> None:
    seen = []
    for style, line in enumerate(panel.lines):
        course = courses[line.parameter.name]
        curve = course.values[line.entry]
        axes.plot(
            course.seconds,
            curve,
            color=COLOURS[style],
            linestyle=DASHES[style],
            linewidth=1.3,
            label=plain(line.label),
        )
        seen.append(curve)
    finish_panel(axes, panel.axis_label, seen, log=panel.log, span=panel.span)
    legend_outside(axes)
