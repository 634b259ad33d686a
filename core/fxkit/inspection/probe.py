"""Send test signals through a model's own forward, and through each of its nodes alone."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager

import attrs
import torch

from fxkit.engine.streaming import stream
from fxkit.errors import RunError
from fxkit.model.chain import Leaf, Parallel, Series
from fxkit.model.drive import state_at
from fxkit.model.graph import Model
from fxkit.model.manner import Manner
from fxkit.model.plan import NodePlan
from fxkit.values import Output, State
from fxkit_signal.framing import frames_due

_BLOCK = 16384
_SETTLE_SECONDS = 0.2


@attrs.frozen(kw_only=True, eq=False)
class Heard:
    """Hold what came out of the first channel, float32 [items, samples] on the CPU, latency cut off.

    `through` is the audio behind each node of the running model, `alone` what each node makes of the test
    signals by itself, both of those items that were asked for; `reasons` say why a node was not taken alone.
    """

    whole: torch.Tensor
    through: Mapping[str, torch.Tensor] = attrs.field(factory=dict)
    alone: Mapping[str, torch.Tensor] = attrs.field(factory=dict)
    reasons: Mapping[str, str] = attrs.field(factory=dict)


def refuse_players(model: Model) -> None:
    """Raise `RunError` for a model that has no input to respond to, or that reads features."""
    plan = model.plan
    readers = [one.name for one in plan.controllers.values() if "features" in one.traits.uses]
    if readers:
        raise RunError(f"{readers[0]}: reads features of whole recordings, so the model has no response")
    if all(plan.nodes[name].traits.source for name in _heads(plan.tree)):
        raise RunError(f"{next(_heads(plan.tree))}: plays by itself, so the model has no response")


def input_channels(model: Model) -> int:
    """Return how many channels enter a model that is no player."""
    nodes = model.plan.nodes
    return next(nodes[name].ctx.channels for name in _heads(model.plan.tree) if not nodes[name].traits.source)


def probe(
    model: Model,
    signals: torch.Tensor,
    starts: torch.Tensor,
    knobs: torch.Tensor | None,
    *,
    nodes: slice | None,
) -> Heard:
    """Run test signals [items, samples] through a model that has settled in a fifth of a second of silence.

    All channels get the same. `starts` int64 [items] tells how long the clocks of the model (oscillators)
    had run before; `knobs` [knobs] are scaled to [0, 1], in the middle when absent; `nodes` are the items of
    which each node is heard, too. The model's weights, its mode and torch's generators are left as they
    were. Raises `RunError` as `refuse_players` does.
    """
    refuse_players(model)
    with undisturbed(model):
        pass_ = _Pass(model, signals, starts, knob_values(model, knobs))
        return pass_.run(nodes)


def knob_values(model: Model, knobs: torch.Tensor | None) -> torch.Tensor | None:
    """Return `knobs` [knobs], or their middles; None for a model without.

    Raises `RunError` where there are more or fewer than the model has.
    """
    names = next(iter(model.plan.nodes.values())).ctx.knobs
    if knobs is not None and knobs.numel() != len(names):
        raise RunError(f"the model has {len(names)} knob(s) ({', '.join(names)}), not {knobs.numel()}")
    if not names:
        return None
    return torch.full((len(names),), 0.5) if knobs is None else knobs.detach().float().cpu()


def knob_names(model: Model, knobs: torch.Tensor | None) -> dict[str, float]:
    """Return the name of each knob and where it stands, scaled to [0, 1]."""
    values = knob_values(model, knobs)
    names = next(iter(model.plan.nodes.values())).ctx.knobs
    return {} if values is None else dict(zip(names, values.tolist(), strict=True))


def _heads(tree: Series) -> Iterator[str]:
    """Yield the nodes that the model's input enters."""
    yield from tree.members[0].accept(_Heads(), None)


class _Heads:
    def leaf(self, leaf: Leaf, _: None) -> list[str]:
        return [leaf.name]

    def parallel(self, group: Parallel, _: None) -> list[str]:
        firsts = (branch.members[0] if isinstance(branch, Series) else branch for branch in group.branches)
        return [name for first in firsts for name in first.accept(self, None)]


@contextmanager
def undisturbed(model: Model) -> Iterator[None]:
    """Run a model as it runs when it is used, and leave its mode and torch's generators as they were."""
    was_training = model.training
    model.eval()
    try:
        with torch.random.fork_rng(), torch.no_grad():
            yield
    finally:
        model.train(was_training)


