"""Pictures of a frequency response: the whole model, its nodes, and how it moved over the training."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps
from matplotlib.axes import Axes
from matplotlib.cm import ScalarMappable
from matplotlib.colors import Normalize
from matplotlib.figure import Figure
from matplotlib.ticker import FixedLocator, FuncFormatter, MaxNLocator, NullLocator

from fxkit.figure import (
    COLOURS,
    DASHES,
    chunks,
    legend_outside,
    new_figure,
    plain,
    rows,
)

if TYPE_CHECKING:
    from fxkit.inspection.recorded import Recorded
    from fxkit.inspection.response import Response
    from fxkit.inspection.trace import Swept

Array = npt.NDArray[np.float64]

_TICKS_HZ = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000)
_DEEPEST_DB, _DEEPEST_HARMONIC_DB = 60.0, 90.0
_TRUSTED = 0.5
_TARGET = "#b0b0b0"
_NARROWEST = {"dB": 6.0, "degrees": 60.0, "ms": 0.1}


def response_picture(response: Response, recorded: Recorded | None, title: str) -> Figure:
    """Draw gain, phase, group delay and harmonics of the whole model, the device's own gain under it."""
    figure = new_figure(10.4, title)
    labels = [*(_level_label(one) for one in response.whole.swept), "model, recording", "small signal"]
    gain, phase, delay, harmonics = rows(figure, [3.0, 1.6, 1.6, 3.0], labels)
    _draw_gain(gain, response, recorded)
    small, frequencies = response.whole.small, response.frequencies
    _line(phase, frequencies, np.degrees(small.phase), 0, "small signal")
    _fit(phase, [np.degrees(small.phase)], "phase in degrees", "degrees")
    heard = small.magnitude_db > small.magnitude_db.max() - _DEEPEST_DB
    _line(delay, frequencies, np.where(heard, 1e3 * small.group_delay, np.nan), 0, "small signal")
    _fit(delay, [_usual(1e3 * small.group_delay[heard])], "group delay in ms", "ms")
    _draw_harmonics(harmonics, frequencies, response.whole.swept)
    frequency_axis(harmonics, frequencies)
    for axes in (gain, phase, delay, harmonics):
        legend_outside(axes)
    return figure


def node_pictures(response: Response, title: str) -> list[Figure]:
    """Draw the small-signal gain of each node alone, and of the chain up to it; seven nodes to a figure."""
    return [_node_picture(response, names, title) for names in chunks(response.nodes, len(COLOURS))]


def movement_picture(
    frequencies: Array, steps: Sequence[int], gains: Sequence[Array], recorded: Recorded | None, title: str
) -> Figure:
    """Draw the small-signal gain at each validation, from dark (the first) to light (the newest)."""
    figure = new_figure(5.0, title)
    (axes,) = rows(figure, [1], ["target, recording"])
    norm, colours = Normalize(min(steps), max(max(steps), min(steps) + 1)), colormaps["viridis"]
    if recorded is not None:
        _draw_target(axes, frequencies, recorded)
    for step, gain in zip(steps, gains, strict=True):
        axes.semilogx(frequencies, gain, color=colours(norm(step) * 0.92), linewidth=1.1)
    _fit(axes, [*gains], "gain in dB", "dB")
    frequency_axis(axes, frequencies)
    legend_outside(axes)
    place = axes.get_position()
    bar_axes = figure.add_axes((place.x1 + 0.02, place.y0, 0.015, place.height * 0.75))
    bar = figure.colorbar(ScalarMappable(norm, colours), cax=bar_axes)
    bar.set_label("training step", fontsize=9)
    bar.ax.tick_params(labelsize=9)
    bar.ax.yaxis.set_major_locator(MaxNLocator(6, integer=True))
    return figure


def frequency_axis(axes: Axes, frequencies: Array) -> None:
    """Give x a logarithmic axis of frequencies in Hz."""
    axes.set_xscale("log")
    axes.set_xlim(frequencies[0], frequencies[-1])
    axes.xaxis.set_major_locator(FixedLocator([t for t in _TICKS_HZ if t <= frequencies[-1]]))
    axes.xaxis.set_major_formatter(
        FuncFormatter(lambda value, _: f"{value / 1000:g} k" if value >= 1000 else f"{value:g}")
    )
    axes.xaxis.set_minor_locator(NullLocator())
    axes.set_xlabel("frequency in Hz", fontsize=9)


