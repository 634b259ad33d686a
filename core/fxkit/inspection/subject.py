"""Find what is to be inspected: an experiment that is built as it starts, or a run as it was trained."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path

import attrs
import torch

from fxkit.engine.setup import resolve_device
from fxkit.experiment.model import Blueprint
from fxkit.experiment.reader import read_experiment
from fxkit.inspection.card import ControllerCard, ModelCard, NodeCard, parameter_card
from fxkit.inspection.cost import count_macs, count_weights
from fxkit.model.assembly import build_model, model_context
from fxkit.model.chain import parse_chain
from fxkit.model.graph import Model
from fxkit.model.plan import ControllerPlan, NodePlan
from fxkit.trained import load
from fxkit.values import ControlInputs

PLACEHOLDER_KNOB = "knob"


@attrs.frozen(kw_only=True, eq=False)
class Subject:
    """Hold a model and where it comes from."""

    source: str
    stands: str
    experiment: Blueprint
    model: Model


def open_subject(
    source: str,
    *,
    overrides: Sequence[str] = (),
    channels: int = 1,
    device: str = "cpu",
    allow_local: bool = False,
) -> Subject:
    """Load the run folder `source`, or build the experiment that it names for `channels` of audio.

    No data is read: the knobs of an experiment whose controllers use some are stood for by one.
    Raises `FxkitError`.
    """
    if Path(source).is_dir():
        trained = load(source, device=device, allow_local=allow_local)
        return Subject(source=source, stands="as trained", experiment=trained.experiment, model=trained.model)
    experiment = read_experiment(source, overrides=overrides, allow_local=allow_local)
    return Subject(
        source=source,
        stands="as it starts",
        experiment=experiment,
        model=build_untrained(experiment, channels=channels, device=device),
    )


def build_untrained(experiment: Blueprint, *, channels: int, device: str = "cpu") -> Model:
    """Build the model of an experiment without its data, from the experiment's seed."""
    probe = model_context(experiment, channels=channels, target_channels=channels, knobs=(PLACEHOLDER_KNOB,))
    first = list(parse_chain(experiment.model.chain).members[0].names())
    plays = all(experiment.nodes[name].spec.traits(probe).source for name in first)
    ctx = attrs.evolve(probe, channels=0 if plays else channels, device=resolve_device(device))
    with torch.random.fork_rng():
        torch.manual_seed(experiment.run.seed)
        return build_model(experiment, ctx).to(ctx.device).eval()


def describe_subject(subject: Subject) -> ModelCard:
    """Gather everything about a model; parameters stand at what their controllers emit on silence."""
    plan, experiment = subject.model.plan, subject.experiment
    values = _standing(subject.model)
    nodes = {name: _node(subject.model, node, values) for name, node in plan.nodes.items()}
    controllers = {name: _controller(subject.model, one) for name, one in plan.controllers.items()}
    macs = [node.macs for node in nodes.values()]
    first = next(iter(plan.nodes.values())).ctx
    return ModelCard(
        name=experiment.run.name,
        source=subject.source,
        stands=subject.stands,
        sample_rate=first.sample_rate,
        hop=first.hop,
        channels=first.channels,
        target_channels=first.target_channels,
        latency=plan.latency,
        receptive_field=plan.receptive_field,
        weights=count_weights(subject.model)[0],
        macs=None if None in macs else sum(one for one in macs if one is not None),
        tree=plan.tree,
        nodes=nodes,
        controllers=controllers,
    )


def _node(model: Model, plan: NodePlan, values: Mapping[str, tuple[float, ...]]) -> NodeCard:
    module = model.node(plan.name)
    weights, trained = count_weights(module)
    return NodeCard(
        name=plan.name,
        plugin=plan.part.plugin,
        version=plan.part.version,
        channels=plan.ctx.channels,
        latency=plan.traits.latency,
        causal=plan.traits.causal,
        receptive_field=plan.traits.receptive_field,
        weights=weights,
        trained=trained and not plan.part.keys.freeze,
        macs=count_macs(plan, module),
        inputs=dict(plan.part.keys.inputs),
        controller=plan.controller,
        parameters=tuple(
            parameter_card(bound, values.get(f"{plan.name}.{bound.parameter.name}")) for bound in plan.bounds
        ),
    )


def _controller(model: Model, plan: ControllerPlan) -> ControllerCard:
    weights, trained = count_weights(model.controller(plan.name))
    return ControllerCard(
        name=plan.name,
        plugin=plan.part.plugin,
        version=plan.part.version,
        rate=plan.traits.rate,
        uses=tuple(plan.traits.uses),
        delay=plan.traits.delay,
        weights=weights,
        trained=trained and not plan.part.keys.freeze,
        drives=tuple(dict.fromkeys(one.name.partition(".")[0] for one in plan.ctx.parameters)),
    )


def _standing(model: Model) -> dict[str, tuple[float, ...]]:
    """Return "node.parameter" -> physical values of what is fixed, and of what constant controllers emit."""
    found = {
        parameter.name: parameter.defaults for node in model.plan.nodes.values() for parameter in node.fixed
    }
    for name, plan in model.plan.controllers.items():
        if plan.traits.rate != "constant" or "knobs" in plan.traits.uses:
            continue
        device = next((weight.device for weight in model.parameters()), None)
        audio = torch.zeros(1, plan.ctx.channels, 1, device=device)
        with torch.no_grad():
            tracks, _, _ = model.drive(name)(ControlInputs(audio=audio, frames=2))
        found.update({track: tuple(values[0, :, 0].tolist()) for track, values in tracks.items()})
    return found
