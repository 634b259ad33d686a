"""The frequency response of a model, by a faint impulse and by swept sines, whole and node by node."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence

import attrs
import numpy as np
import numpy.typing as npt
import torch

from fxkit.inspection.probe import Heard, knob_names, probe
from fxkit.model.graph import Model
from fxkit_signal.dtft import dtft, group_delay, log_frequencies
from fxkit_signal.swept_sine import SweptSine, sweep_responses, sweep_signal, swept_sine

Array = npt.NDArray[np.float64]

LEVELS = (-36.0, -18.0, -6.0)
ORDERS = 5
LOWEST = 20.0
_PER_OCTAVE = 16
_IMPULSE = 1e-3
_TAIL_SECONDS, _TAPS_SECONDS = 0.2, 0.25
# A response whose energy beyond the usual taps is below this part of the whole is cut there.
_FAINT = 1e-6
# Two measurements of a device that stands still differ less than this, where they are not this far down.
_DRIFT_DB, _DRIFT_RANGE_DB = 0.5, 40.0
_LEAST = 1e-10


@attrs.frozen(kw_only=True, eq=False)
class SmallSignal:
    """Hold the response to an impulse of -60 dBFS, over the frequencies of a `Response`.

    Impulses of both signs are subtracted, so that bias and even harmonics cancel. `magnitude_db`; `phase` in
    radians, unwrapped; `group_delay` in seconds; `impulse` [taps] is the response to an impulse of 1.
    `drift_db` is by how much a second measurement, with the model's clocks a third of a second later,
    differs at most, where the response is within 40 dB of its peak.
    """

    impulse: Array
    magnitude_db: Array
    phase: Array
    group_delay: Array
    drift_db: float


@attrs.frozen(kw_only=True, eq=False)
class Swept:
    """Hold the response to a swept sine at `level` dBFS, over the frequencies of a `Response`.

    `magnitude_db` is the level of the fundamental over that of the sine. `harmonics_db`
    [orders 2 to 5, frequencies] is that of each harmonic of a sine at that frequency; NaN where the
    harmonic lies beyond the Nyquist frequency.
    """

    level: float
    magnitude_db: Array
    harmonics_db: Array

    @property
    def distortion(self) -> Array:
        """Return the total harmonic distortion, of harmonics 2 to 5 over the fundamental, as a ratio."""
        powers = np.nansum(10 ** (self.harmonics_db / 10), axis=0)
        ratio: Array = np.sqrt(powers / 10 ** (self.magnitude_db / 10))
        return ratio


@attrs.frozen(kw_only=True, eq=False)
class Trace:
    """Hold both measurements of one path through the model; of nodes, only the sweep at the highest level."""

    small: SmallSignal
    swept: tuple[Swept, ...]


@attrs.frozen(kw_only=True, eq=False)
class NodeResponse:
    """Hold what one node does `alone`, and what the model has done up to it (`through`).

    Alone, its parameters stand where the controllers hold them in silence; None where the node cannot be
    taken by itself, and `reason` says why.
    """

    alone: Trace | None
    through: Trace
    reason: str = ""


@attrs.frozen(kw_only=True, eq=False)
class Response:
    """Hold the frequency response of a model: the whole, and each node.

    `frequencies` in Hz rise in even ratios from 20 Hz to the Nyquist frequency. `knobs` are those at which
    it was measured, scaled to [0, 1]. `notes` tell what a reader has to know about it.
    """

    sample_rate: int
    frequencies: Array
    whole: Trace
    nodes: Mapping[str, NodeResponse]
    knobs: Mapping[str, float] = attrs.field(factory=dict)
    notes: tuple[str, ...] = ()

    def at(self, values: Array, frequency: float) -> float:
        """Return the value at the frequency that is nearest to `frequency` in Hz."""
        return float(values[int(np.abs(np.log(self.frequencies / frequency)).argmin())])

    def figures(self) -> dict[str, float]:
        """Return the figures that people compare: gain at 1 kHz, band limits, and distortion at 1 kHz.

        The band is where the small-signal response is within 3 dB of its peak; it ends at the ends of what
        is measured where that lies within.
        """
        small = self.whole.small
        low, high = self._band(small.magnitude_db)
        found = {"gain_1khz_db": self.at(small.magnitude_db, 1000.0), "low_3db_hz": low, "high_3db_hz": high}
        thd = {f"thd_1khz_{one.level:g}dbfs": self.at(one.distortion, 1000.0) for one in self.whole.swept}
        return {**found, **thd}

    def _band(self, magnitude: Array) -> tuple[float, float]:
        threshold = magnitude.max() - 3.0
        inside = np.flatnonzero(magnitude >= threshold)
        return (
            self._crossing(magnitude, threshold, int(inside[0]), int(inside[0]) - 1),
            self._crossing(magnitude, threshold, int(inside[-1]), int(inside[-1]) + 1),
        )

    def _crossing(self, magnitude: Array, threshold: float, inner: int, outer: int) -> float:
        if not 0 <= outer < len(magnitude):
            return float(self.frequencies[inner])
        share = (magnitude[inner] - threshold) / (magnitude[inner] - magnitude[outer])
        low, high = self.frequencies[inner], self.frequencies[outer]
        return float(low * (high / low) ** share)


def frequency_response(
    model: Model,
    *,
    knobs: torch.Tensor | None = None,
    levels: tuple[float, ...] = LEVELS,
    seconds: float = 1.0,
    nodes: bool = True,
) -> Response:
    """Measure a model's response through its own forward, settled in silence, its latency cut off.

    All channels get the same signal; the first is measured. `knobs` [knobs] are scaled to [0, 1], in the
    middle when absent; `levels` in dBFS are those of the sweeps, each of about `seconds`; `nodes` tells
    whether each node is measured, too. Raises `RunError` for a model that has nothing to respond to: one
    that plays by itself or from features.
    """
    rate = next(iter(model.plan.nodes.values())).ctx.sample_rate
    meter = _Meter(rate, levels, swept_sine(rate, seconds))
    starts = torch.tensor([0, 0, meter.later, meter.later, *(0 for _ in levels)])
    heard = probe(model, meter.signals(), starts, knobs, nodes=nodes)
    traces = meter.traces(heard)
    measured = {
        name: NodeResponse(
            alone=traces.get(("alone", name)),
            through=traces["through", name],
            reason=heard.reasons.get(name, ""),
        )
        for name in heard.through
    }
    whole = traces["whole", ""]
    return Response(
        sample_rate=rate,
        frequencies=meter.frequencies.numpy(),
        whole=whole,
        nodes=measured,
        knobs=knob_names(model, knobs),
        notes=tuple(_notes(model, whole)),
    )


class _Meter:
    """Make the test signals, two pairs of impulses and a sweep per level, and read the responses."""

    def __init__(self, rate: int, levels: tuple[float, ...], sweep: SweptSine) -> None:
        self.rate = rate
        self.levels = levels
        self.sweep = sweep
        self.frequencies = log_frequencies(LOWEST, rate / 2, _PER_OCTAVE)
        # An odd number of samples, so that no period of a usual oscillator divides it.
        self.later = 2 * (rate // 6) + 1

    def signals(self) -> torch.Tensor:
        """Return the test signals, float64 [4 + levels, samples]."""
        samples = self.sweep.samples + round(_TAIL_SECONDS * self.rate)
        signals = torch.zeros(4 + len(self.levels), samples, dtype=torch.float64)
        signals[:4, 0] = torch.tensor([1.0, -1.0, 1.0, -1.0]) * _IMPULSE
        gains = torch.tensor([10 ** (level / 20) for level in self.levels], dtype=torch.float64)
        signals[4:, : self.sweep.samples] = gains[:, None] * sweep_signal(self.sweep)
        return signals

    def traces(self, heard: Heard) -> dict[tuple[str, str], Trace]:
        """Return every path through the model as ("whole" | "through" | "alone", node) -> its trace."""
        paths = {("through", name): audio for name, audio in heard.through.items()}
        paths |= {("alone", name): audio for name, audio in heard.alone.items()}
        # What is one signal is measured once.
        distinct = {id(audio): audio for audio in paths.values()}
        whole, *nodes = self._read([heard.whole, *distinct.values()])
        traces = dict(zip(distinct, nodes, strict=True))
        return {("whole", ""): whole, **{path: traces[id(audio)] for path, audio in paths.items()}}

    def _read(self, heard: Sequence[torch.Tensor]) -> Iterator[Trace]:
        """Yield the trace of each [items, samples]: the first with all sweeps, others with the loudest."""
        loudest = max(range(len(self.levels)), key=lambda index: self.levels[index])
        rows = [(0, index) for index in range(len(self.levels))]
        rows += [(path, loudest) for path in range(1, len(heard))]
        gains = torch.tensor([10 ** (self.levels[index] / 20) for _, index in rows], dtype=torch.float64)
        recorded = torch.stack([heard[path][4 + index] for path, index in rows]) / gains[:, None]
        swept = list(zip(rows, sweep_responses(recorded, self.sweep, self.frequencies, ORDERS), strict=True))
        for path, audio in enumerate(heard):
            own = [_swept(self.levels[index], one) for (owner, index), one in swept if owner == path]
            impulses = (audio[0:4:2].double() - audio[1:4:2]) / (2 * _IMPULSE)
            yield Trace(small=self._small(impulses), swept=tuple(own))

    def _small(self, impulses: torch.Tensor) -> SmallSignal:
        impulses = _short(impulses, round(_TAPS_SECONDS * self.rate))
        spectra = dtft(impulses, self.frequencies, self.rate)
        delay = group_delay(impulses[0], self.frequencies, self.rate) / self.rate
        magnitudes = _decibels(spectra)
        return SmallSignal(
            impulse=impulses[0].numpy(),
            magnitude_db=magnitudes[0],
            phase=_unwrapped(np.asarray(spectra[0].angle()), delay.numpy(), self.frequencies.numpy()),
            group_delay=delay.numpy(),
            drift_db=_drift(magnitudes[0], magnitudes[1]),
        )


def _swept(level: float, response: torch.Tensor) -> Swept:
    values = _decibels(response)
    return Swept(level=level, magnitude_db=values[0], harmonics_db=values[1:])


def _short(impulses: torch.Tensor, taps: int) -> torch.Tensor:
    """Cut what is too faint to matter, and would only add rounding errors."""
    energy, tail = impulses.square().sum(), impulses[..., taps:].square().sum()
    return impulses[..., :taps] if bool(tail <= _FAINT * energy) else impulses


def _decibels(response: torch.Tensor) -> Array:
    values: Array = 20 * np.log10(np.maximum(response.abs().numpy(), _LEAST))
    return values


def _unwrapped(phase: Array, delay: Array, frequencies: Array) -> Array:
    """Unwrap a phase, the turns between its points told by the group delay in seconds."""
    expected = -2 * math.pi * np.diff(frequencies) * (delay[1:] + delay[:-1]) / 2
    steps = np.diff(phase)
    steps += 2 * math.pi * np.round((expected - steps) / (2 * math.pi))
    return np.concatenate([phase[:1], phase[0] + np.cumsum(steps)])


def _drift(first: Array, second: Array) -> float:
    heard = np.maximum(first, second) > max(first.max(), second.max()) - _DRIFT_RANGE_DB
    return float(np.abs(first - second)[heard].max())


def _notes(model: Model, whole: Trace) -> Iterator[str]:
    if whole.small.drift_db > _DRIFT_DB:
        yield (
            f"the response changes over time, or is drowned in noise: two measurements differ by"
            f" {whole.small.drift_db:.1f} dB, so each shows one moment"
        )
    if whole.small.magnitude_db.max() <= 20 * math.log10(_LEAST) + 1:
        yield "nothing comes out at -60 dBFS: the small-signal response is silence"
    moving = sorted(
        {track for node in model.plan.nodes.values() for _, track in node.tracks} - model.plan.still
    )
    if moving:
        yield f"moving parameters ({', '.join(moving)}): nodes alone have them as they stand in silence"
