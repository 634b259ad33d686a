"""Compare the two sides of a pair in time, sign and length, and bring them together where asked to."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import attrs
import numpy as np
from numpy.typing import NDArray

from fxkit_data._finding import Finding
from fxkit_data._layout import Source

if TYPE_CHECKING:
    from fxkit_signal.alignment import Alignment

Audio = NDArray[np.float32]

MAX_LATENCY = 0.5  # samples
UNSURE, UNRELATED = 0.25, 0.01  # confidence below which latency and sign are not told, and the pair refused
EXCERPT_SECONDS = 5.0
EXCERPTS = 4
LOUD_SHARE = 0.05  # an excerpt counts with this share of the loudest excerpt's power
_SPECTRUM = 512
_EDGE = 64  # samples that the shift's interpolation blurs where the recording ends


@attrs.frozen(kw_only=True, eq=False)
class PairFit:
    """Hold both sides at equal length, how they lay to each other before, and what was found."""

    target: Audio
    input: Audio | None
    alignment: Alignment | None = None
    findings: tuple[Finding, ...] = ()


def fit_pair(dry: Audio, wet: Audio, source: Source, *, rate: int, align: bool, measurable: bool) -> PairFit:
    """Measure how `wet` lies to `dry` (float32 [channels, samples] at `rate` Hz) and cut to equal length.

    With `align`, the wet side is moved by the measured fraction of a sample. Without it, latency and
    a difference in length are findings that refuse the pair.
    """
    findings = _lengths(dry, wet, source, rate, align)
    found = measure(dry, wet, rate) if measurable else None
    if found:
        findings += _relation(found, source, align)
    if found and align and is_late(found):
        dry, wet = _moved(dry, wet, found.latency)
    common = min(dry.shape[-1], wet.shape[-1])
    return PairFit(target=wet[:, :common], input=dry[:, :common], alignment=found, findings=tuple(findings))


def measure(dry: Audio, wet: Audio, rate: int) -> Alignment:
    """Return how `wet` lies to `dry`, from the excerpts that tell most.

    The phase of a device that distorts reads as delay where the material is narrow in frequency, and
    never as the lack of one: so the first excerpt without latency decides, and when there is none the
    least latency counts.
    """
    import torch

    from fxkit_signal.alignment import align_report

    same = len(dry) == len(wet) or 1 in (len(dry), len(wet))
    sides = [torch.from_numpy(side if same else side.mean(axis=0)) for side in (dry, wet)]
    found: list[Alignment] = []
    for excerpt in excerpts(dry, wet, rate)[:EXCERPTS]:
        one = align_report(sides[0][..., excerpt], sides[1][..., excerpt], rate)
        found.append(one)
        sure = [other for other in found if other.confidence >= UNSURE]
        if one.confidence >= UNSURE and one.polarity == sure[0].polarity and not is_late(one):
            return one
    alike = [other for other in sure if other.polarity == sure[0].polarity]
    return (
        min(alike, key=lambda one: abs(one.latency)) if alike else max(found, key=lambda one: one.confidence)
    )


def is_late(found: Alignment) -> bool:
    """Tell whether a latency is more than the measurement may err by: half a sample, or more if unsure."""
    return abs(found.latency) > max(MAX_LATENCY, 2 * (1 - found.confidence))


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
    if not difference or source.input is None:
        return []
    than = "longer" if difference > 0 else "shorter"
    seconds = abs(difference) / rate
    what = f"is {abs(difference)} samples ({seconds:.3f} s) {than} than its dry side {source.input.name}"
    if align:
        what = f"{what}; both are cut to the shorter"
        return [Finding(check="length", file=source.target, what=what, refused=False)]
    fix = "export both from the same start to the same end, or set data.align = true to cut the longer"
    return [Finding(check="length", file=source.target, what=what, fix=fix)]


def _relation(found: Alignment, source: Source, align: bool) -> list[Finding]:
    if found.confidence < UNRELATED:
        what = "has nothing in common with its dry side"
        fix = 'check that both are of the same take, or set data.accept = ["unrelated"]'
        return [Finding(check="unrelated", file=source.target, what=what, fix=fix)]
    if found.confidence < UNSURE:
        what = "resembles its dry side so little that latency and polarity cannot be told"
        return [Finding(check="unsure", file=source.target, what=what, refused=False)]
    findings = [_latency(found.latency, source, align)] if is_late(found) else []
    if found.polarity < 0:
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


def _moved(dry: Audio, wet: Audio, latency: float) -> tuple[Audio, Audio]:
    """Take `latency` samples off the wet side and cut what then has no counterpart."""
    import torch

    from fxkit_signal.alignment import fractional_shift

    common = min(dry.shape[-1], wet.shape[-1])
    shifted: Audio = fractional_shift(torch.from_numpy(wet[:, :common]), -latency).numpy()
    lost = math.ceil(abs(latency)) + (_EDGE if latency % 1 else 0)
    kept = slice(0, common - lost) if latency > 0 else slice(lost, common)
    return dry[:, kept], shifted[:, kept]
