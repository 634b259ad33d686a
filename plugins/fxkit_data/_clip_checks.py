"""Check one file's samples: finite, long enough, not silent, not clipped, no offset."""

from __future__ import annotations

import math

import numpy as np
from numpy.typing import NDArray

from fxkit_data._audio_file import Clip
from fxkit_data._finding import Finding

MIN_SECONDS = 0.05
SILENCE = 1e-4  # peak: -80 dBFS
QUIET = 1e-2  # peak: -40 dBFS
OFFSET = 1e-2  # mean: -40 dBFS
FULL_SCALE = 0.9999
CLIPPED_SHARE = 1e-4
CLIPPED_RUN = 3


def clip_findings(clip: Clip) -> tuple[Finding, ...]:
    """Return what is wrong with the file's samples; after a hopeless defect nothing else is looked for."""
    hopeless = _not_finite(clip) or _short(clip) or _silent(clip)
    if hopeless:
        return (hopeless,)
    remarks = (_clipped(clip), _over(clip), _offset(clip), _quiet(clip))
    return tuple(finding for finding in remarks if finding)


def decibels(value: float) -> float:
    """Return 20 log10 of an amplitude, -inf for zero."""
    return 20 * math.log10(value) if value > 0 else -math.inf


def _not_finite(clip: Clip) -> Finding | None:
    bad = np.flatnonzero(~np.isfinite(clip.samples).all(axis=0))
    if not bad.size:
        return None
    what = f"holds NaN or infinity: samples at fault {bad.size}, the first at {bad[0] / clip.rate:.3f} s"
    return Finding(check="not finite", file=clip.path, what=what, fix="export it again, or cut them out")


def _short(clip: Clip) -> Finding | None:
    if clip.length >= MIN_SECONDS * clip.rate:
        return None
    plural = "s" if clip.length > 1 else ""
    what = f"is too short: {clip.length} sample{plural} ({1000 * clip.length / clip.rate:.2g} ms)"
    fix = f"use recordings of at least {MIN_SECONDS:g} s"
    return Finding(check="short", file=clip.path, what=what, fix=fix)


def _silent(clip: Clip) -> Finding | None:
    peak = _peak(clip.samples)
    if peak >= SILENCE:
        return None
    level = f"its peak is {decibels(peak):.0f} dBFS" if peak else "every sample is zero"
    fix = "check the cable and the exported track, or remove it"
    return Finding(check="silence", file=clip.path, what=f"is silent: {level}", fix=fix)


def _clipped(clip: Clip) -> Finding | None:
    # A float file may swing past full scale unharmed; what is cut off stands at it.
    stuck = np.abs(np.abs(clip.samples) - 1.0) <= 1.0 - FULL_SCALE
    count = sum(map(_in_runs, stuck))
    if not count:
        return None
    heavy = count > CLIPPED_SHARE * clip.samples.size
    what = f"is clipped: {count} samples ({100 * count / clip.samples.size:.2g} %) stick at full scale"
    fix = 'record it at a lower level, or set data.accept = ["clipping"]'
    return Finding(check="clipping", file=clip.path, what=what, fix=fix, refused=heavy)


def _in_runs(high: NDArray[np.bool_]) -> int:
    """Count the samples that stand in runs of at least CLIPPED_RUN."""
    edges = np.flatnonzero(np.diff(np.concatenate([[False], high, [False]])))
    lengths = edges[1::2] - edges[::2]
    return int(lengths[lengths >= CLIPPED_RUN].sum())


def _over(clip: Clip) -> Finding | None:
    peak = _peak(clip.samples)
    if peak <= 1.0:
        return None
    what = f"its peak of {decibels(peak):+.1f} dBFS is over full scale"
    return Finding(check="over", file=clip.path, what=what, refused=False)


def _offset(clip: Clip) -> Finding | None:
    mean = float(np.abs(clip.samples.mean(axis=1, dtype=np.float64)).max())
    if mean < OFFSET:
        return None
    return Finding(check="offset", file=clip.path, what=f"has a DC offset of {mean:.3f}", refused=False)


def _quiet(clip: Clip) -> Finding | None:
    peak = _peak(clip.samples)
    if peak >= QUIET:
        return None
    what = f"is quiet: its peak is {decibels(peak):.0f} dBFS"
    return Finding(check="quiet", file=clip.path, what=what, refused=False)


def _peak(samples: NDArray[np.float32]) -> float:
    return float(np.abs(samples).max(initial=0.0))
