"""What there is to hear: the loudest part of the first recordings, signal below signal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import attrs
import numpy as np
import numpy.typing as npt
import torch
from markupsafe import Markup

from fxkit.engine.evaluation import Example
from fxkit.report.chart import Chart, Line, drawn
from fxkit.report.contents import Contents
from fxkit.report.image import spectrogram_png
from fxkit.report.sound import Sound, decibels, encoded
from fxkit_signal.overview import envelope, log_spectrogram, loudest_start

Array = npt.NDArray[np.floating]

RECORDINGS = 3
SECONDS = (2.0, 8.0)
# What all sound of a page may take, in characters.
BUDGET = 5_000_000
_TRIAL_SECONDS = 4.0
_FEW_SECONDS = 5.0
_ZOOM_SECONDS = 0.02
_SPECTRUM_DB = 90.0
_BINS = 500
_FREQUENCIES = (100, 1000, 10000)


@attrs.frozen(kw_only=True)
class Lane:
    """Hold one signal to hear: `role` is input, target, prediction or residual, `run` whose it is.

    `below` is by how many dB a residual is quieter than the target.
    """

    role: str
    run: str
    colour: int
    sound: Sound
    wave: Markup
    below: float | None = None

    @property
    def name(self) -> str:
        """Return what the signal is called."""
        return f"{self.role} of {self.run}" if self.run else self.role


@attrs.frozen(kw_only=True)
class Spectrogram:
    """Hold a picture, and where frequencies stand: label and share of the height from the bottom."""

    name: str
    image: str
    ticks: tuple[tuple[str, float], ...]


@attrs.frozen(kw_only=True)
class Excerpt:
    """Hold one recording's excerpt; `start` and `seconds` tell where in the recording it is."""

    name: str
    start: float
    seconds: float
    lanes: tuple[Lane, ...]
    spectrograms: tuple[Spectrogram, ...]
    charts: tuple[Chart, ...]


@attrs.frozen(eq=False)
class _Signal:
    role: str
    run: int | None
    audio: Array
    rate: int


def excerpts(contents: Contents, names: Sequence[str]) -> tuple[Excerpt, ...]:
    """Cut and encode the first recordings, as many and as long as the page has room for.

    `names` are those of the runs; they stand at the signals where there are several.
    """
    shared = _shared(contents)
    if not shared:
        return ()
    trial = _signals(contents, shared[0], _TRIAL_SECONDS)[1]
    rate = sum(encoded(one.audio, one.rate).size for one in trial) / max(_length(trial), 1e-3)
    count = min(len(shared), RECORDINGS)
    while count > 1 and count * _FEW_SECONDS * rate > BUDGET:
        count -= 1
    seconds = min(max(BUDGET / (count * rate), SECONDS[0]), SECONDS[1])
    return tuple(_excerpt(contents, name, seconds, names) for name in shared[:count])


def _shared(contents: Contents) -> list[str]:
    """Return the recordings that all runs were evaluated on and that hold anything."""
    found = [_by_name(contents, number) for number in range(len(contents.runs))]
    first = found[0]
    return [
        name
        for name, example in first.items()
        if example.target.shape[-1] > example.skip and all(name in other for other in found)
    ]


def _by_name(contents: Contents, number: int) -> dict[str, Example]:
    return {example.name: example for example in contents.runs[number].evaluation.examples}


def _length(signals: Sequence[_Signal]) -> float:
    return float(signals[0].audio.shape[-1] / signals[0].rate)


def _signals(contents: Contents, name: str, seconds: float) -> tuple[float, list[_Signal]]:
    """Cut all signals of a recording; returns where the excerpt starts, in seconds, too."""
    example, rate = _by_name(contents, 0)[name], contents.runs[0].evaluation.sample_rate
    target = example.target.numpy()
    start = (example.skip + loudest_start(target[:, example.skip :], round(seconds * rate))) / rate
    signals = (
        []
        if example.input is None
        else [_Signal("input", None, _cut(example.input, start, seconds, rate), rate)]
    )
    signals.append(_Signal("target", None, _cut(example.target, start, seconds, rate), rate))
    for number, run in enumerate(contents.runs):
        one, rate = _by_name(contents, number)[name], run.evaluation.sample_rate
        target, prediction = (_cut(audio, start, seconds, rate) for audio in (one.target, one.prediction))
        signals.append(_Signal("prediction", number, prediction, rate))
        signals.append(_Signal("residual", number, target - prediction, rate))
    return start, signals


def _cut(audio: torch.Tensor, start: float, seconds: float, rate: int) -> Array:
    first = round(start * rate)
    cut: Array = audio[:, first : first + round(seconds * rate)].detach().cpu().numpy()
    return cut


