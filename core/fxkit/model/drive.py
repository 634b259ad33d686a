"""Turn a controller's normalised values into the physical parameters of the nodes that it drives."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import torch

from fxkit.model.plan import ControllerPlan
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs, State
from fxkit_signal.framing import interpolate_frames


def state_at(module: torch.nn.Module, starts: torch.Tensor) -> State:
    """Return the state of a processor or controller after silence that lasted `starts` samples [batch]."""
    clock: Callable[[torch.Tensor], State] | None = getattr(module, "state_at", None)
    return clock(starts) if clock else None


class Drive(torch.nn.Module):
    """Run one controller and map its values.

    Frame-rate values are interpolated to samples (before the mapping, so that a frequency glides in
    log Hz) for parameters that take samples; constants are repeated for those that take nothing but
    frames.
    """

    def __init__(self, plan: ControllerPlan, controller: torch.nn.Module) -> None:
        super().__init__()
        self.plan = plan
        self.controller = controller
        self.interpolates = plan.traits.rate == "frame" and any(
            parameter.rate == "sample" for parameter in plan.ctx.parameters
        )

    def forward(
        self, inputs: ControlInputs, state: State = None
    ) -> tuple[dict[str, torch.Tensor], dict[str, torch.Tensor], State]:
        """Return "node.parameter" -> physical tensor, "controller.term" -> tensor, and the state."""
        state = state or {"controller": None, "frames": None}
        values, after, terms = self._control(inputs, state["controller"])
        samples, frames_state = values, None
        if self.interpolates:
            samples, frames_state = interpolate_frames(
                values, inputs.audio.shape[-1], self.plan.traits.hop, state["frames"]
            )
        tracks: dict[str, torch.Tensor] = {}
        start = 0
        for parameter in self.plan.ctx.parameters:
            stop = start + parameter.size
            source = samples if parameter.rate == "sample" else values
            tracks[parameter.name] = self._track(parameter, source[:, start:stop], inputs.frames)
            start = stop
        return tracks, terms, {"controller": after, "frames": frames_state}

    def state_at(self, starts: torch.Tensor) -> State:
        """Return the state after silence that lasted `starts` samples [batch]."""
        return {"controller": state_at(self.controller, starts), "frames": None}

    def _control(
        self, inputs: ControlInputs, state: State
    ) -> tuple[torch.Tensor, State, dict[str, torch.Tensor]]:
        result = self.controller(inputs, state)
        terms: Mapping[str, torch.Tensor] = result[2] if self.plan.traits.terms else {}
        return result[0], result[1], {f"{self.plan.name}.{name}": value for name, value in terms.items()}

    def _track(self, parameter: Parameter, values: torch.Tensor, frames: int) -> torch.Tensor:
        if parameter.rate == "frame" and self.plan.traits.rate == "constant":
            values = values.expand(-1, -1, frames)
        return parameter.to_physical(values)
