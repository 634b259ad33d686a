"""Turn a controller's normalised values into the physical parameters of the nodes that it drives."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

import attrs
import torch

from fxkit.errors import RunError
from fxkit.model.plan import ControllerPlan
from fxkit.parameter import Parameter, Rate
from fxkit.values import ControlInputs, State
from fxkit_signal.framing import interpolate_frames
from fxkit_signal.memo import Memo


def state_at(module: torch.nn.Module, starts: torch.Tensor) -> State:
    """Return the state of a processor or controller after silence that lasted `starts` samples [batch]."""
    clock: Callable[[torch.Tensor], State] | None = getattr(module, "state_at", None)
    return clock(starts) if clock else None


@attrs.frozen(kw_only=True)
class _Track:
    """Say which of a controller's values become which parameter, by whose mapping, at which rate."""

    name: str
    leader: Parameter
    rows: slice
    rate: Rate


_Driven = tuple[dict[str, torch.Tensor], dict[str, torch.Tensor], State]


class Drive(torch.nn.Module):
    """Run one controller and map its values.

    Frame-rate values are interpolated to samples (before the mapping, so that a frequency glides in
    log Hz) for parameters that take samples; constants are repeated for those that take nothing but
    frames. A parameter that is tied to one of the controller's gets the same values at its own rate.

    A controller that makes constants of knobs alone makes frames of knobs that move.
    """

    def __init__(self, plan: ControllerPlan, controller: torch.nn.Module) -> None:
        super().__init__()
        self.plan = plan
        self.controller = controller
        self.tracks = _tracks(plan)
        self.interpolates = plan.traits.rate == "frame" and any(
            track.rate == "sample" for track in self.tracks
        )
        # A constant that reads nothing but knobs is the same in every block of a stream.
        self.stands = plan.traits.rate == "constant" and set(plan.traits.uses) <= {"knobs"}
        self.repeats = any(track.rate == "frame" for track in self.tracks)
        # Weights and buffers live in these; both may be replaced as well as changed in place.
        self.homes = tuple(
            home for module in controller.modules() for home in (module._parameters, module._buffers)
        )

    def forward(self, inputs: ControlInputs, state: State = None) -> _Driven:
        """Return "node.parameter" -> physical tensor, "controller.term" -> tensor, and the state."""
        state = state or {"controller": None, "frames": None}
        moving = inputs.knobs is not None and inputs.knobs.ndim == 3 and "knobs" in self.plan.traits.uses
        values, after, terms = (
            self._over_frames(inputs) if moving else self._control(inputs, state["controller"])
        )
        samples, frames_state = values, None
        if self.interpolates or moving:
            hop = self.plan.ctx.hop if moving else self.plan.traits.hop
            samples, frames_state = interpolate_frames(values, inputs.audio.shape[-1], hop, state["frames"])
        found = {
            track.name: self._mapped(track, samples if track.rate == "sample" else values, inputs.frames)
            for track in self.tracks
        }
        return found, terms, {"controller": after, "frames": frames_state}

    def state_at(self, starts: torch.Tensor) -> State:
        """Return the state after silence that lasted `starts` samples [batch]."""
        return {"controller": state_at(self.controller, starts), "frames": None}

    def _control(
        self, inputs: ControlInputs, state: State
    ) -> tuple[torch.Tensor, State, dict[str, torch.Tensor]]:
        result = self.controller(inputs, state)
        terms: Mapping[str, torch.Tensor] = result[2] if self.plan.traits.terms else {}
        return result[0], result[1], {f"{self.plan.name}.{name}": value for name, value in terms.items()}

    def _over_frames(self, inputs: ControlInputs) -> tuple[torch.Tensor, State, dict[str, torch.Tensor]]:
        """Return the values [batch, size, frames due] at knobs [batch, knobs, frames due]; no terms."""
        knobs = inputs.knobs
        assert knobs is not None
        self._check_moves()
        batch, frames = knobs.shape[0], knobs.shape[-1]
        # Each frame is an item of its own: of these knobs the controller would make constants.
        audio = inputs.audio[..., :0].repeat_interleave(frames, dim=0)
        settings = ControlInputs(audio=audio, knobs=knobs.transpose(1, 2).flatten(0, 1))
        values = self._control(settings, None)[0]
        return values.unflatten(0, (batch, frames))[..., 0].transpose(1, 2), None, {}

    def _check_moves(self) -> None:
        name, advice = self.plan.name, "give knobs that stand still"
        if not self.stands:
            raise RunError(
                f"{name}: reads more than knobs, and these move over time; {advice}, or use knobs-mlp"
            )
        fixed = next((track.name for track in self.tracks if track.rate == "constant"), None)
        if fixed is not None:
            raise RunError(f"{name}: {fixed} cannot move over time, as these knobs do; {advice}")

    def _mapped(self, track: _Track, values: torch.Tensor, frames: int) -> torch.Tensor:
        values = values[:, track.rows]
        if track.rate == "frame" and values.shape[-1] == 1:
            values = values.expand(-1, -1, frames)
        return track.leader.to_physical(values)


def _tracks(plan: ControllerPlan) -> tuple[_Track, ...]:
    tracks = {}
    start = 0
    for parameter in plan.ctx.parameters:
        rows = slice(start, start + parameter.size)
        tracks[parameter.name] = _Track(name=parameter.name, leader=parameter, rows=rows, rate=parameter.rate)
        start = rows.stop
    tied = [
        attrs.evolve(tracks[leader], name=follower.name, rate=follower.rate)
        for follower, leader in plan.followers
    ]
    return (*tracks.values(), *tied)


class Fixed(torch.nn.Module):
    """Hold the parameters of a node that keep the values which the experiment gives them."""

    def __init__(self, parameters: Sequence[Parameter]) -> None:
        super().__init__()
        self.parameters_held = tuple(parameters)
        for index, parameter in enumerate(parameters):
            # Not part of the weights: the experiment file says what they are.
            values = torch.tensor(parameter.defaults)[None, :, None]
            self.register_buffer(f"values{index}", values, persistent=False)
        self.repeats = any(parameter.rate == "frame" for parameter in parameters)
        self.memo: Memo[dict[str, torch.Tensor]] = Memo()

    def forward(self, batch: int, frames: int) -> dict[str, torch.Tensor]:
        """Return "node.parameter" -> [batch, size, 1], or repeated for each of the `frames` due."""
        places = tuple(buffer.data_ptr() for buffer in self.buffers())
        return self.memo(lambda: self._values(batch, frames), batch, frames if self.repeats else 0, places)

    def _values(self, batch: int, frames: int) -> dict[str, torch.Tensor]:
        lengths = [frames if parameter.rate == "frame" else 1 for parameter in self.parameters_held]
        return {
            parameter.name: self.get_buffer(f"values{index}").expand(batch, -1, lengths[index])
            for index, parameter in enumerate(self.parameters_held)
        }