def _draw_gain(axes: Axes, response: Response, recorded: Recorded | None) -> None:
    frequencies, seen = response.frequencies, [response.whole.small.magnitude_db]
    if recorded is not None:
        _draw_target(axes, frequencies, recorded)
        trusted = np.where(recorded.model_coherence >= _TRUSTED, recorded.model_db, np.nan)
        axes.semilogx(frequencies, trusted, color="black", linewidth=0.9, label="model, recording")
        seen += [trusted, _trusted_target(recorded)]
    _line(axes, frequencies, response.whole.small.magnitude_db, 0, "small signal")
    for style, swept in enumerate(response.whole.swept, start=1):
        _line(axes, frequencies, swept.magnitude_db, style, _level_label(swept))
        seen.append(swept.magnitude_db)
    _fit(axes, seen, "gain in dB", "dB")


def _draw_target(axes: Axes, frequencies: Array, recorded: Recorded) -> None:
    trusted = _trusted_target(recorded)
    axes.semilogx(frequencies, trusted, color=_TARGET, linewidth=3.2, label="target, recording")


def _trusted_target(recorded: Recorded) -> Array:
    values: Array = np.where(recorded.target_coherence >= _TRUSTED, recorded.target_db, np.nan)
    return values


def _draw_harmonics(axes: Axes, frequencies: Array, swept: Sequence[Swept]) -> None:
    if not swept:
        return
    loudest = max(swept, key=lambda one: one.level)
    relative = loudest.harmonics_db - loudest.magnitude_db
    for number, values in enumerate(relative):
        _line(axes, frequencies, values, number, f"H{number + 2}")
    _fit(
        axes,
        relative,
        f"harmonics in dB of the fundamental\nat {loudest.level:g} dBFS",
        "dB",
        _DEEPEST_HARMONIC_DB,
    )


def _node_picture(response: Response, names: Sequence[str], title: str) -> Figure:
    figure = new_figure(7.2, title)
    alone, through = rows(figure, [1, 1], names)
    frequencies = response.frequencies
    seen: dict[str, list[Array]] = {"alone": [], "through": []}
    for style, name in enumerate(names):
        node = response.nodes[name]
        traces = {"alone": node.alone, "through": node.through}
        for axes, (kind, trace) in zip((alone, through), traces.items(), strict=True):
            if trace is not None:
                _line(axes, frequencies, trace.small.magnitude_db, style, name)
                seen[kind].append(trace.small.magnitude_db)
    _fit(alone, seen["alone"], "each node alone, gain in dB", "dB")
    _fit(through, seen["through"], "chain up to the node, gain in dB", "dB")
    frequency_axis(through, frequencies)
    for axes in (alone, through):
        legend_outside(axes)
    return figure


def _line(axes: Axes, frequencies: Array, values: Array, style: int, label: str) -> None:
    axes.semilogx(
        frequencies,
        values,
        color=COLOURS[style % len(COLOURS)],
        linestyle=DASHES[style % len(DASHES)],
        linewidth=1.3,
        label=plain(label),
    )


def _level_label(swept: Swept) -> str:
    return f"sweep, {swept.level:g} dBFS"


def _usual(values: Array) -> Array:
    """Leave out the spikes that group delays have at notches."""
    return values[(values >= np.quantile(values, 0.02)) & (values <= np.quantile(values, 0.98))]


def _fit(axes: Axes, seen: Iterable[Array], label: str, unit: str, deepest: float = _DEEPEST_DB) -> None:
    """Fit y to values, but not to what is far below their peak in dB."""
    parts = [np.ravel(one) for one in seen]
    values = np.concatenate(parts) if parts else np.zeros(1)
    values = values[np.isfinite(values)] if np.isfinite(values).any() else np.zeros(1)
    high = float(values.max())
    low = max(float(values.min()), high - deepest) if unit == "dB" else float(values.min())
    room, centre = max(high - low, _NARROWEST[unit]), (low + high) / 2
    axes.set_ylim(centre - 0.56 * room, centre + 0.56 * room)
    axes.yaxis.set_major_locator(MaxNLocator(6, steps=(1, 2, 3, 5, 6, 10)))
    axes.set_ylabel(label, fontsize=9)
