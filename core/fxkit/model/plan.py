"""Plan a model before anything is built: channels, latency, parameters and who drives them."""

from __future__ import annotations

import zlib
from collections.abc import Mapping

import attrs

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit.experiment.declarations import wrong_rates
from fxkit.experiment.model import Experiment, Part
from fxkit.model.chain import Leaf, Parallel, Series, parse_chain
from fxkit.parameter import Parameter
from fxkit.traits import ControlTraits, Traits


@attrs.frozen(kw_only=True)
class NodePlan:
    """Hold what one node will be: its part, surroundings, declarations and its controller's name."""

    name: str
    part: Part
    ctx: BuildContext
    parameters: tuple[Parameter, ...]
    traits: Traits
    controller: str | None


@attrs.frozen(kw_only=True)
class ControllerPlan:
    """Hold what one controller will be; its parameters are named "node.parameter", in chain order."""

    name: str
    part: Part
    ctx: BuildContext
    traits: ControlTraits


@attrs.frozen(kw_only=True)
class Plan:
    """Hold the whole plan; `delays` is how late each parallel branch must be made, by branch label."""

    tree: Series
    nodes: Mapping[str, NodePlan]
    controllers: Mapping[str, ControllerPlan]
    latency: int
    channels_out: int
    delays: Mapping[str, int]

    @property
    def receptive_field(self) -> int | None:
        """Return the samples that one output sample depends on; None when unbounded."""
        fields = [node.traits.receptive_field for node in self.nodes.values()]
        return None if None in fields else 1 + sum((field or 1) - 1 for field in fields)


@attrs.frozen
class _Signal:
    """Follow channels and latency through the chain; `started` is False before any source or input."""

    channels: int
    latency: int


class _Planner:
    """Walk the chain once, planning each node from what enters it."""

    def __init__(self, experiment: Experiment, ctx: BuildContext) -> None:
        self.experiment = experiment
        self.ctx = ctx
        self.nodes: dict[str, NodePlan] = {}
        self.delays: dict[str, int] = {}

    def leaf(self, leaf: Leaf, signal: _Signal) -> _Signal:
        path = f"nodes.{leaf.name}"
        if leaf.name not in self.experiment.nodes:
            raise AssemblyError("model.chain", f'no node "{leaf.name}"')
        part = self.experiment.nodes[leaf.name]
        traits = part.spec.traits(attrs.evolve(self.ctx, channels=signal.channels))
        if traits.source and signal.channels:
            raise AssemblyError(path, "makes sound by itself and would drop what enters it; give it a branch")
        if not traits.source and not signal.channels:
            raise AssemblyError(path, f"{part.plugin} needs audio, and none enters it here")
        ctx = attrs.evolve(self.ctx, channels=signal.channels, seed=_seed_of(leaf.name, self.ctx.seed))
        parameters = tuple(part.spec.parameters(ctx))
        controller = _controller_name(leaf.name, part)
        if parameters and controller is None:
            raise AssemblyError(path, f"{part.plugin} has parameters; give it a controller")
        self._check_inputs(path, part, traits)
        self.nodes[leaf.name] = NodePlan(
            name=leaf.name, part=part, ctx=ctx, parameters=parameters, traits=traits, controller=controller
        )
        through = self.ctx.target_channels if traits.source else signal.channels
        return _Signal(traits.channels_out or through, signal.latency + traits.latency)

    def _check_inputs(self, path: str, part: Part, traits: Traits) -> None:
        for name in traits.inputs:
            if name not in part.keys.inputs:
                raise AssemblyError(path, f'needs inputs.{name}: "input" or the name of an earlier node')
        for name, origin in part.keys.inputs.items():
            if name not in traits.inputs:
                raise AssemblyError(f"{path}.inputs.{name}", f"{part.plugin} has no such input")
            if origin != "input" and origin not in self.nodes:
                raise AssemblyError(f"{path}.inputs.{name}", f'"{origin}" does not come before this node')

    def parallel(self, group: Parallel, signal: _Signal) -> _Signal:
        ends = []
        for branch in group.branches:
            first = next(branch.names())
            entering = _Signal(0, signal.latency) if self._is_source(first) else signal
            ends.append(branch.accept(self, entering))
        channels = {end.channels for end in ends}
        if len(channels) > 1:
            counts = ", ".join(
                f"{label}: {end.channels}" for label, end in zip(group.labels(), ends, strict=True)
            )
            raise AssemblyError("model.chain", f"parallel branches end with different channels ({counts})")
        latest = max(end.latency for end in ends)
        for label, end in zip(group.labels(), ends, strict=True):
            self.delays[label] = latest - end.latency
        return _Signal(ends[0].channels, latest)

    def _is_source(self, name: str) -> bool:
        part = self.experiment.nodes.get(name)
        return part is not None and bool(part.spec.traits(self.ctx).source)


def _seed_of(name: str, seed: int) -> int:
    # Two noise sources of one run must not play the same noise.
    return zlib.crc32(f"{seed}:{name}".encode()) & 0x7FFFFFFF


def _controller_name(node: str, part: Part) -> str | None:
    controller = part.keys.controller
    if controller is None:
        return None
    return controller if isinstance(controller, str) else f"{node}.controller"


def plan_model(experiment: Experiment, ctx: BuildContext) -> Plan:
    """Plan the model of `experiment` for recordings described by `ctx`; without torch.

    `ctx.channels` is the channels of the dry input (0 for none). Raises `AssemblyError` naming the
    table at fault.
    """
    planner = _Planner(experiment, ctx)
    tree = parse_chain(experiment.model.chain)
    end = tree.accept(planner, _Signal(ctx.channels, 0))
    if end.channels != ctx.target_channels:
        raise AssemblyError(
            "model.chain", f"ends with {end.channels} channel(s), the recordings have {ctx.target_channels}"
        )
    return Plan(
        tree=tree,
        nodes=planner.nodes,
        controllers=_plan_controllers(experiment, ctx, planner.nodes),
        latency=end.latency,
        channels_out=end.channels,
        delays=planner.delays,
    )


def _plan_controllers(
    experiment: Experiment, ctx: BuildContext, nodes: Mapping[str, NodePlan]
) -> dict[str, ControllerPlan]:
    plans: dict[str, ControllerPlan] = {}
    for node in nodes.values():
        if node.controller and node.controller not in plans:
            driven = [other for other in nodes.values() if other.controller == node.controller]
            plans[node.controller] = _plan_controller(experiment, ctx, node.controller, driven)
    return plans


def _plan_controller(
    experiment: Experiment, ctx: BuildContext, name: str, driven: list[NodePlan]
) -> ControllerPlan:
    shared = experiment.controllers.get(name)
    part = shared if shared is not None else driven[0].part.keys.controller
    parameters = tuple(
        attrs.evolve(parameter, name=f"{node.name}.{parameter.name}")
        for node in driven
        for parameter in node.parameters
    )
    full = attrs.evolve(ctx, channels=driven[0].ctx.channels, parameters=parameters)
    traits = part.spec.traits(full)
    for use, there in (("knobs", ctx.knobs), ("features", ctx.features)):
        if use in traits.uses and not there:
            raise AssemblyError(part.path, f"{part.plugin} uses {use}, and this experiment has none")
    for wrong in wrong_rates(traits, parameters, ctx.hop):
        raise AssemblyError(part.path, f"{part.plugin} {wrong}")
    return ControllerPlan(name=name, part=part, ctx=full, traits=traits)
