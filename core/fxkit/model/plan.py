"""Plan a model before anything is built: channels, latency, parameters and who drives them."""

from __future__ import annotations

import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from functools import cached_property

import attrs

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit.experiment.binding import Bound, bind_all, controller_name, key_problems, roots, tie_problem
from fxkit.experiment.declarations import wrong_rates
from fxkit.experiment.model import Blueprint, Part
from fxkit.model.chain import Leaf, Parallel, Series, parse_chain
from fxkit.parameter import Parameter
from fxkit.traits import ControlTraits, Traits


@attrs.frozen(kw_only=True)
class NodePlan:
    """Hold what one node will be: its part, surroundings, declarations and its controller's name.

    `bounds` holds each parameter in the range that is left to it, and what sets it.
    """

    name: str
    part: Part
    ctx: BuildContext
    bounds: tuple[Bound, ...]
    traits: Traits
    controller: str | None

    @cached_property
    def parameters(self) -> tuple[Parameter, ...]:
        """Return all parameters, whatever sets them."""
        return tuple(bound.parameter for bound in self.bounds)

    @cached_property
    def tracks(self) -> tuple[tuple[str, str], ...]:
        """Return each parameter's name and "node.parameter"."""
        return tuple((parameter.name, f"{self.name}.{parameter.name}") for parameter in self.parameters)

    @cached_property
    def controllers(self) -> tuple[str, ...]:
        """Return the names of the controllers that set its parameters, the first parameter's first."""
        return tuple(dict.fromkeys(bound.controller for bound in self.bounds if bound.controller))

    def driven_by(self, controller: str) -> tuple[Parameter, ...]:
        """Return the parameters that a controller sets, named "node.parameter"."""
        return tuple(_full(self.name, one.parameter) for one in self.bounds if one.controller == controller)

    @cached_property
    def fixed(self) -> tuple[Parameter, ...]:
        """Return the parameters that keep their default, named "node.parameter"."""
        return tuple(_full(self.name, bound.parameter) for bound in self.bounds if bound.fixed)


def _full(node: str, parameter: Parameter) -> Parameter:
    return attrs.evolve(parameter, name=f"{node}.{parameter.name}")


@attrs.frozen(kw_only=True)
class ControllerPlan:
    """Hold what one controller will be; its parameters are named "node.parameter", in chain order.

    `followers` are the parameters that are tied to one of these, each with the name of that one.
    """

    name: str
    part: Part
    ctx: BuildContext
    traits: ControlTraits
    followers: tuple[tuple[Parameter, str], ...] = ()


@attrs.frozen(kw_only=True)
class Plan:
    """Hold the whole plan.

    `delays` is how late each parallel branch must be made, by branch label. `late` is how many samples
    the audio behind each node lags the input, `stems_late` the same of each branch once it is lined up.
    """

    tree: Series
    nodes: Mapping[str, NodePlan]
    controllers: Mapping[str, ControllerPlan]
    latency: int
    channels_out: int
    delays: Mapping[str, int]
    late: Mapping[str, int]
    stems_late: Mapping[str, int]

    @property
    def still(self) -> frozenset[str]:
        """Return the "node.parameter" that move, if at all, with the knobs alone."""
        fixed = {parameter.name for node in self.nodes.values() for parameter in node.fixed}
        return frozenset(fixed | self._constant(by_knobs=False) | self._constant(by_knobs=True))

    @property
    def turned(self) -> frozenset[str]:
        """Return the "node.parameter" that stand still while the knobs do."""
        return frozenset(self._constant(by_knobs=True))

    def _constant(self, *, by_knobs: bool) -> set[str]:
        return {
            parameter.name
            for controller in self.controllers.values()
            if controller.traits.rate == "constant" and ("knobs" in controller.traits.uses) == by_knobs
            for parameter in (*controller.ctx.parameters, *(tied for tied, _ in controller.followers))
        }

    @property
    def receptive_field(self) -> int | None:
        """Return the samples that one output sample depends on, at most; None when unbounded."""
        fields = [node.traits.receptive_field for node in self.nodes.values()]
        heard = [control.traits for control in self.controllers.values() if "audio" in control.traits.uses]
        if None in fields or any(traits.receptive_field is None for traits in heard):
            return None
        through = sum((field or 1) - 1 for field in fields)
        return 1 + through + sum((traits.receptive_field or 1) + traits.delay - 1 for traits in heard)


@attrs.frozen
class _Signal:
    """Follow channels and latency through the chain; `started` is False before any source or input."""

    channels: int
    latency: int


class _Planner:
    """Walk the chain once, planning each node from what enters it."""

    def __init__(self, experiment: Blueprint, ctx: BuildContext) -> None:
        self.experiment = experiment
        self.ctx = ctx
        self.nodes: dict[str, NodePlan] = {}
        self.delays: dict[str, int] = {}
        self.late: dict[str, int] = {}
        self.stems_late: dict[str, int] = {}

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
        if traits.channels_in is not None and signal.channels not in traits.channels_in:
            taken = " or ".join(map(str, traits.channels_in))
            raise AssemblyError(path, f"{part.plugin} takes {taken} channel(s), {signal.channels} enter it")
        ctx = attrs.evolve(self.ctx, channels=signal.channels, seed=_seed_of(leaf.name, self.ctx.seed))
        controller = controller_name(leaf.name, part)
        bounds = _bounds(path, part, tuple(part.spec.parameters(ctx)), controller or "")
        if any(bound.driven and not bound.controller for bound in bounds):
            raise AssemblyError(path, f"{part.plugin} has parameters; give it a controller")
        self._check_inputs(path, part, traits)
        self.nodes[leaf.name] = NodePlan(
            name=leaf.name, part=part, ctx=ctx, bounds=bounds, traits=traits, controller=controller
        )
        through = self.ctx.target_channels if traits.source else signal.channels
        self.late[leaf.name] = signal.latency + traits.latency
        return _Signal(traits.channels_out or through, self.late[leaf.name])

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
            self.stems_late[label] = latest
        return _Signal(ends[0].channels, latest)

    def _is_source(self, name: str) -> bool:
        part = self.experiment.nodes.get(name)
        return part is not None and bool(part.spec.traits(self.ctx).source)


