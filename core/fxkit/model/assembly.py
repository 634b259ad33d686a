"""Build a model from an experiment and the facts of its recordings."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping
from typing import Any

import attrs
import torch

from fxkit.adapters import as_module
from fxkit.context import BuildContext
from fxkit.errors import AssemblyError, FxkitError
from fxkit.experiment.model import Blueprint, Part
from fxkit.model.graph import Model
from fxkit.model.plan import plan_model

_INLINE = ".controller"


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


def parameter_groups(model: Model, lr: float, chosen: Collection[str] | None = None) -> list[dict[str, Any]]:
    """Group the weights that learn by node and controller, each with its own learning rate.

    `chosen` names nodes, with their own controllers, and controllers; None for all. What is frozen or
    not chosen stops requiring gradients.
    """
    groups: list[dict[str, Any]] = []
    for name, keys, module in _owners(model):
        learns = not keys.freeze and (
            chosen is None or bool({name, name.removesuffix(_INLINE)} & set(chosen))
        )
        module.requires_grad_(learns)
        if learns:
            groups += weight_groups(name, module, lr * keys.lr, keys.weight_decay)
    return groups


def weight_groups(
    name: str, module: torch.nn.Module, lr: float, decay: float | None = None
) -> list[dict[str, Any]]:
    """Group the weights of one module by what its `weight_rules` say of them.

    `decay` is that of its matrices, None for the optimiser's. Raises `AssemblyError` for a rule that
    names no weight or sets what is none of "lr" and "weight_decay".
    """
    declared = getattr(module, "weight_rules", None)
    rules: Mapping[str, Mapping[str, float]] = declared() if callable(declared) else {}
    weights = dict(module.named_parameters())
    for wrong in sorted(rules.keys() - weights.keys()):
        raise AssemblyError(name, f'weight_rules: no weight "{wrong}"; it has {", ".join(weights)}')
    grouped: dict[tuple[float, float | None], list[torch.nn.Parameter]] = {}
    for full, weight in weights.items():
        rule = rules.get(full, {})
        for wrong in sorted(rule.keys() - {"lr", "weight_decay"}):
            raise AssemblyError(name, f'weight_rules: "{wrong}" of {full} is neither lr nor weight_decay')
        if weight.requires_grad:
            own = rule.get("weight_decay", decay if weight.ndim > 1 else None)
            grouped.setdefault((rule.get("lr", 1.0), own), []).append(weight)
    return [
        {"name": name, "params": members, "lr": lr * factor, **({} if own is None else {"weight_decay": own})}
        for (factor, own), members in grouped.items()
    ]


def _owners(model: Model) -> Iterator[tuple[str, Any, torch.nn.Module]]:
    # A node and a shared controller may have the same name.
    plans: list[Any] = [*model.plan.nodes.values(), *model.plan.controllers.values()]
    drives: list[Any] = list(model.drives.values())
    modules = [*model.nodes.values(), *(drive.controller for drive in drives)]
    for plan, module in zip(plans, modules, strict=True):
        yield plan.name, plan.part.keys, module
