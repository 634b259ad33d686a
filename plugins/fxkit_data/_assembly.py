"""Build a dataset from the recordings of a folder: read, check, divide, scale the knobs."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import attrs
import torch

from fxkit.audio_cache import AudioCache
from fxkit.values import Recording
from fxkit_data._finding import Finding, accepting
from fxkit_data._gate import GateReport, refuse
from fxkit_data._knob_scale import Ranges, knob_ranges, outside, scaled
from fxkit_data._knob_sheet import KnobSheet, settings_of
from fxkit_data._layout import Layout
from fxkit_data._recorded import SPLITS, RecordedSplits, content_digest
from fxkit_data._split import Fractions, by_content, by_time
from fxkit_data._take import Take, TakePlan, read_take
from fxkit_data._turned import Setting, knob_track, moves


@attrs.frozen(kw_only=True)
class SplitPlan:
    """Say how recordings without a split of their own are divided; `gap` in samples, `root` for messages."""

    root: Path
    fractions: Fractions
    gap: int


@attrs.frozen(kw_only=True, eq=False)
class _Piece:
    """Hold what one split gets of one take."""

    split: str
    take: Take
    settings: tuple[Setting, ...]
    part: slice = attrs.field(factory=lambda: slice(None))

    @property
    def timed(self) -> bool:
        """Tell whether this is a part cut out by time."""
        return self.part != slice(None)


def assemble(layout: Layout, sheet: KnobSheet | None, plan: TakePlan, splits: SplitPlan) -> RecordedSplits:
    """Read, check and divide everything; raise `DataError` with all defects at once."""
    sheet = sheet or KnobSheet(path=splits.root)
    settings, knob_findings = settings_of(sheet, layout.sources)
    cache = AudioCache()
    taken = [read_take(source, plan, cache) for source in layout.sources]
    pairs = [(found, setting) for (found, _), setting in zip(taken, settings, strict=True) if found]
    takes = [found for found, _ in pairs]
    seen = [finding for _, findings in taken for finding in findings]
    refuse([*layout.findings, *knob_findings, *seen, *_unlike_channels(takes)])

    pieces, findings = _divided(pairs, splits, plan)
    findings += accepting(_duplicates(pieces), plan.accept)
    refuse(findings)
    train = [piece.settings for piece in pieces if piece.split == "train"]
    ranges, range_findings = knob_ranges(sheet.names, train, sheet.ranges, sheet.path)
    findings += [*range_findings, *(found for piece in pieces for found in _beyond(piece, sheet, ranges))]
    refuse(findings)

    # Where one recording's knobs are turned, all come as frames.
    framed = any(moves(piece.settings) for piece in pieces)
    rows = tuple(attrs.evolve(take.row, split=_splits_of(take, pieces)) for take in takes)
    report = GateReport(rows=rows, findings=(*layout.findings, *findings, *_cache_findings(cache)))
    return RecordedSplits(
        channels=0 if takes[0].input is None else len(takes[0].input),
        target_channels=len(takes[0].target),
        splits={
            split: tuple(_recording(p, sheet, ranges, plan, framed) for p in pieces if p.split == split)
            for split in SPLITS
        },
        knobs=sheet.names,
        knob_ranges=ranges,
        report=report,
        mapped=not cache.refused,
        rates=tuple(sorted({clip.rate for take in takes for clip in take.clips})),
    )


def _cache_findings(cache: AudioCache) -> list[Finding]:
    """Tell of what stood in the way of reading decoded audio."""
    what = "damaged; its audio was decoded again"
    damaged = [Finding(check="cache", file=path, what=what, refused=False) for path in cache.damaged]
    if not cache.refused:
        return damaged
    what = f"cannot keep decoded audio, which is in memory instead: {cache.refused}"
    fix = "set FXKIT_CACHE to a folder with room"
    return [*damaged, Finding(check="cache", file=cache.folder, what=what, fix=fix, refused=False)]


def _recording(piece: _Piece, sheet: KnobSheet, ranges: Ranges, plan: TakePlan, framed: bool) -> Recording:
    sides = [side[:, piece.part] for side in piece.take.sides]
    tensors = [torch.from_numpy(side) for side in sides]
    return Recording(
        name=piece.take.source.name,
        target=tensors[-1],
        input=tensors[0] if len(tensors) == 2 else None,
        knobs=_knobs(piece, sheet, ranges, plan, framed) if sheet.names else None,
        skip=plan.skip,
        start=plan.started(piece.take.source.name) + (piece.part.start or 0),
        digest=content_digest(*sides),
    )


def _knobs(piece: _Piece, sheet: KnobSheet, ranges: Ranges, plan: TakePlan, framed: bool) -> torch.Tensor:
    values = scaled(piece.settings, sheet.names, ranges)
    if not framed:
        return torch.tensor(values)
    samples = piece.take.sides[0][:, piece.part].shape[-1]
    return knob_track(values, first=piece.part.start or 0, samples=samples, rate=plan.rate, hop=plan.hop)


def _unlike_channels(takes: Sequence[Take]) -> list[Finding]:
    """Find files whose channels differ from those of most others on their side."""
    findings = []
    for side in (0, -1):
        counts = [take.clips[side].channels for take in takes]
        formed = [len(take.sides[side]) for take in takes]
        usual = max(sorted(set(formed)), key=formed.count, default=0)
        for take, count, channels in zip(takes, counts, formed, strict=True):
            if channels != usual:
                what = f"has {count} channels where the others have {usual}"
                fix = 'export all alike, or set data.channels = "mono" or "stereo"'
                findings.append(Finding(check="channels", file=take.clips[side].path, what=what, fix=fix))
    return findings


def _divided(
    takes: Sequence[tuple[Take, tuple[Setting, ...]]], splits: SplitPlan, plan: TakePlan
) -> tuple[list[_Piece], list[Finding]]:
    """Give each take its split; what the folder leaves open is taken from the train split."""
    given = {take.source.split for take, _ in takes if take.source.split}
    if given and "train" not in given:
        finding = Finding(check="missing", file=splits.root / "train", what="no such folder", fix="add it")
        return [], [finding]
    pool = [(take, setting) for take, setting in takes if take.source.split in (None, "train")]
    pieces = [
        _Piece(split=take.source.split, take=take, settings=setting)
        for take, setting in takes
        if take.source.split and take.source.split != "train"
    ]
    fractions = splits.fractions.without(sorted(given))
    by_digest = by_content([take.digest for take, _ in pool], fractions)
    if by_digest is None:
        timed, findings = _divided_by_time(pool, fractions, splits.gap, plan)
        return [*pieces, *timed], findings
    whole = (_Piece(split=by_digest[take.digest], take=take, settings=setting) for take, setting in pool)
    return [*pieces, *whole], []


def _divided_by_time(
    pool: Sequence[tuple[Take, tuple[Setting, ...]]], fractions: Fractions, gap: int, plan: TakePlan
) -> tuple[list[_Piece], list[Finding]]:
    pieces, findings = [], []
    shares = {"train": 1.0, "val": fractions.val, "test": fractions.test}
    wanted = [split for split in SPLITS if shares[split]]
    for take, setting in pool:
        # Takes of one dry side are cut at the same places, so that no part of it is in two splits.
        samples = min(other.samples for other, _ in pool if other.digest == take.digest)
        parts = by_time(samples, fractions, gap)
        if any(parts[split].stop - parts[split].start <= plan.skip for split in wanted):
            what = f"is too short to be divided by time into {', '.join(wanted)}: {samples / plan.rate:.2f} s"
            fix = "add recordings, or lower data.gap and data.skip"
            findings.append(Finding(check="short", file=take.source.target, what=what, fix=fix))
        pieces += [_Piece(split=split, take=take, settings=setting, part=parts[split]) for split in wanted]
    return pieces, findings


def _duplicates(pieces: Sequence[_Piece]) -> list[Finding]:
    """Find audio that stands in two splits, whatever its name and format."""
    first: dict[str, tuple[_Piece, Path]] = {}
    findings = []
    for piece in sorted(pieces, key=lambda piece: SPLITS.index(piece.split)):
        for clip in piece.take.clips:
            other, path = first.setdefault(clip.digest, (piece, clip.path))
            # Parts cut by time from equal audio are cut at the same places.
            if other.split != piece.split and not (other.timed and piece.timed):
                what = f"has the same audio as {path} in the {other.split} split"
                fix = 'keep it in one split, or set data.accept = ["duplicates"]'
                findings.append(Finding(check="duplicates", file=clip.path, what=what, fix=fix))
    return findings


def _beyond(piece: _Piece, sheet: KnobSheet, ranges: Ranges) -> list[Finding]:
    return outside(piece.settings, sheet.names, ranges, sheet.ranges, piece.take.source.target)


def _splits_of(take: Take, pieces: Sequence[_Piece]) -> str:
    return "/".join(piece.split for piece in pieces if piece.take is take)
