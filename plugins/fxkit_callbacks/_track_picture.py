"""The picture of a node's parameters over time, in an excerpt of a recording."""

from __future__ import annotations

from collections.abc import Mapping

import attrs
import numpy as np
import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fxkit.parameter import Parameter
from fxkit_callbacks._excerpt import Array, Excerpt, envelope
from fxkit_callbacks._figure import (
    COLOURS,
    DASHES,
    GREY,
    finish_panel,
    legend_outside,
    new_figure,
    plain,
    rows,
)
from fxkit_callbacks._history import LARGEST
from fxkit_callbacks._map import BAR_LABEL, draw_map, edges_around
from fxkit_callbacks._panel import Panel, panels

_AUDIO_HEIGHT = 1.2
_PANEL_HEIGHT = 1.9
_POINTS = 1200


@attrs.frozen(kw_only=True)
class Track:
    """Hold one moving parameter: `values` [size, time], one every `hop` samples from sample 0."""

    parameter: Parameter
    values: torch.Tensor
    hop: int

    def cut(self, excerpt: Excerpt, points: int = _POINTS) -> tuple[Array, Array]:
        """Return times in seconds and values [size, times] in the excerpt, thinned to about `points`."""
        first = excerpt.start // self.hop
        stop = min((excerpt.stop - 1) // self.hop + 1, self.values.shape[-1] - 1) + 1
        index = np.arange(first, stop, max(1, (stop - first) // points))
        return index * self.hop / excerpt.sample_rate, self.values[:, index].double().numpy()


def track_picture(tracks: Mapping[str, Track], target: torch.Tensor, excerpt: Excerpt, title: str) -> Figure:
    """Draw tracks, by parameter name, under the envelope of the target."""
    lines = panels(t.parameter for t in tracks.values() if t.parameter.size <= LARGEST)
    maps = [track for track in tracks.values() if track.parameter.size > LARGEST]
    count = len(lines) + len(maps)
    figure = new_figure(0.94 + _AUDIO_HEIGHT + _PANEL_HEIGHT * count, title)
    labels = [BAR_LABEL if maps else "target", *(line.label for panel in lines for line in panel.lines)]
    axes = rows(figure, [_AUDIO_HEIGHT, *[_PANEL_HEIGHT] * count], labels)
    _draw_audio(axes[0], target, excerpt)
    for one, panel in zip(axes[1:], lines, strict=False):
        _draw_lines(one, panel, tracks, excerpt)
    for one, track in zip(axes[1 + len(lines) :], maps, strict=True):
        _draw_map(one, track, excerpt)
    axes[-1].set_xlim(*excerpt.seconds)
    axes[-1].set_xlabel("time in s", fontsize=9)
    return figure


def _draw_audio(axes: Axes, target: torch.Tensor, excerpt: Excerpt) -> None:
    low, high = envelope(excerpt.cut(target))
    axes.fill_between(excerpt.times(low.size), low, high, color=GREY, linewidth=0, label="target")
    axes.set_ylabel("amplitude", fontsize=9)
    legend_outside(axes)


def _draw_lines(axes: Axes, panel: Panel, tracks: Mapping[str, Track], excerpt: Excerpt) -> None:
    seen = []
    for style, line in enumerate(panel.lines):
        times, values = tracks[line.parameter.name].cut(excerpt)
        curve = values[line.entry]
        axes.plot(
            times,
            curve,
            color=COLOURS[style],
            linestyle=DASHES[style],
            linewidth=1.3,
            label=plain(line.label),
        )
        seen.append(curve)
    finish_panel(axes, panel.axis_label, seen, log=panel.log, span=panel.span)
    legend_outside(axes)


def _draw_map(axes: Axes, track: Track, excerpt: Excerpt) -> None:
    times, values = track.cut(excerpt)
    draw_map(axes, edges_around(times), values, track.parameter)
