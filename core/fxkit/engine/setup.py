"""Prepare what a run works with: device, recordings with features, model, losses, optimiser."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs
import torch

from fxkit.context import BuildContext
from fxkit.engine.distributed import ALONE, Crew, worker_device
from fxkit.engine.material import Material
from fxkit.engine.memory import free_memory
from fxkit.engine.objective import Term, build_terms, check_length
from fxkit.engine.preload import hold
from fxkit.engine.suitability import check_material
from fxkit.errors import Problem, RunError
from fxkit.experiment.model import Experiment
from fxkit.feature_cache import FeatureCache
from fxkit.model.assembly import build_context, build_model, build_part, model_context
from fxkit.model.graph import Model
from fxkit.protocols import Dataset, Transform
from fxkit.runs.shape import shape_of
from fxkit.values import Recording

SPLITS = ("train", "val", "test")


@attrs.frozen(kw_only=True, eq=False)
class Prepared:
    """Hold a built experiment, before any training.

    `where` says where its audio is; `crew` are the workers that train it together; `warnings` are of what in
    the experiment is probably not meant, given the recordings.
    """

    experiment: Experiment
    device: str
    ctx: BuildContext
    dataset: Dataset
    materials: Mapping[str, Material]
    features: FeatureCache
    model: Model
    terms: tuple[Term, ...]
    transforms: tuple[Transform, ...]
    where: str = ""
    crew: Crew = ALONE
    warnings: tuple[Problem, ...] = ()


def resolve_device(name: str, crew: Crew = ALONE) -> str:
    """Turn "auto" into the fastest device there is; check any other.

    Of several GPUs each worker gets its own. Raises `RunError` when the named device does not exist here.
    """
    if name == "auto":
        name = "cuda" if torch.cuda.is_available() else "cpu"
    name = worker_device(crew.launch, name)
    try:
        torch.empty(1, device=name)
    except (RuntimeError, AssertionError) as error:
        # Of a kind that does not exist torch says all that do.
        reason = str(error).splitlines()[0].partition("Expected one of")[0] or "torch knows none of that kind"
        raise RunError(f'device "{name}" cannot be used here ({reason}); use "cpu" or "auto"') from error
    return name


def prepare(experiment: Experiment, *, device: str, seed: int | None = None, crew: Crew = ALONE) -> Prepared:
    """Load the data, extract features, and build model and losses; seeds torch's generators.

    Raises `DataError`, `ExperimentError`, `AssemblyError` or `PluginError`.
    """
    torch.manual_seed(experiment.run.seed if seed is None else seed)
    ctx = build_context(experiment, device)
    dataset: Dataset = build_part(experiment.data, ctx)
    full = attrs.evolve(model_context(experiment, **shape_of(dataset).facts()), device=device)
    warnings = check_material(experiment, dataset, full)
    features = FeatureCache(experiment.features, ctx)
    held = hold(
        {split: tuple(dataset.recordings(split)) for split in SPLITS},
        mapped=getattr(dataset, "mapped", False),
        preload=experiment.data.keys.preload,
        free=free_memory() // crew.launch.local_size,
    )
    materials = {split: _material(recordings, features) for split, recordings in held.splits.items()}
    model = build_model(experiment, full).to(device)
    terms = build_terms(experiment.losses, experiment.metrics, full)
    _check_recordings(terms, materials)
    for term in terms:
        if isinstance(term.loss, torch.nn.Module):
            term.loss.to(device)
    return Prepared(
        experiment=experiment,
        device=device,
        ctx=full,
        dataset=dataset,
        materials=materials,
        features=features,
        model=model,
        terms=terms,
        transforms=tuple(build_part(part, full) for part in experiment.transforms.values()),
        where=held.where,
        crew=crew,
        warnings=warnings,
    )


def _check_recordings(terms: tuple[Term, ...], materials: Mapping[str, Material]) -> None:
    """Raise `AssemblyError` where a recording of val or test is too short for a loss or metric."""
    for split in SPLITS[1:]:
        for recording in materials[split].recordings:
            scored = recording.samples - recording.skip
            check_length(terms, scored, f'"{recording.name}" of {split}', "leave that recording out")


def _material(recordings: tuple[Recording, ...], features: FeatureCache) -> Material:
    return Material(recordings=recordings, features=tuple(features.series(r) for r in recordings))


def data_digests(prepared: Prepared) -> dict[str, dict[str, str]]:
    """Return split -> recording -> SHA-256 of its content."""
    return {
        split: {recording.name: recording.digest for recording in material.recordings}
        for split, material in prepared.materials.items()
    }


def trainable(term: Term) -> bool:
    """Tell whether a term is trained on."""
    return term.weight is not None


def count_weights(model: torch.nn.Module) -> int:
    """Count the trainable weights."""
    return sum(weight.numel() for weight in model.parameters() if weight.requires_grad)


def to_device(value: Any, device: str) -> Any:
    """Move a batch's tensors to the device; a no-op when they are there already."""
    if device == "cpu":
        return value
    moved = {
        field.name: _moved(getattr(value, field.name), device)
        for field in attrs.fields(type(value))
        if field.name in ("target", "input", "knobs", "features")
    }
    return attrs.evolve(value, **moved)


def _moved(value: Any, device: str) -> Any:
    if value is None:
        return None
    if isinstance(value, Mapping):
        return {name: tensor.to(device, non_blocking=True) for name, tensor in value.items()}
    return value.to(device, non_blocking=True)
