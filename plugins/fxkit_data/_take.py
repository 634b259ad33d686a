"""Bring one recording into the form that training uses, and note everything seen on the way."""

from __future__ import annotations

import math
import re
from collections.abc import Callable
from typing import Literal

import attrs
import numpy as np
from numpy.typing import NDArray

from fxkit.audio_cache import AudioCache, Kept
from fxkit_data._audio_file import Clip, read_clip
from fxkit_data._clip_checks import clip_findings, decibels
from fxkit_data._finding import Finding, accepting
from fxkit_data._gate import GateRow
from fxkit_data._layout import Source
from fxkit_data._pair_alignment import PairFit, fit_pair

Channels = Literal["keep", "mono", "stereo"]
Audio = NDArray[np.float32]

# Counts up when channels, rate or alignment are made in another way than before.
FORMED = 1
# What cannot be measured or used any further.
_HOPELESS = frozenset({"unreadable", "not finite", "short", "silence"})


@attrs.frozen(kw_only=True)
class TakePlan:
    """Say how recordings are brought into form: run rate in Hz, channels, samples not scored, leniency.

    `hop` is the distance of frames; `start` a regular expression whose group is the second of its take at
    which a recording starts.
    """

    rate: int
    hop: int = 64
    channels: Channels = "keep"
    skip: int = 0
    align: bool = False
    accept: tuple[str, ...] = ()
    start: str | None = None

    def started(self, name: str) -> int:
        """Return the samples of its take before a recording, by its name."""
        found = re.search(self.start, name) if self.start else None
        return round(float(found[1]) * self.rate) if found else 0


@attrs.frozen(kw_only=True, eq=False)
class Take:
    """Hold one recording at the run's rate: float32 [channels, samples] per side, of equal length.

    `digest` is of the side that material is divided by: the dry one, else the target.
    """

    source: Source
    target: Audio
    input: Audio | None
    digest: str
    clips: tuple[Clip, ...]
    row: GateRow

    @property
    def sides(self) -> tuple[Audio, ...]:
        """Return the sides there are, dry first."""
        return (self.target,) if self.input is None else (self.input, self.target)

    @property
    def samples(self) -> int:
        """Return the length in samples."""
        return int(self.target.shape[-1])


def read_take(source: Source, plan: TakePlan, cache: AudioCache) -> tuple[Take | None, tuple[Finding, ...]]:
    """Read and check one recording; None when it cannot be used. All findings are returned."""
    read = [read_clip(file, cache) for file in source.files]
    clips = tuple(clip for clip in read if isinstance(clip, Clip))
    findings = [finding for finding in read if isinstance(finding, Finding)]
    findings += [finding for clip in clips for finding in clip_findings(clip)]
    seen = accepting(findings, plan.accept)
    if len(clips) < len(read) or any(finding.refused and finding.check in _HOPELESS for finding in seen):
        return None, seen
    measurable = not any(finding.check in _HOPELESS for finding in seen)
    return _formed(source, clips, seen, plan, cache, measurable)


def _formed(
    source: Source,
    clips: tuple[Clip, ...],
    seen: tuple[Finding, ...],
    plan: TakePlan,
    cache: AudioCache,
    measurable: bool,
) -> tuple[Take | None, tuple[Finding, ...]]:
    findings = [finding for clip in clips for finding in _form_findings(clip, plan)]
    formed = [_in_form(clip, plan, cache) for clip in clips]
    mixed = _mixed_rates(clips)
    findings += mixed
    fit = PairFit(input=None, target=formed[-1])
    # Where a rate is wrong, nothing that compares the sides in time means anything.
    if len(clips) == 2 and (not mixed or "rate" in plan.accept):
        fit = fit_pair(
            formed[0],
            formed[1],
            source,
            rate=plan.rate,
            align=plan.align,
            measurable=measurable,
            slack=_rounding(clips, plan.rate),
            keep=lambda latency, moved: _kept(moved, cache, "moved", clips, plan, repr(latency)),
        )
    findings += [*fit.findings, *_skipped(source, fit.target.shape[-1], plan)]
    seen = (*seen, *accepting(findings, plan.accept))
    row = _row(source, clips, fit, seen, plan)
    found = Take(
        source=source, target=fit.target, input=fit.input, digest=clips[0].digest, clips=clips, row=row
    )
    return found, seen


