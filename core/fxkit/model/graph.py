"""The model: named nodes in series and in parallel, run by one forward with explicit state."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from typing import Any, cast

import torch
from torch.utils.checkpoint import checkpoint

from fxkit.model.chain import Leaf, Parallel
from fxkit.model.drive import Drive, Fixed, state_at
from fxkit.model.manner import PLAIN, Manner, with_half
from fxkit.model.plan import NodePlan, Plan
from fxkit.values import ControlInputs, Output, State
from fxkit_signal.delay import delay
from fxkit_signal.framing import frames_due
from fxkit_signal.memo import Memo

# Audio and the state, and where a processor has some its auxiliary terms.
Process = Callable[..., tuple[Any, ...]]


def _key(name: str) -> str:
    # A dot would separate modules in a state dict; a leading colon keeps a node called "half" or
    # "train" apart from the attributes of torch's own containers.
    return ":" + name.replace(".", ":")


class Model(torch.nn.Module):
    """Run a planned graph of processors and controllers.

    The state is {"position", "nodes", "drives", "delays"}; None means silence before the start. Any
    split of a signal into blocks gives the offline result.
    """

    def __init__(
        self,
        plan: Plan,
        processors: Mapping[str, torch.nn.Module],
        controllers: Mapping[str, torch.nn.Module],
    ) -> None:
        super().__init__()
        self.plan = plan
        self.nodes = torch.nn.ModuleDict({_key(name): module for name, module in processors.items()})
        self.drives = torch.nn.ModuleDict(
            {_key(name): Drive(plan.controllers[name], module) for name, module in controllers.items()}
        )
        self.fixed = torch.nn.ModuleDict(
            {_key(name): Fixed(node.fixed) for name, node in plan.nodes.items() if node.fixed}
        )

        drives = {name: self.drive(name) for name in plan.controllers}
        # The controllers that give every block of a stream the same.
        self.standing = tuple(name for name, drive in drives.items() if drive.stands)
        self.repeats = any(drives[name].repeats for name in self.standing)
        self.homes = tuple(home for name in self.standing for home in drives[name].homes)
        self.memo: Memo[_Standing] = Memo()

    @property
    def latency(self) -> int:
        """Return how many samples the output is late."""
        return self.plan.latency

    def forward(
        self,
        audio: torch.Tensor,
        *,
        knobs: torch.Tensor | None = None,
        features: Mapping[str, torch.Tensor] | None = None,
        state: State = None,
        starts: torch.Tensor | None = None,
        manner: Manner = PLAIN,
    ) -> Output:
        """Run one block.

        `audio` [batch, channels, samples], with zero channels for a model that only plays from
        features; `knobs` [batch, knobs], or [batch, knobs, frames due in this block] where they move, then
        in every block of a signal; `features` name -> [batch, dims, frames due in this block].
        `starts` int64 [batch], on the CPU, tells how long each item has been silent before the block
        when there is no `state`: oscillators and noise then stand where they would have been. `manner`
        is how to run it.
        """
        if state is None and starts is not None:
            state = self.state_at(starts)
        step = _Pass(self, audio, knobs, features or {}, state, manner)
        step.take_standing()
        result = self.plan.tree.accept(step, audio)
        return Output(
            audio=result,
            state=step.state_after(),
            parameters=step.parameters,
            stems=step.stems,
            nodes={name: step.outputs[name] for name in self.plan.nodes} if manner.nodes else {},
            terms=step.terms,
            latency=self.latency,
            stems_late=self.plan.stems_late,
        )

    def node(self, name: str) -> torch.nn.Module:
        """Return the processor of the node called `name`."""
        return self.nodes[_key(name)]

    def drive(self, name: str) -> Drive:
        """Return what runs the controller called `name` and maps its values."""
        return cast(Drive, self.drives[_key(name)])

    def controller(self, name: str) -> torch.nn.Module:
        """Return the controller called `name`."""
        return self.drive(name).controller

    def state_at(self, starts: torch.Tensor) -> dict[str, Any]:
        """Return the state after silence that lasted `starts` samples, int64 [batch] on the CPU."""
        return {
            "position": torch.zeros((), dtype=torch.int64),
            "nodes": {name: state_at(self.node(name), starts) for name in self.plan.nodes},
            "drives": {name: self.drive(name).state_at(starts) for name in self.plan.controllers},
            "delays": {},
        }


_Standing = tuple[dict[str, torch.Tensor], dict[str, torch.Tensor], dict[str, Any]]


def _version(weight: torch.Tensor | None) -> tuple[int, int]:
    """Return what changes whenever a weight does, in place or by being replaced."""
    return (0, 0) if weight is None else (weight.data_ptr(), weight._version)


def _is_new(state: State) -> bool:
    return state is None or state["controller"] is not None


class _Pass:
    """Carry one block through the graph: what is known so far and the state being formed."""

    def __init__(
        self,
        model: Model,
        audio: torch.Tensor,
        knobs: torch.Tensor | None,
        features: Mapping[str, torch.Tensor],
        state: State,
        manner: Manner,
    ) -> None:
        self.manner = manner
        self.model = model
        self.plan = model.plan
        self.audio = audio
        self.knobs = knobs
        self.features = features
        self.before = state or {
            "position": torch.zeros((), dtype=torch.int64),
            "nodes": {},
            "drives": {},
            "delays": {},
        }
        self.after: dict[str, dict[str, Any]] = {"nodes": {}, "drives": {}, "delays": {}}
        self.parameters: dict[str, torch.Tensor] = {}
        self.stems: dict[str, torch.Tensor] = {}
        self.terms: dict[str, torch.Tensor] = {}
        self.outputs: dict[str, torch.Tensor] = {"input": audio}
        self.position = int(self.before["position"])

    def take_standing(self) -> None:
        """Take what the standing controllers gave the block before, while nothing is trained."""
        model, before = self.model, self.before["drives"]
        moving = self.knobs is not None and self.knobs.ndim == 3
        if moving or torch.is_grad_enabled() or any(_is_new(before.get(name)) for name in model.standing):
            return
        versions = tuple(part for home in model.homes for w in home.values() for part in _version(w))
        frames = self._frames_due(self._hop()) if model.repeats else 0
        shape = (self.audio.shape[0], frames)
        tracks, terms, states = model.memo(self._stand, self.knobs, shape, versions)
        self.parameters.update(tracks)
        self.terms.update(terms)
        self.after["drives"].update(states)

    def _hop(self) -> int:
        return next(iter(self.plan.nodes.values())).ctx.hop

    def _stand(self) -> _Standing:
        for name in self.model.standing:
            self._drive(name, self.audio)
        return dict(self.parameters), dict(self.terms), dict(self.after["drives"])

    def state_after(self) -> dict[str, Any]:
        """Return the state after this block."""
        return {"position": self.before["position"] + self.audio.shape[-1], **self.after}

    def leaf(self, leaf: Leaf, audio: torch.Tensor) -> torch.Tensor:
        """Run one node."""
        node = self.plan.nodes[leaf.name]
        for name in node.controllers:
            if name not in self.after["drives"]:
                self._drive(name, audio)
        if node.fixed:
            fixed = self.model.fixed[_key(node.name)]
            self.parameters.update(fixed(audio.shape[0], self._frames_due(node.ctx.hop)))
        params = {name: self.parameters[full] for name, full in node.tracks}
        inputs = {name: self.outputs[origin] for name, origin in node.part.keys.inputs.items()}
        result = self._processed(node, audio, params, inputs)
        if node.traits.terms:
            self.terms.update({f"{node.name}.{name}": value for name, value in result[2].items()})
        self.after["nodes"][node.name] = result[1]
        output: torch.Tensor = result[0]
        self.outputs[node.name] = output
        return output

    def _processed(
        self,
        node: NodePlan,
        audio: torch.Tensor,
        params: Mapping[str, torch.Tensor],
        inputs: Mapping[str, torch.Tensor],
    ) -> tuple[Any, ...]:
        manner, before = self.manner, self.before["nodes"].get(node.name)
        module: Process = manner.processors.get(node.name, self.model.nodes[_key(node.name)])
        again = node.part.keys.recompute and torch.is_grad_enabled()
        if not again and manner.half is None:
            return module(audio, params, before, **inputs)
        call: Process = partial(module, audio, params, before, **inputs)
        if manner.half is not None and node.traits.autocast:
            call = partial(with_half, call, audio.device.type, manner.half)
        result: tuple[Any, ...] = checkpoint(call, use_reentrant=False) if again else call()
        return result

    def _frames_due(self, hop: int) -> int:
        return frames_due(self.position, self.audio.shape[-1], hop)

    def _drive(self, name: str, audio: torch.Tensor) -> None:
        frames = self._frames_due(self.plan.controllers[name].ctx.hop)
        inputs = ControlInputs(audio=audio, knobs=self.knobs, features=self.features, frames=frames)
        tracks, terms, state = self.model.drives[_key(name)](inputs, self.before["drives"].get(name))
        self.parameters.update(tracks)
        self.terms.update(terms)
        self.after["drives"][name] = state

    def parallel(self, group: Parallel, audio: torch.Tensor) -> torch.Tensor:
        """Run the branches of one group on the same input, line them up in time and sum them."""
        total: torch.Tensor | None = None
        for label, branch in zip(group.labels(), group.branches, strict=True):
            stem = self._aligned(label, branch.accept(self, self._entering(branch, audio)))
            self.stems[label] = stem
            total = stem if total is None else total + stem
        assert total is not None
        return total

    def _entering(self, branch: Any, audio: torch.Tensor) -> torch.Tensor:
        first = self.plan.nodes[next(branch.names())]
        return audio[:, :0] if first.traits.source else audio

    def _aligned(self, label: str, audio: torch.Tensor) -> torch.Tensor:
        samples = self.plan.delays[label]
        if not samples:
            return audio
        late, state = delay(audio, samples, self.before["delays"].get(label))
        self.after["delays"][label] = state
        return late
