"""The frequency response of a model, by a faint impulse and by swept sines, whole and node by node."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping

import attrs
import numpy as np
import numpy.typing as npt
import torch

from fxkit.inspection.probe import Heard, knob_names, probe
from fxkit.inspection.trace import FAINT, LEAST, Trace, decibels, read_small, read_swept
from fxkit.model.graph import Model
from fxkit_signal.dtft import Transform, log_frequencies
from fxkit_signal.swept_sine import SweepReader, sweep_signal, swept_sine

Array = npt.NDArray[np.float64]
_Path = tuple[str, str]

LEVELS = (-36.0, -18.0, -6.0)
ORDERS = 5
LOWEST = 20.0
_PER_OCTAVE = 16
_IMPULSE = 1e-3
_TAIL_SECONDS, _TAPS_SECONDS = 0.2, 0.25
# How much of the end of a sweep's recording tells whether the response lasts longer than the usual taps.
_END_SECONDS = 0.05
# Two measurements of a device that stands still differ less than this, where they are not this far down.
_DRIFT_DB, _DRIFT_RANGE_DB = 0.5, 40.0


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
    it was measured, scaled to [0, 1]. `drift_db` is by how much a second measurement of the small-signal
    response, with the model's clocks a third of a second later, differs at most, where the response is
    within 40 dB of its peak. `notes` tell what a reader has to know about it.
    """

    sample_rate: int
    frequencies: Array
    whole: Trace
    nodes: Mapping[str, NodeResponse]
    drift_db: float
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
    """Measure a model's response once; see `ResponseMeter`."""
    rate = next(iter(model.plan.nodes.values())).ctx.sample_rate
    return ResponseMeter(rate, levels, seconds).measure(model, knobs, nodes=nodes)