class _Pass:
    """Carry one set of test signals through a model."""

    def __init__(
        self, model: Model, signals: torch.Tensor, starts: torch.Tensor, knobs: torch.Tensor | None
    ) -> None:
        self.model = model
        self.plan = model.plan
        self.device = next((weight.device for weight in model.parameters()), torch.device("cpu"))
        self.samples = signals.shape[-1]
        first = next(iter(self.plan.nodes.values())).ctx
        self.settle = round(_SETTLE_SECONDS * first.sample_rate)
        padded = torch.nn.functional.pad(signals.float(), (self.settle, self.plan.latency))
        self.audio = padded[:, None].to(self.device)
        self.starts = starts
        self.knobs = None if knobs is None else knobs.to(self.device).expand(len(signals), -1)

    def run(self, nodes: slice | None) -> Heard:
        """Return what is heard."""
        outputs = list(self._outputs(nodes is not None))
        pieces = [output.audio[:, 0].cpu() for output in outputs]
        whole = self._cut(pieces, self.plan.latency)
        if nodes is None:
            return Heard(whole=whole)
        through = {
            name: self._cut([output.nodes[name][nodes, 0].cpu() for output in outputs], self.plan.late[name])
            for name in self.plan.nodes
        }
        reasons = {name: reason for name, node in self.plan.nodes.items() if (reason := _reason(node))}
        standing = {name: track[:, :, -1:] for name, track in outputs[0].parameters.items()}
        alone = {
            name: through[name] if self._opens(name) else self._alone(node, standing, nodes)
            for name, node in self.plan.nodes.items()
            if name not in reasons
        }
        return Heard(whole=whole, through=through, alone=alone, reasons=reasons)

    def _outputs(self, nodes: bool) -> Iterator[Output]:
        """Yield the silence in which the model settles, then the blocks of the signals."""
        audio = self.audio.expand(-1, input_channels(self.model), -1)
        manner, state = Manner(nodes=nodes), self.model.state_at(self.starts)
        parts = (
            (0, audio[..., : self.settle], self.settle),
            (self.settle, audio[..., self.settle :], _BLOCK),
        )
        for position, part, block in parts:
            for output in stream(
                self.model, part, knobs=self.knobs, block=block, state=state, position=position, manner=manner
            ):
                state = output.state
                yield output

    def _cut(self, pieces: list[torch.Tensor], late: int) -> torch.Tensor:
        start = self.settle + late
        return torch.cat(pieces, dim=-1)[:, start : start + self.samples]

    def _opens(self, name: str) -> bool:
        """Tell whether nothing stands before the node and nothing moves it: the model has run it alone."""
        first = self.plan.tree.members[0]
        stands = all(track in self.plan.still for _, track in self.plan.nodes[name].tracks)
        return stands and isinstance(first, Leaf) and first.name == name

    def _alone(self, node: NodePlan, standing: Mapping[str, torch.Tensor], items: slice) -> torch.Tensor:
        audio = self.audio[items].expand(-1, node.ctx.channels, -1)
        held = {name: track.expand(len(self.audio), -1, -1)[items] for name, track in standing.items()}
        module = self.model.node(node.name)
        state = state_at(module, self.starts[items])
        pieces: list[torch.Tensor] = []
        for start in range(0, audio.shape[-1], _BLOCK):
            piece = audio[..., start : start + _BLOCK]
            frames = frames_due(start, piece.shape[-1], node.ctx.hop)
            result, state = _step(module, piece, _held(node, held, frames), state)
            pieces.append(result[:, 0].cpu())
        return self._cut(pieces, node.traits.latency)


def _step(
    module: torch.nn.Module, audio: torch.Tensor, params: dict[str, torch.Tensor], state: State
) -> tuple[torch.Tensor, State]:
    result = module(audio, params, state)
    return result[0], result[1]


def _held(node: NodePlan, standing: Mapping[str, torch.Tensor], frames: int) -> dict[str, torch.Tensor]:
    return {
        parameter.name: standing[full].expand(-1, -1, frames if parameter.rate == "frame" else 1)
        for parameter, (_, full) in zip(node.parameters, node.tracks, strict=True)
    }


def _reason(node: NodePlan) -> str:
    """Return why a node cannot be taken alone; empty when it can."""
    if node.traits.source:
        return "plays by itself"
    others = ", ".join(node.part.keys.inputs.values())
    return f"hears {others} beside what enters it" if node.traits.inputs else ""
