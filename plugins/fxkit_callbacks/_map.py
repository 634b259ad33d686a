"""Draw a parameter of many entries as a map of colours: entries upwards, steps or time to the right."""

from __future__ import annotations

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LogNorm, Normalize, PowerNorm

from fxkit.figure import Array, plain
from fxkit.parameter import Parameter

# As wide as a colour bar with its numbers and label.
BAR_LABEL = "0.0000 in unit"


def draw_map(axes: Axes, edges: Array, values: Array, parameter: Parameter) -> None:
    """Draw values [entries, columns] between the column `edges`, with a colour bar to the right."""
    rows = np.arange(parameter.size + 1) + 0.5
    image = axes.pcolorfast(edges, rows, values, cmap="viridis", norm=_norm(parameter))
    axes.grid(False)
    axes.set_ylabel(plain(parameter.name), fontsize=9)
    bar = axes.figure.colorbar(image, cax=axes.inset_axes((1.02, 0, 0.02, 1)))
    bar.ax.tick_params(labelsize=9)
    bar.set_label(plain(parameter.unit or "value"), fontsize=9)


def edges_around(places: Array) -> Array:
    """Return the edges of columns centred on rising `places`, one more than those."""
    if places.size == 1:
        return np.array([places[0] - 0.5, places[0] + 0.5])
    between = (places[1:] + places[:-1]) / 2
    return np.concatenate([[2 * places[0] - between[0]], between, [2 * places[-1] - between[-1]]])


def _norm(parameter: Parameter) -> Normalize:
    """Return colours that are as even over the range as the parameter's mapping is."""
    if parameter.mapping == "log":
        return LogNorm()
    return PowerNorm(0.5) if parameter.mapping == "exp-sigmoid" else Normalize()