def _row(
    source: Source, clips: tuple[Clip, ...], fit: PairFit, findings: tuple[Finding, ...], plan: TakePlan
) -> GateRow:
    peaks = [decibels(float(np.abs(clip.samples).max())) for clip in clips]
    told = fit.relation if fit.relation and fit.relation.sure else None
    return GateRow(
        split=source.split or "",
        name=source.name,
        rate=clips[-1].rate,
        channels=" > ".join(str(clip.channels) for clip in clips),
        seconds=fit.target.shape[-1] / plan.rate,
        target_peak=peaks[-1],
        input_peak=peaks[0] if len(clips) == 2 else None,
        latency=told.latency if told else None,
        polarity=told.polarity if told else None,
        gain=told.gain if told else None,
        findings=findings,
    )


def _form_findings(clip: Clip, plan: TakePlan) -> list[Finding]:
    findings = []
    if clip.rate != plan.rate:
        what = f"resampled from {clip.rate} Hz to {plan.rate} Hz"
        findings.append(Finding(check="resampled", file=clip.path, what=what, refused=False))
    if plan.channels == "mono" and clip.channels > 1:
        what = f"its {clip.channels} channels are averaged to one"
        findings.append(Finding(check="mixed down", file=clip.path, what=what, refused=False))
    if plan.channels == "stereo" and clip.channels > 2:
        what = f"has {clip.channels} channels, not 1 or 2"
        fix = 'export it in stereo, or set data.channels = "mono"'
        findings.append(Finding(check="channels", file=clip.path, what=what, fix=fix))
    return findings


def _mixed_rates(clips: tuple[Clip, ...]) -> list[Finding]:
    dry, wet = clips[0], clips[-1]
    if dry.rate == wet.rate:
        return []
    what = f"is at {wet.rate} Hz, its dry side {dry.path.name} at {dry.rate} Hz"
    fix = 'export both at one rate, or set data.accept = ["rate"] to resample each'
    return [Finding(check="rate", file=wet.path, what=what, fix=fix)]


def _rounding(clips: tuple[Clip, ...], rate: int) -> int:
    """Return by how many samples resampling from two rates may leave equal durations apart."""
    rates = {clip.rate for clip in clips}
    return math.ceil(rate / min(rates)) if len(rates) > 1 else 0


def _skipped(source: Source, samples: int, plan: TakePlan) -> list[Finding]:
    if samples > plan.skip:
        return []
    what = f"is {samples / plan.rate:.2f} s long and data.skip leaves all of it out of scores"
    fix = "lower data.skip or use a longer recording"
    return [Finding(check="short", file=source.target, what=what, fix=fix)]


def _in_form(clip: Clip, plan: TakePlan, cache: AudioCache) -> Audio:
    """Return the clip with the channels and at the rate that are wanted, made once."""
    formed = {"keep": clip.channels, "mono": 1, "stereo": max(2, clip.channels)}[plan.channels]
    if (clip.rate, clip.channels) == (plan.rate, formed):
        return clip.samples
    return _kept(
        lambda: _at_rate(_with_channels(clip.samples, plan.channels), clip.rate, plan.rate),
        cache, "formed", (clip,), plan,
    )  # fmt: skip


def _kept(
    make: Callable[[], Audio],
    cache: AudioCache,
    step: str,
    clips: tuple[Clip, ...],
    plan: TakePlan,
    *rest: str,
) -> Audio:
    sources = tuple((clip.digest, clip.rate) for clip in clips)
    origin = (step, FORMED, sources, plan.channels, plan.rate, *rest)
    return cache.audio(origin, lambda: Kept(samples=make())).samples


def _with_channels(samples: Audio, channels: Channels) -> Audio:
    if channels == "mono" and len(samples) > 1:
        mixed: Audio = samples.mean(axis=0, keepdims=True, dtype=np.float64).astype(np.float32)
        return mixed
    if channels == "stereo" and len(samples) == 1:
        return np.repeat(samples, 2, axis=0)
    return samples


def _at_rate(samples: Audio, rate: int, wanted: int) -> Audio:
    if rate == wanted:
        return samples
    import torch

    from fxkit_signal.resampling import resample

    out: Audio = resample(torch.from_numpy(samples), rate, wanted).contiguous().numpy()
    return out
