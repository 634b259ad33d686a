"""Check what the plugins of an experiment declare against each other, without building anything."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import TypeVar

import attrs

from fxkit.context import BuildContext
from fxkit.experiment.binding import Bound, bind_all, controller_name, roots
from fxkit.experiment.crosscheck import chain_members
from fxkit.experiment.draft import Draft
from fxkit.experiment.fault import Fault
from fxkit.experiment.model import Part
from fxkit.experiment.parameter_checks import check_keys, check_ties
from fxkit.experiment.report import Report
from fxkit.experiment.tables import RunTable
from fxkit.experiment.tree import Tree
from fxkit.experiment.wording import some, suggestion
from fxkit.parameter import Parameter
from fxkit.traits import ControlTraits, Traits

Kind = TypeVar("Kind")


@attrs.frozen(kw_only=True)
class Declared:
    """Hold what all nodes and all controllers of a model declare, by name."""

    nodes: Mapping[str, Traits]
    controllers: Mapping[str, ControlTraits]


@attrs.frozen
class _Node:
    """Hold what a node declares, and its controller: a part, a name, or None."""

    name: str
    tree: Tree
    part: Part
    bounds: tuple[Bound, ...]
    traits: Traits

    @property
    def alone(self) -> list[str]:
        """Return the names of the parameters that nothing sets."""
        return [one.parameter.name for one in self.bounds if one.driven and not one.controller]

    def driven_by(self, controller: str) -> list[Parameter]:
        """Return the parameters that a controller sets, named "node.parameter"."""
        driven = [bound.parameter for bound in self.bounds if bound.controller == controller]
        return [attrs.evolve(parameter, name=f"{self.name}.{parameter.name}") for parameter in driven]


@attrs.frozen
class _Controller:
    """Hold a controller's table, what it became, and the nodes of which it sets parameters."""

    tree: Tree
    part: Part
    nodes: Sequence[_Node]
    name: str

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Return what it sets, in the order of the chain."""
        return tuple(one for node in self.nodes for one in node.driven_by(self.name))


def check_declarations(found: Draft, report: Report) -> None:
    """Report nodes and controllers that do not fit, by their declared parameters and traits.

    Nothing is said about nodes whose own table is wrong. What depends on the material (channels,
    knobs) is checked when the run starts.
    """
    run = found.tables["run"]
    if isinstance(run, RunTable):
        _Declarations(found, report, _context(found, run, report)).check()


def uncontrolled(found: Draft) -> tuple[str, ...]:
    """Return the nodes that leave parameters to a controller and name none."""
    run, report = found.tables["run"], Report()
    if not isinstance(run, RunTable):
        return ()
    nodes = _Declarations(found, report, _context(found, run, report)).nodes()
    return tuple(node.name for node in nodes if node.alone)


def auxiliary_terms(found: Draft) -> tuple[str, ...] | None:
    """Return "node.term" of every auxiliary term that nodes and controllers of the model have.

    None where a node or a controller is broken, so that not all of them are known.
    """
    model = declared_model(found)
    if model is None:
        return None
    terms = [(name, traits.terms) for name, traits in model.nodes.items()]
    terms += [(name, traits.terms) for name, traits in model.controllers.items()]
    return tuple(f"{name}.{term}" for name, own in terms for term in own)


def declared_model(found: Draft) -> Declared | None:
    """Return what the nodes and controllers of the chain declare; None where one of them is broken."""
    run, report = found.tables["run"], Report()
    broken = any(len(found.parts[place]) != len(found.named(place)) for place in ("nodes", "controllers"))
    if broken or not isinstance(run, RunTable):
        return None
    declarations = _Declarations(found, report, _context(found, run, report))
    nodes = declarations.nodes()
    controllers = {one.name: declarations.traits_of(one) for one in declarations.controllers(nodes)}
    if report.problems:
        return None
    return Declared(
        nodes={node.name: node.traits for node in nodes},
        controllers={name: traits for name, traits in controllers.items() if traits is not None},
    )


def _context(found: Draft, run: RunTable, report: Report) -> BuildContext:
    ctx = BuildContext(sample_rate=run.sample_rate, hop=run.hop, seed=run.seed)
    dims = {}
    for name, part in found.parts["features"].items():
        fault = _fault(report, found.named("features")[name], part)
        declared = fault.guarded(lambda part=part: _typed(part.spec.dims(ctx), int))  # type: ignore[misc]
        dims[name] = declared or 1
    return attrs.evolve(ctx, features=dims)


@attrs.frozen
class _Declarations:
    found: Draft
    report: Report
    ctx: BuildContext

    def check(self) -> None:
        known = self.nodes()
        for node in known:
            self.check_controlled(node)
            self.check_inputs(node)
        self.check_order(known)
        check_ties(self.found, self.report, {node.name: node.bounds for node in known})
        tied = self.tied(known)
        for controller in self.controllers(known):
            self.check_controller(controller, tied)

    def nodes(self) -> list[_Node]:
        """Return the nodes that declare what they should, in the order of the file."""
        tables = self.found.named("nodes")
        nodes = [self.node(name, tables[name], part) for name, part in self.found.parts["nodes"].items()]
        return [node for node in nodes if node]

    def node(self, name: str, tree: Tree, part: Part) -> _Node | None:
        fault = _fault(self.report, tree, part)
        parameters = fault.guarded(lambda: _all_typed(part.spec.parameters(self.ctx), Parameter))
        traits = fault.guarded(lambda: _typed(part.spec.traits(self.ctx), Traits))
        if parameters is None or traits is None:
            return None
        tables = check_keys(tree, part, parameters, self.report)
        bounds = bind_all(parameters, tables, controller_name(name, part) or "")
        return _Node(name, tree, part, bounds, traits)

    def check_controlled(self, node: _Node) -> None:
        controller = node.tree.get("controller")
        if node.alone:
            message = f'"{node.part.name}" needs a controller for its parameters ({some(node.alone)})'
            self.report.at_table(node.tree, f'{message}; controller = {{ type = "static" }} learns constants')
        if controller is not None and not node.driven_by(controller_name(node.name, node.part) or ""):
            left = "left to control, as their own tables set all of them"
            why = left if node.bounds else "to control as it is set here"
            self.report.at_key(controller, f'"{node.part.name}" has no parameters {why}; remove this')

    def check_inputs(self, node: _Node) -> None:
        inputs = node.tree.get("inputs")
        given = dict(inputs.items()) if inputs else {}
        for name, entry in given.items():
            if name not in node.traits.inputs:
                names = ", ".join(node.traits.inputs) or "none"
                hint = suggestion(name, node.traits.inputs) or f"; its inputs: {names}"
                self.report.at_key(entry, f'"{node.part.name}" has no input "{name}"{hint}')
        unmatched = given.keys() - set(node.traits.inputs)
        for name in node.traits.inputs:
            if name not in given and not unmatched:
                message = f'input "{name}" is not connected; write inputs = {{ {name} = "input" }}'
                self.report.at_table(node.tree, f"{message}, or the name of an earlier node")

    def check_order(self, nodes: Sequence[_Node]) -> None:
        """Report a source that stands in a series behind something, which it would silence."""
        sources = {node.name for node in nodes if node.traits.source}
        for member, before in _predecessors(self.found.tree.at(("model", "chain"))):
            if str(member.value) in sources:
                message = f'"{member.value}" makes its own sound and would silence {before} before it'
                self.report.at_value(member, f"{message}; put both in a list inside the chain")

    def controllers(self, nodes: Sequence[_Node]) -> list[_Controller]:
        """Return every controller that drives something, with what it drives in the order of the chain."""
        order = [str(member.value) for member in chain_members(self.found)]
        ordered = sorted(
            (node for node in nodes if node.name in order), key=lambda node: order.index(node.name)
        )
        inline = [
            (f"{node.name}.controller", node.tree.value["controller"], node.part.keys.controller)
            for node in ordered
            if isinstance(node.part.keys.controller, Part)
        ]
        tables = self.found.named("controllers")
        shared = [(name, tables[name], part) for name, part in self.found.parts["controllers"].items()]
        all_of_them = [
            _Controller(tree, part, [node for node in ordered if node.driven_by(name)], name)
            for name, tree, part in (*inline, *shared)
        ]
        return [controller for controller in all_of_them if controller.nodes]

    def tied(self, nodes: Sequence[_Node]) -> dict[str, list[Parameter]]:
        """Return, by the name of the parameter that is driven, those that are tied to it."""
        bounds = {f"{node.name}.{bound.parameter.name}": bound for node in nodes for bound in node.bounds}
        tied: dict[str, list[Parameter]] = {}
        for name, root in roots(bounds).items():
            tied.setdefault(root, []).append(attrs.evolve(bounds[name].parameter, name=name))
        return tied

    def traits_of(self, controller: _Controller) -> ControlTraits | None:
        ctx = attrs.evolve(self.ctx, parameters=controller.parameters)
        fault = _fault(self.report, controller.tree, controller.part)
        return fault.guarded(lambda: _typed(controller.part.spec.traits(ctx), ControlTraits))

    def check_controller(self, controller: _Controller, tied: Mapping[str, list[Parameter]]) -> None:
        tree, part, first = controller.tree, controller.part, controller.nodes[0]
        parameters = controller.parameters
        traits = self.traits_of(controller)
        if traits is None:
            return
        if "features" in traits.uses and not self.found.named("features"):
            message = f'"{part.name}" reads features, and there are none; write a table [features.NAME]'
            self.report.at_table(tree, message)
        if "audio" in traits.uses and first.traits.source:
            message = f'"{part.name}" listens, and no audio enters "{first.name}", which makes its own'
            self.report.at_table(tree, message)
        followers = [one for parameter in parameters for one in tied.get(parameter.name, ())]
        for wrong in wrong_rates(traits, [*parameters, *followers], self.ctx.hop):
            self.report.at_value(tree.get("type") or tree, f'"{part.name}" {wrong}')


def wrong_rates(traits: ControlTraits, parameters: Sequence[Parameter], hop: int) -> Iterator[str]:
    """Say what is wrong when a controller of these traits drives these parameters."""
    if traits.rate == "constant":
        return
    constant = [parameter.name for parameter in parameters if parameter.rate == "constant"]
    if constant:
        yield f"moves over time, and {some(constant)} must stay constant"
    framed = [parameter.name for parameter in parameters if parameter.rate in ("frame", "control")]
    if framed and (traits.rate != "frame" or traits.hop != hop):
        yield f"does not give frames of run.hop = {hop} samples, as {some(framed)} must have"


def _predecessors(chain: Tree | None) -> list[tuple[Tree, str]]:
    """Return each name in a series that stands behind something, with what stands before it."""
    found: list[tuple[Tree, str]] = []
    _walk(chain, True, found)
    return found


def _walk(tree: Tree | None, series: bool, found: list[tuple[Tree, str]]) -> None:
    if tree is None or not isinstance(tree.value, tuple):
        return
    before = ""
    for member in tree.value:
        if isinstance(member.value, str):
            if series and before:
                found.append((member, before))
            before = f'"{member.value}"'
        else:
            _walk(member, not series, found)
            before = "the branches"


def _fault(report: Report, tree: Tree, part: Part) -> Fault:
    return Fault(report, tree, f'"{part.name}" from {part.plugin.rpartition("/")[0]} {part.version}'.rstrip())


def _typed(value: object, kind: type[Kind]) -> Kind:
    if not isinstance(value, kind):
        raise TypeError(f"expected {kind.__name__}, got {type(value).__name__}")
    return value


def _all_typed(values: Sequence[object], kind: type[Kind]) -> tuple[Kind, ...]:
    return tuple(_typed(value, kind) for value in values)