class ResponseMeter:
    """Measure responses at `rate` Hz again and again: what the test signals alone decide is made once.

    `levels` in dBFS are those of the sweeps, each of about `seconds`.
    """

    def __init__(self, rate: int, levels: tuple[float, ...] = LEVELS, seconds: float = 1.0) -> None:
        self.rate = rate
        self.levels = levels
        self.frequencies = log_frequencies(LOWEST, rate / 2, _PER_OCTAVE)
        sweep = swept_sine(rate, seconds)
        samples = sweep.samples + round(_TAIL_SECONDS * rate)
        self.taps = min(round(_TAPS_SECONDS * rate), samples)
        self._gains = torch.tensor([10 ** (level / 20) for level in levels], dtype=torch.float64)
        silence = torch.zeros(samples - sweep.samples, dtype=torch.float64)
        self._sweeps = self._gains[:, None] * torch.cat([sweep_signal(sweep), silence])
        self._reader = SweepReader(sweep, self.frequencies, ORDERS, samples)
        self._transform = Transform(self.frequencies, rate, samples)

    def measure(self, model: Model, knobs: torch.Tensor | None = None, *, nodes: bool = True) -> Response:
        """Measure a model's response through its own forward, settled in silence, its latency cut off.

        All channels get the same signal; the first is measured. `knobs` [knobs] are scaled to [0, 1], in the
        middle when absent; `nodes` tells whether each node is measured, too. Raises `RunError` for a model
        that has nothing to respond to: one that plays by itself or from features.
        """
        loudest = int(self._gains.argmax())
        still = torch.zeros(len(self.levels), dtype=torch.int64)
        swept = probe(model, self._sweeps, still, knobs, nodes=slice(loudest, loudest + 1) if nodes else None)
        long = any(self._lingers(audio) for audio in (swept.whole, *swept.through.values()))
        # Of two pairs of impulses, one when the model's clocks have run for a while; nodes get the first.
        starts = torch.tensor([0, 0, self.later, self.later])
        impulses = probe(model, self._impulses(long), starts, knobs, nodes=slice(0, 2) if nodes else None)
        return self._response(model, knobs, swept, impulses)

    @property
    def later(self) -> int:
        """Return by how many samples the second measurement comes later.

        An odd number, so that no period of a usual oscillator divides it.
        """
        return 2 * (self.rate // 6) + 1

    def _impulses(self, long: bool) -> torch.Tensor:
        impulses = torch.zeros(4, self._sweeps.shape[-1] if long else self.taps, dtype=torch.float64)
        impulses[:, 0] = torch.tensor([1.0, -1.0, 1.0, -1.0]) * _IMPULSE
        return impulses

    def _lingers(self, audio: torch.Tensor) -> bool:
        """Tell whether sweeps [items, samples] are still heard when they have been over for a while."""
        end = audio[:, -round(_END_SECONDS * self.rate) :].double()
        heard = end.var(-1, unbiased=False), audio.double().var(-1, unbiased=False)
        return bool((heard[0] > FAINT * heard[1]).any())

    def _response(self, model: Model, knobs: torch.Tensor | None, swept: Heard, impulses: Heard) -> Response:
        traces = self._traces(swept, impulses)
        whole = traces["whole", ""]
        later = decibels(
            self._transform.spectrum(_difference(impulses.whole[2:])[: len(whole.small.impulse)])
        )
        drift = _drift(whole.small.magnitude_db, later)
        measured = {
            name: NodeResponse(
                alone=traces.get(("alone", name)),
                through=traces["through", name],
                reason=swept.reasons.get(name, ""),
            )
            for name in swept.through
        }
        return Response(
            sample_rate=self.rate,
            frequencies=self.frequencies.numpy(),
            whole=whole,
            nodes=measured,
            drift_db=drift,
            knobs=knob_names(model, knobs),
            notes=tuple(_notes(model, whole, drift)),
        )

    def _traces(self, swept: Heard, impulses: Heard) -> dict[_Path, Trace]:
        """Return every path through the model -> its trace."""
        sweeps, pairs = _paths(swept), _paths(impulses)
        # What is one signal is measured once: a node that stands first is alone as it is in the chain.
        keys = {id(audio): path for path, audio in sweeps.items()}
        distinct = tuple(keys.values())
        traces = dict(zip(distinct, self._read(distinct, sweeps, pairs), strict=True))
        return {path: traces[keys[id(audio)]] for path, audio in sweeps.items()}

    def _read(
        self,
        paths: tuple[_Path, ...],
        sweeps: Mapping[_Path, torch.Tensor],
        pairs: Mapping[_Path, torch.Tensor],
    ) -> Iterator[Trace]:
        """Yield the trace of each path: of the whole with all sweeps, of others with the loudest."""
        whole = torch.arange(len(self.levels))
        rows = [whole if path[0] == "whole" else whole[self._gains.argmax()][None] for path in paths]
        read = self._reader.read(torch.cat([sweeps[path] for path in paths]))
        swept = (read / self._gains[torch.cat(rows), None, None]).split([len(row) for row in rows])
        impulses = torch.stack([_difference(pairs[path]) for path in paths])
        small = read_small(impulses, self._transform, self.frequencies.numpy(), self.rate, self.taps)
        for row, responses, one in zip(rows, swept, small, strict=True):
            levels = [self.levels[index] for index in row]
            yield Trace(small=one, swept=tuple(map(read_swept, levels, responses)))


def _paths(heard: Heard) -> dict[_Path, torch.Tensor]:
    """Return ("whole" | "through" | "alone", node) -> what was heard there [items, samples]."""
    through = {("through", name): audio for name, audio in heard.through.items()}
    alone = {("alone", name): audio for name, audio in heard.alone.items()}
    return {("whole", ""): heard.whole, **through, **alone}


def _difference(pair: torch.Tensor) -> torch.Tensor:
    """Return the response to an impulse of 1, of those to a faint one and to its negative."""
    return (pair[0].double() - pair[1]) / (2 * _IMPULSE)


def _drift(first: Array, second: Array) -> float:
    heard = np.maximum(first, second) > max(first.max(), second.max()) - _DRIFT_RANGE_DB
    return float(np.abs(first - second)[heard].max())


def _notes(model: Model, whole: Trace, drift: float) -> Iterator[str]:
    if drift > _DRIFT_DB:
        yield (
            f"the response changes over time, or is drowned in noise: two measurements differ by"
            f" {drift:.1f} dB, so each shows one moment"
        )
    if whole.small.magnitude_db.max() <= 20 * math.log10(LEAST) + 1:
        yield "nothing comes out at -60 dBFS: the small-signal response is silence"
    moving = sorted(
        {track for node in model.plan.nodes.values() for _, track in node.tracks} - model.plan.still
    )
    if moving:
        yield f"moving parameters ({', '.join(moving)}): nodes alone have them as they stand in silence"
