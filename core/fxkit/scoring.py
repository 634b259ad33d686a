"""Score runs on one of their splits: figures with their limits, beside the trivial baselines."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from pathlib import Path

import attrs
import torch

from fxkit.confidence import mean_interval, stretches_interval
from fxkit.engine.baselines import baselines
from fxkit.engine.evaluation import Evaluation, Example, evaluate
from fxkit.engine.material import Material
from fxkit.engine.objective import Term
from fxkit.engine.recording_sets import measure_sets
from fxkit.engine.setup import Prepared, prepare
from fxkit.engine.stretches import Without, without_stretches
from fxkit.errors import RunError
from fxkit.examination import Examination
from fxkit.named_embeddings import named_embeddings
from fxkit.scores import FEWEST, TOTAL, Comparison, Interval, Scores
from fxkit.set_distance import SetDistance
from fxkit.trained import Trained, load
from fxkit.values import Recording

__all__ = ["Comparison", "Interval", "Scores", "score_run"]

# The digest of a recording, and how much of its start is not scored.
Content = tuple[str, int]


@attrs.frozen(kw_only=True, eq=False)
class Candidate:
    """Hold a trained model beside the recordings and the metrics that it is scored on."""

    name: str
    trained: Trained
    prepared: Prepared
    material: Material

    def on(self, digests: Collection[Content]) -> Candidate:
        """Return the same with only the recordings of this content, at least one."""
        pairs = zip(self.material.recordings, self.material.features, strict=True)
        recordings, features = zip(*(pair for pair in pairs if content(pair[0]) in digests), strict=True)
        return attrs.evolve(self, material=Material(recordings=recordings, features=features))


@attrs.frozen(kw_only=True, eq=False)
class Scored:
    """Hold a run's scores and what they were taken from.

    `without` recording -> metric -> its values without each stretch of time; empty where not measured.
    `sets` embedding -> how far the outputs, as a set, are from the training recordings.
    """

    candidate: Candidate
    scores: Scores
    evaluation: Evaluation
    without: Mapping[str, Without]
    sets: Mapping[str, SetDistance] = attrs.field(factory=dict)


def content(recording: Recording) -> Content:
    """Return what tells a recording from others: its digest, or its name, and where scoring starts."""
    return recording.digest or recording.name, recording.skip


def score_run(path: Path, *, split: str = "test", device: str = "auto", allow_local: bool = False) -> Scores:
    """Load the weights and the data of a run folder and measure them.

    Raises `RunError` when the split is empty, and what loading model or data raises.
    """
    examination = Examination(split=split, allow_local=allow_local)
    return examine(open_candidate(path, examination, device=device), examination).scores


def open_candidate(path: Path, examination: Examination, *, device: str = "auto") -> Candidate:
    """Load the weights of a run folder and the recordings to score them on.

    Raises `RunError` when the split is empty, and what loading model or data raises.
    """
    trained = load(path, device=device, allow_local=examination.allow_local)
    experiment = examination.experiment(trained.folder)
    with torch.random.fork_rng():
        prepared = prepare(experiment, device=trained.device)
    material = prepared.materials[examination.split]
    if not material.recordings:
        raise RunError(f"{path}: its {examination.split} split has no recordings; choose another --split")
    return Candidate(name=str(path), trained=trained, prepared=prepared, material=material)


def examine(candidate: Candidate, examination: Examination) -> Scored:
    """Run a model over its recordings, once, and measure everything."""
    prepared, trained, material = candidate.prepared, candidate.trained, candidate.material
    embeddings = named_embeddings(examination.embeddings, prepared.ctx)
    evaluation = evaluate(
        trained.model,
        prepared.terms,
        material,
        split=examination.split,
        step=0,
        sample_rate=trained.sample_rate,
        device=trained.device,
    )
    scores = score(
        candidate.name, evaluation, prepared.terms, material, prepared.materials["train"], trained.device
    )
    few = len(evaluation.examples) < FEWEST
    without = without_stretches(
        prepared.terms,
        evaluation.examples,
        stretches=examination.stretches if few else 0,
        sample_rate=trained.sample_rate,
        device=trained.device,
    )
    sets = measure_sets(embeddings, prepared.materials, evaluation)
    scores = attrs.evolve(
        scores,
        stretches=stretches_intervals(scores.means, without),
        sets={name: distance.to_dict() for name, distance in sets.items()},
    )
    return Scored(candidate=candidate, scores=scores, evaluation=evaluation, without=without, sets=sets)


def score(
    name: str,
    evaluation: Evaluation,
    terms: Sequence[Term],
    material: Material,
    training: Material,
    device: str,
) -> Scores:
    """Make the scores of an evaluated split: limits over recordings, and baselines fitted on `training`."""
    return Scores(
        run=name,
        split=evaluation.split,
        metrics=intervals(evaluation, terms),
        recordings={example.name: example.metrics for example in evaluation.examples},
        baselines=baselines(terms, material, training.recordings, device=device),
        higher=frozenset(term.name for term in terms if term.higher_is_better),
        digests={recording.name: content(recording)[0] for recording in material.recordings},
    )


def intervals(evaluation: Evaluation, terms: Sequence[Term]) -> dict[str, Interval]:
    """Return metric -> its mean with limits over recordings."""
    figures = [totalled(example, terms) for example in evaluation.examples]
    return {
        name: attrs.evolve(mean_interval([one[name] for one in figures]), value=value)
        for name, value in evaluation.metrics.items()
    }


def totalled(example: Example, terms: Sequence[Term]) -> dict[str, float]:
    """Return a recording's figures with their weighted total as "loss"."""
    weighted = [example.metrics[term.name] * term.weight for term in terms if term.weight is not None]
    return {**example.metrics, TOTAL: sum(weighted)}


def stretches_intervals(means: Mapping[str, float], without: Mapping[str, Without]) -> dict[str, Interval]:
    """Return metric -> its mean with limits over stretches of time; empty without any."""
    names = [name for name in means if without and all(name in one for one in without.values())]
    return {name: stretches_interval(means[name], [one[name] for one in without.values()]) for name in names}
