"""Draw what came of a sweep: figures over trials and over parameters, and which parameters matter."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from itertools import combinations
from pathlib import Path
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, MaxNLocator

from fxkit.figure import COLOURS, GREY, finish_panel, new_figure, plain, save, soften
from fxkit.sweeping.axes import short_paths
from fxkit.sweeping.influence import influence, varied
from fxkit.sweeping.scale import Scale, scale_of
from fxkit.sweeping.summary import Row, Summary

_COLUMNS = 3
_HEIGHT = 2.6
_MOST = 8
# Pairs of so many parameters are drawn, those that matter most.
_PAIRED = 4
_COLOURS = "viridis"


def draw(summary: Summary, folder: Path) -> Iterator[str]:
    """Write the pictures that the trials can fill; yields a line for each that could not be drawn."""
    done = [row for row in summary.rows if row.value is not None and row.state == "complete"]
    for name, picture in _pictures(summary, done).items():
        try:
            save(picture(), folder / f"{name}.png")
        except Exception as error:
            yield f"{name}.png: not drawn ({type(error).__name__}: {error})"


def _pictures(summary: Summary, done: Sequence[Row]) -> dict[str, Callable[[], Figure]]:
    shares = influence(done)
    paths = [*shares, *(path for path in varied(done) if path not in shares)][:_MOST]
    pictures: dict[str, Callable[[], Figure]] = {}
    if done:
        pictures["history"] = lambda: _history(summary)
    if paths:
        pictures["parameters"] = lambda: _parameters(summary, done, paths)
    if shares:
        pictures["importance"] = lambda: _importance(summary, shares)
    if len(paths) > 1:
        pictures["parallel"] = lambda: _parallel(summary, done, paths)
        pictures["pairs"] = lambda: _pairs(summary, done, paths[:_PAIRED])
    return pictures


def _label(summary: Summary) -> str:
    return f"{summary.metric} of the validation"


def _log(values: Sequence[float]) -> bool:
    return min(values) > 0 and max(values) / min(values) > 8


def _history(summary: Summary) -> Figure:
    rows = sorted((row for row in summary.rows if row.value is not None), key=lambda row: row.trial)
    figure = new_figure(3.6, f"{summary.sweep}: {summary.metric} of each trial")
    axes = figure.add_axes((0.09, 0.14, 0.74, 0.72))
    soften(axes)
    for state, marker, colour in (("complete", "o", COLOURS[0]), ("pruned", "x", GREY)):
        chosen = [row for row in rows if row.state == state]
        if chosen:
            places, values = [row.trial for row in chosen], [_value(row) for row in chosen]
            axes.plot(places, values, marker, color=colour, label=state)
    done = [row for row in rows if row.state == "complete"]
    better = np.maximum if summary.higher_is_better else np.minimum
    best = better.accumulate([_value(row) for row in done])
    axes.step([row.trial for row in done], best, where="post", color=COLOURS[1], label="best so far")
    values = [_value(row) for row in rows]
    finish_panel(axes, _label(summary), [np.array(values)], log=_log(values), span=1e-9)
    axes.set_xlabel("trial", fontsize=9)
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True))
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.04), fontsize=9, frameon=False)
    return figure


def _value(row: Row) -> float:
    return float("nan") if row.value is None else row.value


def _panels(count: int, title: str, right: float = 0.97) -> tuple[Figure, list[Axes]]:
    lines = -(-count // _COLUMNS)
    height = 0.5 + _HEIGHT * lines
    figure = new_figure(height, title)
    grid = figure.add_gridspec(
        lines,
        _COLUMNS,
        left=0.09,
        right=right,
        top=1 - 0.5 / height,
        bottom=0.55 / height,
        wspace=0.32,
        hspace=0.42,
    )
    axes = [figure.add_subplot(grid[index // _COLUMNS, index % _COLUMNS]) for index in range(count)]
    for one in axes:
        soften(one)
    return figure, axes


def _parameters(summary: Summary, done: Sequence[Row], paths: Sequence[str]) -> Figure:
    figure, panels = _panels(len(paths), f"{summary.sweep}: {summary.metric} over each parameter")
    short, values = short_paths(list(paths)), np.array([_value(row) for row in done])
    for axes, path in zip(panels, paths, strict=True):
        scale = scale_of([row.parameters[path] for row in done])
        axes.plot(scale.positions, values, "o", color=COLOURS[0], alpha=0.7, markersize=5)
        for position in sorted(set(scale.positions)) if scale.named else ():
            mean = values[np.array(scale.positions) == position].mean()
            axes.hlines(mean, position - 0.25, position + 0.25, color=COLOURS[1], linewidth=2)
        finish_panel(axes, summary.metric, [values], log=_log(values.tolist()), span=1e-9)
        _across(axes, scale, short[path])
    return figure


def _across(axes: Axes, scale: Scale, name: str) -> None:
    scale.label(axes.xaxis)
    axes.set_xlim(*scale.limits)
    axes.set_xlabel(plain(name), fontsize=9)


def _importance(summary: Summary, shares: dict[str, float]) -> Figure:
    short = short_paths(list(shares))
    height = 1.1 + 0.34 * len(shares)
    figure = new_figure(
        height, f"{summary.sweep}: share of the ranks by {summary.metric} that each parameter explains"
    )
    axes = figure.add_axes((0.28, 0.55 / height, 0.62, 1 - 1.05 / height))
    soften(axes)
    names = [plain(short[path]) for path in reversed(shares)]
    bars = axes.barh(names, list(reversed(shares.values())), color=COLOURS[0], height=0.6)
    axes.bar_label(bars, fmt="%.2f", padding=4, fontsize=9)
    axes.set_xlim(0, 1)
    return figure


def _coloured(done: Sequence[Row]) -> tuple[Any, Any]:
    """Return the colour of each trial, and what a colour bar needs."""
    from matplotlib import colormaps
    from matplotlib.cm import ScalarMappable
    from matplotlib.colors import LogNorm, Normalize

    values = [_value(row) for row in done]
    norm = (LogNorm if _log(values) else Normalize)(min(values), max(values))
    mapped = ScalarMappable(norm, colormaps[_COLOURS])
    return mapped.to_rgba(np.array(values)), mapped


def _parallel(summary: Summary, done: Sequence[Row], paths: Sequence[str]) -> Figure:
    figure = new_figure(4.2, f"{summary.sweep}: a line for each trial, coloured by {summary.metric}")
    axes = figure.add_axes((0.09, 0.14, 0.8, 0.74))
    colours, mapped = _coloured(done)
    scales = [scale_of([row.parameters[path] for row in done]) for path in paths]
    heights = np.array([scale.shares for scale in scales])
    # The best ones, which come first, are drawn on top.
    for index in reversed(range(len(done))):
        axes.plot(heights[:, index], color=colours[index], linewidth=1.6, alpha=0.85)
    for column, scale in enumerate(scales):
        axes.axvline(column, color=GREY, linewidth=0.8)
        for share, text in scale.marks():
            axes.text(column + 0.02, share, plain(text), fontsize=8, va="center", backgroundcolor="#ffffffb0")
    short = short_paths(list(paths))
    axes.set_xticks(range(len(paths)), [plain(short[path]) for path in paths], fontsize=9)
    axes.set_yticks([])
    axes.set_xlim(-0.05, len(paths) - 0.75)
    axes.spines[:].set_visible(False)
    _colour_bar(figure, mapped, 0.14, 0.88)
    return figure


def _pairs(summary: Summary, done: Sequence[Row], paths: Sequence[str]) -> Figure:
    pairs = list(combinations(paths, 2))
    figure, panels = _panels(len(pairs), f"{summary.sweep}: {summary.metric} over pairs of parameters", 0.88)
    short, (_, mapped) = short_paths(list(paths)), _coloured(done)
    for axes, (across, up) in zip(panels, pairs, strict=True):
        one, other = (scale_of([row.parameters[path] for row in done]) for path in (across, up))
        cells: dict[tuple[float, float], list[float]] = {}
        for place, row in zip(zip(one.positions, other.positions, strict=True), done, strict=True):
            cells.setdefault(place, []).append(_value(row))
        x, y = zip(*cells, strict=True)
        means = [float(np.mean(values)) for values in cells.values()]
        axes.scatter(
            x, y, c=means, cmap=mapped.cmap, norm=mapped.norm, s=90, edgecolors="white", linewidths=0.6
        )
        _across(axes, one, short[across])
        other.label(axes.yaxis)
        axes.set_ylim(*other.limits)
        axes.set_ylabel(plain(short[up]), fontsize=9)
    height = figure.get_figheight()
    _colour_bar(figure, mapped, 0.55 / height, 1 - 0.5 / height)
    return figure


def _colour_bar(figure: Figure, mapped: Any, low: float, high: float) -> None:
    axes = figure.add_axes((0.91, low, 0.015, high - low))
    bar = figure.colorbar(mapped, cax=axes)
    ticks = FuncFormatter(lambda value, _: f"{value:.3g}")
    bar.ax.yaxis.set_major_formatter(ticks)
    bar.ax.yaxis.set_minor_formatter(ticks)
    bar.ax.tick_params(which="both", labelsize=8)