def _bounds(path: str, part: Part, parameters: tuple[Parameter, ...], controller: str) -> tuple[Bound, ...]:
    tables = part.keys.parameters
    for name in tables.keys() - {parameter.name for parameter in parameters}:
        raise AssemblyError(f"{path}.parameters.{name}", f"{part.plugin} has no such parameter")
    for parameter in parameters:
        table = tables.get(parameter.name)
        for (key, _), message in key_problems(parameter, table) if table else ():
            raise AssemblyError(f"{path}.parameters.{parameter.name}.{key}", message)
    return bind_all(parameters, tables, controller)


def _seed_of(name: str, seed: int) -> int:
    # Two noise sources of one run must not play the same noise.
    return zlib.crc32(f"{seed}:{name}".encode()) & 0x7FFFFFFF


def plan_model(experiment: Blueprint, ctx: BuildContext) -> Plan:
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
    nodes = _tied(planner.nodes)
    return Plan(
        tree=tree,
        nodes=nodes,
        controllers=_plan_controllers(experiment, ctx, nodes),
        latency=end.latency,
        channels_out=end.channels,
        delays=planner.delays,
        late=planner.late,
        stems_late=planner.stems_late,
    )


def _tied(nodes: Mapping[str, NodePlan]) -> dict[str, NodePlan]:
    """Resolve the ties: each leads to a driven parameter, or becomes the fixed value at its end."""
    bounds = {
        f"{node.name}.{bound.parameter.name}": bound for node in nodes.values() for bound in node.bounds
    }
    ends = roots(bounds)
    for name, end in ends.items():
        node, _, parameter = name.partition(".")
        path = f"nodes.{node}.parameters.{parameter}.tie"
        order = list(nodes)
        if end not in bounds or order.index(end.partition(".")[0]) > order.index(node):
            raise AssemblyError(path, f'"{bounds[name].tie}" is no parameter of this or an earlier node')
        wrong = tie_problem(bounds[name], bounds[end], end)
        if wrong:
            raise AssemblyError(path, wrong)
    return {name: attrs.evolve(node, bounds=_resolved(node, bounds, ends)) for name, node in nodes.items()}


def _resolved(node: NodePlan, bounds: Mapping[str, Bound], ends: Mapping[str, str]) -> tuple[Bound, ...]:
    resolved = []
    for bound in node.bounds:
        end = ends.get(f"{node.name}.{bound.parameter.name}")
        if end is None:
            resolved.append(bound)
        elif bounds[end].fixed:
            values = bounds[end].fixed
            resolved.append(Bound(parameter=attrs.evolve(bound.parameter, default=values), fixed=values))
        else:
            resolved.append(attrs.evolve(bound, tie=end))
    return tuple(resolved)


def _plan_controllers(
    experiment: Blueprint, ctx: BuildContext, nodes: Mapping[str, NodePlan]
) -> dict[str, ControllerPlan]:
    names = dict.fromkeys(name for node in nodes.values() for name in node.controllers)
    plans: dict[str, ControllerPlan] = {}
    for name in names:
        driven = [node for node in nodes.values() if name in node.controllers]
        leaders = {parameter.name for node in driven for parameter in node.driven_by(name)}
        plans[name] = _plan_controller(experiment, ctx, name, driven, _followers(nodes.values(), leaders))
    return plans


def _followers(nodes: Iterable[NodePlan], leaders: Collection[str]) -> tuple[tuple[Parameter, str], ...]:
    return tuple(
        (_full(node.name, bound.parameter), bound.tie)
        for node in nodes
        for bound in node.bounds
        if bound.tie in leaders
    )


def _plan_controller(
    experiment: Blueprint,
    ctx: BuildContext,
    name: str,
    driven: Sequence[NodePlan],
    followers: tuple[tuple[Parameter, str], ...],
) -> ControllerPlan:
    own = driven[0].part.keys.controller if name == f"{driven[0].name}.controller" else None
    part = own or experiment.controllers.get(name)
    if part is None:
        raise AssemblyError(f"nodes.{driven[0].name}", f'no controller "{name}"')
    parameters = tuple(parameter for node in driven for parameter in node.driven_by(name))
    full = attrs.evolve(ctx, channels=driven[0].ctx.channels, parameters=parameters)
    traits = part.spec.traits(full)
    for use, there in (("knobs", ctx.knobs), ("features", ctx.features), ("audio", full.channels)):
        if use in traits.uses and not there:
            raise AssemblyError(part.path, f"{part.plugin} uses {use}, and this experiment has none")
    for wrong in wrong_rates(traits, (*parameters, *(tied for tied, _ in followers)), ctx.hop):
        raise AssemblyError(part.path, f"{part.plugin} {wrong}")
    return ControllerPlan(name=name, part=part, ctx=full, traits=traits, followers=followers)
