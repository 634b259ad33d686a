"""Compare the two sides of a pair in time, sign and length, and bring them together where asked to."""

from __future__ import annotations

import math
from collections.abc import Callable

import attrs
import numpy as np
from numpy.typing import NDArray

from fxkit_data._finding import Finding
from fxkit_data._layout import Source

Audio = NDArray[np.float32]
# Given a latency and what makes audio by it, returns that audio, made before or now.
Keep = Callable[[float, Callable[[], Audio]], Audio]

MAX_LATENCY = 0.5  # samples
UNSURE, UNRELATED = 0.25, 0.01  # confidence below which latency and sign are not told, and the pair refused
HARMLESS_PHASE = 0.08  # radians: an error of 0.6 % of the power
EXCERPT_SECONDS = 5.0
EXCERPTS = 4
LOUD_SHARE = 0.05  # an excerpt counts with this share of the loudest excerpt's power
_SPECTRUM = 512
_EDGE = 64  # samples that the shift's interpolation blurs where the recording ends


@attrs.frozen(kw_only=True)
class Relation:
    """Hold how a wet side lies to its dry one; latency within `tolerance` samples may be none."""

    latency: float
    polarity: int
    gain: float
    confidence: float
    tolerance: float

    @property
    def sure(self) -> bool:
        """Tell whether latency and polarity can be told at all."""
        return self.confidence >= UNSURE

    @property
    def late(self) -> bool:
        """Tell whether the sides lie apart, either way."""
        return self.sure and abs(self.latency) > self.tolerance


@attrs.frozen(kw_only=True, eq=False)
class PairFit:
    """Hold both sides at equal length, how they lay to each other before, and what was found."""

    target: Audio
    input: Audio | None
    relation: Relation | None = None
    findings: tuple[Finding, ...] = ()


def fit_pair(
    dry: Audio,
    wet: Audio,
    source: Source,
    *,
    rate: int,
    align: bool,
    measurable: bool,
    slack: int = 0,
    keep: Keep = lambda latency, make: make(),
) -> PairFit:
    """Measure how `wet` lies to `dry` (float32 [channels, samples] at `rate` Hz) and cut to equal length.

    With `align`, the wet side is moved by the measured fraction of a sample. Without it, latency and
    a difference in length of more than `slack` samples are findings that refuse the pair.
    """
    apart = abs(wet.shape[-1] - dry.shape[-1]) > slack
    findings = _lengths(dry, wet, source, rate, align) if apart else []
    relation = relate(dry, wet, rate) if measurable else None
    if relation:
        findings += _related(relation, source, align)
    if relation and relation.late and align:
        dry, wet = _moved(dry, wet, relation.latency, keep)
    common = min(dry.shape[-1], wet.shape[-1])
    return PairFit(target=wet[:, :common], input=dry[:, :common], relation=relation, findings=tuple(findings))


def relate(dry: Audio, wet: Audio, rate: int) -> Relation:
    """Return how `wet` lies to `dry`, from the excerpts that tell most.

    What a device's distortion adds to the phase reads as latency where the material is narrow in
    frequency, seldom as the lack of it: so the first excerpt without latency decides, and where there
    is none the least latency counts.
    """
    found: list[Relation] = []
    for excerpt in excerpts(dry, wet, rate)[:EXCERPTS]:
        one = _relation(dry[:, excerpt], wet[:, excerpt], rate)
        found.append(one)
        if one in _alike(found) and abs(one.latency) <= MAX_LATENCY:
            return one
    alike = _alike(found)
    if not alike:
        return max(found, key=lambda one: one.confidence)
    least = min(alike, key=lambda one: abs(one.latency))
    return attrs.evolve(least, tolerance=min(least.tolerance, _disagreement(alike)))


def _alike(found: list[Relation]) -> list[Relation]:
    """Return what is sure and of the polarity that the most telling of it has."""
    sure = [one for one in found if one.sure]
    return [one for one in sure if one.polarity == sure[0].polarity]


def _disagreement(found: list[Relation]) -> float:
    """Return the tolerance that several measurements leave: a true latency is the same in all of them."""
    latencies = [one.latency for one in found]
    return MAX_LATENCY + 4 * (max(latencies) - min(latencies)) if len(found) > 1 else math.inf


def _relation(dry: Audio, wet: Audio, rate: int) -> Relation:
    import torch

    from fxkit_signal.alignment import align_report

    comparable = len(dry) == len(wet) or 1 in (len(dry), len(wet))
    sides = [torch.from_numpy(side if comparable else side.mean(axis=0)) for side in (dry, wet)]
    found = align_report(sides[0], sides[1], rate)
    # What is not coherent may turn the phase by as much as its share; on dark material that is many
    # samples. And what turns the phase by little is no harm.
    unsure, harmless = (1 - found.confidence) / _brightness(dry), HARMLESS_PHASE / _brightness(wet)
    return Relation(
        latency=found.latency,
        polarity=found.polarity,
        gain=found.gain_db,
        confidence=found.confidence,
        tolerance=max(MAX_LATENCY, unsure, harmless),
    )


