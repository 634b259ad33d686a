"""Compare runs on the same recordings, pair by pair."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fxkit.confidence import mean_interval, stretches_interval
from fxkit.errors import RunError
from fxkit.examination import Examination
from fxkit.scores import TOTAL, Comparison, Interval
from fxkit.scoring import Candidate, Content, Scored, content, examine, totalled


def examine_all(
    candidates: Sequence[Candidate], examination: Examination
) -> tuple[tuple[Scored, ...], Comparison]:
    """Score runs on the recordings that all of them have, and compare each with the first.

    Raises `RunError` when they have none in common, or when they run at different rates.
    """
    _refuse_rates(candidates)
    shared = _shared(candidates)
    notes = [*_missing(candidates, shared), *_unlike(candidates)]
    scored = tuple(examine(candidate.on(shared), examination) for candidate in candidates)
    metrics = _comparable(candidates)
    differences = {one.scores.run: _differences(scored[0], one, metrics) for one in scored[1:]}
    over = "recordings" if not scored[0].without else "stretches"
    return scored, Comparison(
        runs=tuple(one.scores for one in scored), differences=differences, over=over, notes=tuple(notes)
    )


def _refuse_rates(candidates: Sequence[Candidate]) -> None:
    first = candidates[0]
    for other in candidates[1:]:
        if other.trained.sample_rate != first.trained.sample_rate:
            raise RunError(
                f"{other.name}: runs at {other.trained.sample_rate} Hz and {first.name} at"
                f" {first.trained.sample_rate} Hz, so that their figures mean different things;"
                " score them one by one"
            )


def _shared(candidates: Sequence[Candidate]) -> set[Content]:
    shared = set.intersection(
        *({content(one) for one in candidate.material.recordings} for candidate in candidates)
    )
    if not shared:
        names = ", ".join(candidate.name for candidate in candidates)
        raise RunError(
            f"{names}: have no recording in common, by content; score them on the same ones with --data"
        )
    return shared


def _missing(candidates: Sequence[Candidate], shared: set[Content]) -> Iterator[str]:
    for candidate in candidates:
        alone = [one.name for one in candidate.material.recordings if content(one) not in shared]
        if alone:
            yield f"{candidate.name}: left out, as not all runs have them: {', '.join(alone)}"


def _parts(candidate: Candidate) -> dict[str, Any]:
    """Return metric -> what it is: its plugin with its options."""
    experiment = candidate.prepared.experiment
    parts = {**experiment.metrics, **experiment.losses}
    return {name: (part.plugin, part.spec) for name, part in parts.items()}


def _comparable(candidates: Sequence[Candidate]) -> list[str]:
    """Return the metrics that all runs have alike; the total too where all losses and weights agree."""
    first, *others = map(_parts, candidates)
    alike = [name for name, part in first.items() if all(other.get(name) == part for other in others)]
    totals = [_total(candidate) for candidate in candidates]
    return [*alike, TOTAL] if all(total == totals[0] for total in totals) else alike


def _total(candidate: Candidate) -> dict[str, Any]:
    losses = candidate.prepared.experiment.losses
    return {name: (part.plugin, part.spec, part.keys) for name, part in losses.items()}


def _unlike(candidates: Sequence[Candidate]) -> Iterator[str]:
    alike, every = _comparable(candidates), [_parts(candidate) for candidate in candidates]
    for name in dict.fromkeys(name for parts in every for name in parts):
        if name not in alike:
            there = sum(name in parts for parts in every)
            reason = "its options differ" if there == len(every) else "not all runs measure it"
            yield f"{name}: not compared, {reason}"
    if TOTAL not in alike:
        yield f"{TOTAL}: not compared, the runs weigh different losses"


def _differences(first: Scored, other: Scored, metrics: Sequence[str]) -> dict[str, Interval]:
    if first.without:
        return dict(_over_stretches(first, other, metrics))
    ours, theirs = _by_content(first), _by_content(other)
    return {
        name: mean_interval([theirs[digest][name] - ours[digest][name] for digest in ours])
        for name in metrics
    }


def _by_content(scored: Scored) -> dict[Content, dict[str, float]]:
    terms = scored.candidate.prepared.terms
    recordings = scored.candidate.material.recordings
    return {
        content(recording): totalled(example, terms)
        for recording, example in zip(recordings, scored.evaluation.examples, strict=True)
    }


def _over_stretches(first: Scored, other: Scored, metrics: Sequence[str]) -> Iterator[tuple[str, Interval]]:
    ours, theirs = _without_by_content(first), _without_by_content(other)
    for name in metrics:
        value = other.scores.means[name] - first.scores.means[name]
        if any(name not in one for one in (*ours.values(), *theirs.values())):
            yield name, Interval(value)
            continue
        pairs = [zip(theirs[digest][name], ours[digest][name], strict=True) for digest in ours]
        yield name, stretches_interval(value, [[b - a for b, a in pair] for pair in pairs])


def _without_by_content(scored: Scored) -> dict[Content, Mapping[str, Sequence[float]]]:
    return {
        content(recording): scored.without[recording.name]
        for recording in scored.candidate.material.recordings
    }
