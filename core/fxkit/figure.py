"""One look for all pictures: 1000 pixels wide, colours that everybody can tell apart, plain numbers."""

from __future__ import annotations

import io
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.ticker import FuncFormatter, Locator, LogLocator, MaxNLocator, NullLocator

from fxkit.files import write_atomically

T = TypeVar("T")
Array = npt.NDArray[Any]

WIDTH = 10.0
DPI = 100
_STEPS = (1, 2, 5, 10)
_LONGEST_LABEL = 34
_LONGEST_TITLE = 92
GREY = "#6b6b6b"

# Okabe and Ito, "Color universal design" (2008), without the yellow that fades on white.
COLOURS = ("#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000")
DASHES = ("-", "--", "-.", ":", (0, (6, 1)), (0, (3, 1, 1, 1)), (0, (1, 1)))
MARKERS = ("o", "s", "^", "D", "v", "P", "X")


def new_figure(height: float, title: str) -> Figure:
    """Return an empty figure of `height` inches under a title."""
    figure = Figure(figsize=(WIDTH, height), dpi=DPI, facecolor="white")
    FigureCanvasAgg(figure)
    text = plain(title, _LONGEST_TITLE)
    figure.text(0.09, 1 - 0.22 / height, text, fontsize=11, fontweight="bold", va="center")
    return figure


def rows(figure: Figure, heights: Sequence[float], labels: Iterable[str]) -> list[Axes]:
    """Return one axes per row of the given relative heights, sharing the x axis, ticks at the bottom.

    The longest of `labels` will fit in a legend to the right.
    """
    height = figure.get_figheight()
    right = 0.93 - 0.0088 * max(len(plain(label)) for label in labels)
    grid = figure.add_gridspec(
        len(heights),
        1,
        height_ratios=heights,
        left=0.09,
        right=right,
        top=1 - 0.42 / height,
        bottom=0.52 / height,
        hspace=0.14,
    )
    axes: list[Axes] = []
    for row in range(len(heights)):
        axes.append(figure.add_subplot(grid[row, 0], sharex=axes[0] if axes else None))
        axes[-1].tick_params(labelbottom=row == len(heights) - 1)
    for one in axes:
        soften(one)
        one.yaxis.set_label_coords(-0.052 / (right - 0.09), 0.5)
    return axes


def soften(axes: Axes) -> None:
    """Give axes a light grid and small ticks."""
    axes.grid(True, color="#dddddd", linewidth=0.6)
    axes.set_axisbelow(True)
    axes.tick_params(labelsize=9)
    axes.spines[["top", "right"]].set_visible(False)


def legend_outside(axes: Axes) -> None:
    """Put the legend to the right of the axes, where no line runs under it."""
    axes.legend(loc="upper left", bbox_to_anchor=(1.01, 1.04), fontsize=9, frameon=False, handlelength=2.6)


def step_axis(axes: Axes) -> None:
    """Say that x counts training steps."""
    axes.xaxis.set_major_locator(MaxNLocator(10, integer=True, steps=_STEPS))
    axes.set_xlabel("training step", fontsize=9)


def finish_panel(axes: Axes, label: str, seen: Iterable[npt.ArrayLike], *, log: bool, span: float) -> None:
    """Fit y to the values in `seen` and add its label.

    A linear axis is at least `span` high, so that noise does not look like movement.
    """
    values = np.concatenate([np.ravel(one) for one in seen])
    values = values[np.isfinite(values)] if np.isfinite(values).any() else np.ones(1)
    if log:
        _log_axis(axes, float(values.min()), float(values.max()))
    else:
        _linear_axis(axes, float(values.min()), float(values.max()), span)
    axes.set_ylabel(plain(label), fontsize=9)


def _log_axis(axes: Axes, low: float, high: float) -> None:
    ratio = max(high / low, 1.2)
    centre = (low * high) ** 0.5
    low, high = centre / ratio**0.6, centre * ratio**0.6
    axes.set_yscale("log")
    axes.set_ylim(low, high)
    axes.yaxis.set_major_locator(_log_locator(high / low))
    axes.yaxis.set_major_formatter(FuncFormatter(lambda value, _: f"{value:g}"))
    axes.yaxis.set_minor_locator(NullLocator())


def _log_locator(ratio: float) -> Locator:
    if ratio < 10:
        return MaxNLocator(5, steps=_STEPS)
    # Over more than three decades, numbers at 2 and 5 would run into each other.
    return LogLocator(subs=(1.0, 2.0, 5.0) if ratio < 2000 else (1.0,), numticks=6)


def _linear_axis(axes: Axes, low: float, high: float, span: float) -> None:
    room = max(high - low, span)
    centre = (low + high) / 2
    axes.set_ylim(centre - 0.58 * room, centre + 0.58 * room)
    axes.yaxis.set_major_locator(MaxNLocator(5, steps=_STEPS))


def plain(text: str, longest: int = _LONGEST_LABEL) -> str:
    """Return `text` so that matplotlib prints it as it is: no mathematics, shown in legends, cut to fit."""
    cut = text if len(text) <= longest else f"{text[: longest - 1]}…"
    shown = cut.replace("$", r"\$")
    return f" {shown}" if shown.startswith("_") else shown


def chunks(items: Iterable[T], size: int) -> Iterator[list[T]]:
    """Yield lists of at most `size` items."""
    rest = list(items)
    for start in range(0, len(rest), size):
        yield rest[start : start + size]


def save(figure: Figure, path: Path) -> None:
    """Write a PNG; a reader sees the old picture or the new one, whole."""
    stream = io.BytesIO()
    figure.savefig(stream, format="png")
    write_atomically(path, lambda target: target.write(stream.getvalue()))
