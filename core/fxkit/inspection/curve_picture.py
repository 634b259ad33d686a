"""The picture of a static curve: both branches of the whole model, and the curves of its nodes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from fxkit.figure import COLOURS, DASHES, new_figure, plain, soften

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from fxkit.inspection.static_curve import Curve, Loop

_HEIGHT = 6.0
_LEGEND_ROW = 0.19


def curve_picture(curve: Curve, title: str) -> Figure:
    """Draw output over input: the loops of the whole model, and each memoryless node that bends."""
    figure = new_figure(_HEIGHT, title)
    shapers = dict(list(curve.shapers.items())[: len(COLOURS)])
    bottom = 0.6 + _LEGEND_ROW * max(len(curve.whole), len(shapers))
    grid = figure.add_gridspec(
        1, 2, left=0.09, right=0.98, top=1 - 0.62 / _HEIGHT, bottom=bottom / _HEIGHT, wspace=0.24
    )
    whole = figure.add_subplot(grid[0, 0] if shapers else grid[0, :])
    _draw_loops(whole, curve.whole)
    whole.set_title(f"whole model, sine of {curve.frequency:g} Hz; dashed: falling", fontsize=9)
    if shapers:
        nodes = figure.add_subplot(grid[0, 1])
        _draw_shapers(nodes, shapers)
        nodes.set_title("memoryless nodes alone", fontsize=9)
    return figure


def _draw_loops(axes: Axes, loops: Sequence[Loop]) -> None:
    # The widest first, so that the others lie on it.
    for style, loop in enumerate(sorted(loops, key=lambda one: -one.level)):
        colour = COLOURS[style % len(COLOURS)]
        label = f"{loop.level:g} dBFS, hysteresis {_percent(loop.hysteresis)}"
        axes.plot(*loop.rising, color=colour, linewidth=1.5, label=label)
        axes.plot(*loop.falling, color=colour, linewidth=1.1, linestyle="--")
    _finish(axes)


def _draw_shapers(axes: Axes, shapers: Mapping[str, Loop]) -> None:
    for style, (name, loop) in enumerate(shapers.items()):
        axes.plot(
            *loop.rising, color=COLOURS[style], linestyle=DASHES[style], linewidth=1.5, label=plain(name)
        )
    _finish(axes)


def _percent(share: float) -> str:
    return "below 0.1 %" if share < 1e-3 else f"{100 * share:.3g} %"


def _finish(axes: Axes) -> None:
    soften(axes)
    axes.axhline(0, color="#b0b0b0", linewidth=0.8, zorder=0)
    axes.axvline(0, color="#b0b0b0", linewidth=0.8, zorder=0)
    axes.set_xlabel("input amplitude", fontsize=9)
    axes.set_ylabel("output amplitude", fontsize=9)
    axes.legend(loc="upper left", bbox_to_anchor=(-0.02, -0.11), fontsize=9, frameon=False, handlelength=2.6)
