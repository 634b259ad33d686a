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
MIN_CONFIDENCE = 0.1


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
    common = min(dry.shape[-1], wet.shape[-1])
    findings = _lengths(dry, wet, source, rate, align)
    if not measurable:
        return PairFit(target=wet[:, :common], input=dry[:, :common], findings=tuple(findings))
    import importlib.util

    if importlib.util.find_spec("fxkit_signal.alignment") is None:
        return PairFit(target=wet[:, :common], input=dry[:, :common], findings=tuple(findings))
    import torch

    from fxkit_signal.alignment import align_report

    mixed = [torch.from_numpy(side.mean(axis=0, dtype=np.float64)) for side in (dry, wet)]
    found = align_report(mixed[0][:common], mixed[1][:common], rate)
    findings += _relation(found, source, align)
    if align and abs(found.latency) > MAX_LATENCY:
        dry, wet = _moved(dry, wet, found.latency)
    common = min(dry.shape[-1], wet.shape[-1])
    return PairFit(target=wet[:, :common], input=dry[:, :common], alignment=found, findings=tuple(findings))


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
    findings = []
    if found.confidence < MIN_CONFIDENCE:
        what = "hardly resembles its dry side, so that latency and polarity are unsure"
        findings.append(Finding(check="unrelated?", file=source.target, what=what, refused=False))
    if abs(found.latency) > MAX_LATENCY:
        findings.append(_latency(found.latency, source, align))
    if found.polarity < 0:
        what = "is inverted against its dry side (a device may do that)"
        findings.append(Finding(check="inverted", file=source.target, what=what, refused=False))
    return findings


def _latency(latency: float, source: Source, align: bool) -> Finding:
    what = f"is {abs(latency):.2f} samples {'late' if latency > 0 else 'early'} against its dry side"
    if align:
        return Finding(check="latency", file=source.target, what=f"{what}; moved into place", refused=False)
    fix = 'set data.align = true to move it, or data.accept = ["latency"] to keep it'
    return Finding(check="latency", file=source.target, what=what, fix=fix)


def _moved(dry: Audio, wet: Audio, latency: float) -> tuple[Audio, Audio]:
    """Take `latency` samples off the wet side: whole samples by cutting, the rest by interpolation."""
    import torch

    from fxkit_signal.alignment import fractional_shift

    whole = math.floor(latency)
    dry, wet = dry[:, max(-whole, 0) :], wet[:, max(whole, 0) :]
    common = min(dry.shape[-1], wet.shape[-1])
    shifted: Audio = fractional_shift(torch.from_numpy(wet[:, :common]), whole - latency).numpy()
    return dry[:, :common], shifted