def _brightness(audio: Audio) -> float:
    """Return the power-weighted RMS frequency in radians per sample."""
    power = float(np.mean(np.square(audio, dtype=np.float64)))
    return math.sqrt(float(np.mean(np.square(np.diff(audio), dtype=np.float64))) / max(power, 1e-20)) or 1e-6


def excerpts(dry: Audio, wet: Audio, rate: int) -> list[slice]:
    """Return stretches of the recording, those with the flattest dry spectrum first, none of them quiet."""
    samples = min(dry.shape[-1], wet.shape[-1])
    length = min(samples, round(EXCERPT_SECONDS * rate))
    slices = [slice(start, start + length) for start in range(0, samples - length + 1, length)]
    powers = [[float(np.mean(np.square(side[:, part]))) for part in slices] for side in (dry, wet)]
    loud = [
        part
        for part, one, other in zip(slices, *powers, strict=True)
        if one >= LOUD_SHARE * max(powers[0]) and other >= LOUD_SHARE * max(powers[1])
    ]
    return sorted(loud or slices, key=lambda part: -_flatness(dry[0, part]))


def _flatness(audio: NDArray[np.float32]) -> float:
    """Return the spectral flatness: geometric over arithmetic mean of the power spectrum."""
    frames = audio[: len(audio) // _SPECTRUM * _SPECTRUM].reshape(-1, _SPECTRUM)
    power = np.mean(np.abs(np.fft.rfft(frames * np.hanning(_SPECTRUM))) ** 2, axis=0)[1:]
    floor = 1e-12 * power.max() + 1e-30
    return float(np.exp(np.mean(np.log(power + floor))) / (np.mean(power) + floor))


def _lengths(dry: Audio, wet: Audio, source: Source, rate: int, align: bool) -> list[Finding]:
    difference = wet.shape[-1] - dry.shape[-1]
    than = "longer" if difference > 0 else "shorter"
    seconds = abs(difference) / rate
    what = f"is {abs(difference)} samples ({seconds:.3f} s) {than} than its dry side {source.files[0].name}"
    if align:
        what = f"{what}; both are cut to the shorter"
        return [Finding(check="length", file=source.target, what=what, refused=False)]
    fix = "export both from the same start to the same end, or set data.align = true to cut the longer"
    return [Finding(check="length", file=source.target, what=what, fix=fix)]


def _related(relation: Relation, source: Source, align: bool) -> list[Finding]:
    if relation.confidence < UNRELATED:
        what = "has nothing in common with its dry side"
        fix = 'check that both are of the same take, or set data.accept = ["unrelated"]'
        return [Finding(check="unrelated", file=source.target, what=what, fix=fix)]
    if not relation.sure:
        what = "resembles its dry side so little that latency and polarity cannot be told"
        return [Finding(check="unsure", file=source.target, what=what, refused=False)]
    findings = [_latency(relation.latency, source, align)] if relation.late else []
    if relation.polarity < 0:
        what = "is inverted against its dry side, as some devices do"
        fix = "if the cable or the export did it, flip the polarity"
        findings.append(Finding(check="inverted", file=source.target, what=what, fix=fix, refused=False))
    return findings


def _latency(latency: float, source: Source, align: bool) -> Finding:
    what = f"is {abs(latency):.2f} samples {'late' if latency > 0 else 'early'} against its dry side"
    if align:
        return Finding(check="latency", file=source.target, what=f"{what}; moved into place", refused=False)
    fix = 'set data.align = true to move it, or data.accept = ["latency"] to keep it'
    return Finding(check="latency", file=source.target, what=what, fix=fix)


def _moved(dry: Audio, wet: Audio, latency: float, keep: Keep) -> tuple[Audio, Audio]:
    """Take `latency` samples off the wet side and cut what then has no counterpart."""
    common = min(dry.shape[-1], wet.shape[-1])
    shifted = keep(latency, lambda: _shifted(wet[:, :common], latency))
    lost = math.ceil(abs(latency)) + (_EDGE if latency % 1 else 0)
    kept = slice(0, common - lost) if latency > 0 else slice(lost, common)
    return dry[:, kept], shifted[:, kept]


def _shifted(wet: Audio, latency: float) -> Audio:
    import torch

    from fxkit_signal.alignment import fractional_shift

    shifted: Audio = fractional_shift(torch.from_numpy(wet), -latency).numpy()
    return shifted
