"""Build a model from an experiment and the facts of its recordings."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import attrs
import torch

from fxkit.adapters import as_module
from fxkit.context import BuildContext
from fxkit.errors import AssemblyError, FxkitError
from fxkit.experiment.model import Blueprint, Part
from fxkit.model.graph import Model
from fxkit.model.plan import plan_model


def build_context(experiment: Blueprint, device: str = "cpu") -> BuildContext:
    """Make the context that datasets and features are built with."""
    return BuildContext(
        sample_rate=experiment.run.sample_rate,
        hop=experiment.run.hop,
        seed=experiment.run.seed,
        device=device,
    )


def model_context(
    experiment: Blueprint,
    *,
    channels: int,
    target_channels: int,
    knobs: tuple[str, ...],
    knob_ranges: Mapping[str, tuple[float, float]] | None = None,
    knob_settings: tuple[tuple[float, ...], ...] = (),
) -> BuildContext:
    """Make the context that the model is planned and built with."""
    ctx = build_context(experiment)
    features = {name: int(part.spec.dims(ctx)) for name, part in experiment.features.items()}
    return attrs.evolve(
        ctx,
        channels=channels,
        target_channels=target_channels,
        knobs=knobs,
        knob_ranges=knob_ranges or {},
        knob_settings=knob_settings,
        features=features,
    )


def build_part(part: Part, *args: Any) -> Any:
    """Build one plugin's object; whatever it raises names the table, the plugin and its version."""
    try:
        return part.spec.build(*args)
    except AssemblyError as error:
        raise error.at(part.path) from error
    except FxkitError:
        raise
    except Exception as error:
        raise AssemblyError(
            part.path, f"{part.plugin} {part.version} cannot be built: {type(error).__name__}: {error}"
        ) from error


def build_model(experiment: Blueprint, ctx: BuildContext) -> Model:
    """Plan and build the model; weights are drawn from torch's generator in chain order."""
    plan = plan_model(experiment, ctx)
    processors = {name: as_module(build_part(node.part, node.ctx)) for name, node in plan.nodes.items()}
    controllers = {name: as_module(build_part(one.part, one.ctx)) for name, one in plan.controllers.items()}
    return Model(plan, processors, controllers)


def parameter_groups(model: Model, lr: float) -> list[dict[str, Any]]:
    """Group the trainable weights by node and controller, each with its own learning rate.

    Frozen nodes stop requiring gradients. Raises `AssemblyError` when nothing is left to train.
    """
    groups: list[dict[str, Any]] = []
    for name, keys, module in _owners(model):
        module.requires_grad_(not keys.freeze)
        weights = [weight for weight in module.parameters() if weight.requires_grad]
        if weights:
            groups.append({"name": name, "params": weights, "lr": lr * keys.lr})
    if not groups:
        raise AssemblyError("nodes", "nothing can be trained: every node is frozen or has no weights")
    return groups


def _owners(model: Model) -> Iterator[tuple[str, Any, torch.nn.Module]]:
    # A node and a shared controller may have the same name.
    plans: list[Any] = [*model.plan.nodes.values(), *model.plan.controllers.values()]
    drives: list[Any] = list(model.drives.values())
    modules = [*model.nodes.values(), *(drive.controller for drive in drives)]
    for plan, module in zip(plans, modules, strict=True):
        yield plan.name, plan.part.keys, module
