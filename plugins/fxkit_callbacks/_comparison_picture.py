"""The picture of target, prediction and residual: wave and spectrogram of one excerpt."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from fxkit.figure import COLOURS, legend_outside, new_figure, plain, soften
from fxkit_callbacks._excerpt import Array, Excerpt
from fxkit_signal.overview import envelope, log_spectrogram

_HEIGHT = 8.6
_BINS = 800
_ZOOM_SECONDS = 0.02
_RANGE_DB = 80.0
_TICKS_HZ = (20, 50, 100, 200, 500, 1000, 2000, 5000, 10000, 20000, 50000, 100000)
_TARGET, _PREDICTION, _RESIDUAL = "#b0b0b0", COLOURS[0], COLOURS[1]


def comparison_picture(signals: Mapping[str, Array], excerpt: Excerpt, title: str, note: str = "") -> Figure:
    """Draw outline, a few milliseconds of wave, and spectrogram of target, prediction and residual."""
    figure = new_figure(_HEIGHT, title)
    whole, zoom = _wave_axes(figure)
    _draw_whole(whole, signals, excerpt)
    _draw_zoom(zoom, signals, excerpt)
    _draw_spectrograms(figure, signals, excerpt)
    if note:
        figure.text(0.985, 1 - 0.22 / _HEIGHT, note, fontsize=9, ha="right", va="center")
    return figure


def _wave_axes(figure: Figure) -> tuple[Axes, Axes]:
    grid = figure.add_gridspec(2, 1, left=0.09, right=0.87, top=0.945, bottom=0.5, hspace=0.42)
    whole, zoom = figure.add_subplot(grid[0, 0]), figure.add_subplot(grid[1, 0])
    for axes in (whole, zoom):
        soften(axes)
        axes.set_ylabel("amplitude", fontsize=9)
    return whole, zoom


def _draw_whole(axes: Axes, signals: Mapping[str, Array], excerpt: Excerpt) -> None:
    outlines = {name: envelope(audio[None], _BINS) for name, audio in signals.items()}
    low, high = outlines["target"]
    times = excerpt.times(low.size)
    axes.fill_between(times, low, high, color=_TARGET, linewidth=0, label="target")
    axes.fill_between(
        times, *outlines["residual"], color=_RESIDUAL, alpha=0.55, linewidth=0, label="residual"
    )
    for bound, label in zip(outlines["prediction"], ("prediction", None), strict=True):
        axes.plot(times, bound, color=_PREDICTION, linewidth=0.7, label=label)
    axes.set_xlim(*excerpt.seconds)
    axes.set_xlabel("time in s", fontsize=9)
    legend_outside(axes)


def _draw_zoom(axes: Axes, signals: Mapping[str, Array], excerpt: Excerpt) -> None:
    start, stop = _around_peak(signals["target"], round(_ZOOM_SECONDS * excerpt.sample_rate))
    times = (excerpt.start + np.arange(start, stop)) / excerpt.sample_rate * 1000
    for name, colour, width, dash in (
        ("target", _TARGET, 3.2, "-"),
        ("prediction", _PREDICTION, 1.2, "-"),
        ("residual", _RESIDUAL, 1.2, "--"),
    ):
        wave = signals[name][start:stop]
        axes.plot(times, wave, color=colour, linewidth=width, linestyle=dash, label=name)
    axes.set_xlim(times[0], times[-1] if times.size > 1 else times[0] + 1)
    axes.xaxis.set_major_locator(MaxNLocator(10))
    axes.set_xlabel("time in ms", fontsize=9)
    legend_outside(axes)


def _around_peak(audio: Array, length: int) -> tuple[int, int]:
    peak = int(np.abs(audio).argmax())
    start = max(0, min(peak - length // 2, audio.size - length))
    return start, min(start + length, audio.size)


def _draw_spectrograms(figure: Figure, signals: Mapping[str, Array], excerpt: Excerpt) -> None:
    grid = figure.add_gridspec(
        1, 4, width_ratios=(1, 1, 1, 0.05), left=0.09, right=0.925, top=0.4, bottom=0.065, wspace=0.08
    )
    powers = {name: log_spectrogram(audio, excerpt.sample_rate) for name, audio in signals.items()}
    loudest = max(float(powers["target"][0].max()), float(powers["prediction"][0].max())) or 1.0
    for column, (name, (power, bands)) in enumerate(powers.items()):
        axes = figure.add_subplot(grid[0, column])
        level = 10 * np.log10(np.maximum(power / loudest, 1e-12))
        image = axes.imshow(
            level,
            origin="lower",
            aspect="auto",
            extent=(*excerpt.seconds, 0, bands.size),
            cmap="viridis",
            vmin=-_RANGE_DB,
            vmax=0,
            interpolation="nearest",
        )
        _frequency_ticks(axes, bands, labels=column == 0)
        axes.set_title(name, fontsize=10)
        axes.set_xlabel("time in s", fontsize=9)
        axes.xaxis.set_major_locator(MaxNLocator(4, prune="upper"))
    bar = figure.colorbar(image, cax=figure.add_subplot(grid[0, 3]))
    bar.set_label("level in dB, 0 is the loudest", fontsize=9)
    bar.ax.tick_params(labelsize=9)


def _frequency_ticks(axes: Axes, bands: Array, *, labels: bool) -> None:
    shown = [tick for tick in _TICKS_HZ if bands[0] <= tick <= bands[-1]]
    places = np.interp(np.log(shown), np.log(bands), np.arange(bands.size) + 0.5)
    texts = [f"{tick / 1000:g} k" if tick >= 1000 else f"{tick:g}" for tick in shown]
    axes.set_yticks(places, texts if labels else [])
    axes.tick_params(labelsize=9)
    if labels:
        axes.set_ylabel(plain("frequency in Hz"), fontsize=9)