def _excerpt(contents: Contents, name: str, seconds: float, names: Sequence[str]) -> Excerpt:
    start, signals = _signals(contents, name, seconds)
    several = len(contents.runs) > 1
    scale = max(float(np.abs(np.nan_to_num(one.audio)).max(initial=0.0)) for one in signals) or 1.0
    loudness = _rms(next(one for one in signals if one.role == "target").audio)
    lanes = tuple(
        Lane(
            role=one.role,
            run=names[one.run] if several and one.run is not None else "",
            colour=one.run or 0,
            sound=encoded(one.audio, one.rate),
            wave=waveform(one.audio, scale),
            below=loudness - _rms(one.audio) if one.role == "residual" else None,
        )
        for one in signals
    )
    called = [lane.name for lane in lanes]
    return Excerpt(
        name=name,
        start=start,
        seconds=_length(signals),
        lanes=lanes,
        spectrograms=tuple(_spectrograms(signals, called)),
        charts=(*_zoom(signals, start, called), _spectra(signals, called)),
    )


def _rms(audio: Array) -> float:
    return decibels(
        float(np.sqrt(np.mean(np.square(np.nan_to_num(audio, posinf=0, neginf=0), dtype=np.float64))))
    )


def waveform(audio: Array, scale: float) -> Markup:
    """Return the outline of [channels, samples] as the data of an SVG path, 1000 wide and 100 high."""
    low, high = envelope(np.nan_to_num(audio) / scale, _BINS)
    step = 1000 / max(low.size, 1)
    there = [(n * step, 50 - 48 * float(value)) for n, value in enumerate(high)]
    back = [(n * step, 50 - 48 * float(value)) for n, value in reversed(list(enumerate(low)))]
    return Markup(drawn([*there, *back]) + "Z")


def _spectrograms(signals: Sequence[_Signal], names: Sequence[str]) -> Iterator[Spectrogram]:
    made = [(name, *_power(one)) for one, name in _compared(signals, names)]
    loudest = float(made[0][1].max(initial=0.0))
    for name, power, bands in made:
        octaves = math.log(bands[-1] / bands[0])
        ticks = [(f, math.log(f / bands[0]) / octaves) for f in _FREQUENCIES if bands[0] < f < bands[-1]]
        yield Spectrogram(
            name=name,
            image=spectrogram_png(power, loudest),
            ticks=tuple((f"{f / 1000:g} kHz" if f >= 1000 else f"{f} Hz", share) for f, share in ticks),
        )


def _compared(signals: Sequence[_Signal], names: Sequence[str]) -> list[tuple[_Signal, str]]:
    """Return what is to be compared, with names: all but the input, the target first."""
    return [(one, name) for one, name in zip(signals, names, strict=True) if one.role != "input"]


def _power(signal: _Signal) -> tuple[Array, Array]:
    made = [log_spectrogram(np.nan_to_num(channel), signal.rate) for channel in signal.audio]
    return np.mean([power for power, _ in made], axis=0), made[0][1]


def _spectra(signals: Sequence[_Signal], names: Sequence[str]) -> Chart:
    """Draw each signal's power over frequency, on average over the excerpt; 0 dB is the target's peak."""
    shown = _compared(signals, names)
    made = [_power(one) for one, _ in shown]
    loudest = float(made[0][0].mean(-1).max(initial=0.0)) or 1.0
    lines = tuple(
        _line(
            one, name, bands.tolist(), (10 * np.log10(np.maximum(power.mean(-1) / loudest, 1e-12))).tolist()
        )
        for (one, name), (power, bands) in zip(shown, made, strict=True)
    )
    return Chart(
        title="Average spectrum",
        x_label="frequency in Hz",
        y_label="level in dB",
        lines=lines,
        log_x=True,
        y_floor=-_SPECTRUM_DB,
    )


def _zoom(signals: Sequence[_Signal], start: float, names: Sequence[str]) -> Iterator[Chart]:
    """Draw a few milliseconds about the target's peak, first channel, where all runs have one rate."""
    shown = _compared(signals, names)
    rate, target = shown[0][0].rate, shown[0][0].audio[0]
    length = round(_ZOOM_SECONDS * rate)
    if any(one.rate != rate for one, _ in shown) or target.size < 2:
        return
    first = max(0, min(int(np.abs(target).argmax()) - length // 2, target.size - length))
    stop = min(first + length, target.size)
    times = [1000 * n / rate for n in range(stop - first)]
    lines = tuple(_line(one, name, times, one.audio[0][first:stop].tolist()) for one, name in shown)
    label = f"ms after {start + first / rate:.3f} s"
    yield Chart(title="Around the peak", x_label=label, y_label="amplitude", lines=lines)


def _line(signal: _Signal, name: str, x: list[float], y: list[float]) -> Line:
    style = {"target": "target", "prediction": "line"}.get(signal.role, "dash")
    return Line(name=name, x=x, y=y, colour=signal.run or 0, style=style)
