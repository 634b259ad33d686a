"""The module behind `envelope`."""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn

from fxkit.logits import start_logits
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs
from fxkit_signal.ballistics import attack_release, smoothing_coefficient
from fxkit_signal.framing import frames_due, frames_given
from fxkit_signal.gain_computer import decibels, excess

ATTACK = Parameter(name="attack", low=0.1, high=1000.0, default=5.0, unit="ms", mapping="log")
RELEASE = Parameter(name="release", low=1.0, high=5000.0, default=100.0, unit="ms", mapping="log")
THRESHOLD = Parameter(name="threshold", low=-90.0, high=0.0, default=-40.0, unit="dB")
KNEE = 12.0
# A detector that is this many dB beyond its threshold moves a logit by its depth.
SPAN = 24.0
State = dict[str, Tensor]


class EnvelopeModule(nn.Module):
    """Emit sigmoids of bias plus depth times excess; `hop` 0 emits at every sample.

    The state holds the detectors' levels, float64 [batch, detectors], and the samples done.
    """

    def __init__(
        self, parameters: Sequence[Parameter], knobs: int, *, detectors: int, sample_rate: int, hop: int
    ) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.hop = hop
        self.attack = _start(ATTACK, detectors)
        self.release = _start(RELEASE, detectors)
        self.threshold = _start(THRESHOLD, detectors)
        self.bias = nn.Parameter(torch.tensor(start_logits(parameters)))
        self.depth = nn.Parameter(torch.zeros(len(self.bias), detectors))
        self.knobs = nn.Linear(knobs, self.bias.numel() + self.depth.numel(), bias=False) if knobs else None
        if self.knobs is not None:
            nn.init.zeros_(self.knobs.weight)

    def forward(self, inputs: ControlInputs, state: State | None = None) -> tuple[Tensor, State]:
        """Return values, [batch, values, samples or frames due], and the next state."""
        batch, _, samples = inputs.audio.shape
        if state is None:
            start = torch.zeros(batch, len(self.attack), dtype=torch.float64, device=inputs.audio.device)
            state = {"levels": start, "position": torch.tensor(0)}
        level = inputs.audio.abs().amax(dim=1, keepdim=True).expand(-1, len(self.attack), -1)
        envelope, levels = attack_release(
            level.double(),
            self._coefficient(ATTACK, self.attack),
            self._coefficient(RELEASE, self.release),
            state["levels"],
        )
        if self.hop:
            envelope = self._frames(torch.cat((state["levels"][..., None], envelope), dim=-1), state)
        after = {"levels": levels, "position": state["position"] + samples}
        return self._values(envelope.to(inputs.audio.dtype), inputs.knobs), after

    def _coefficient(self, quantity: Parameter, logits: Tensor) -> Tensor:
        return smoothing_coefficient(quantity.to_physical(torch.sigmoid(logits)), self.sample_rate)

    def _frames(self, levels: Tensor, state: State) -> Tensor:
        """Pick the levels before the frames due; `levels` starts with the last of the block before."""
        position = int(state["position"])
        samples = levels.shape[-1] - 1
        first, due = frames_given(position, self.hop), frames_due(position, samples, self.hop)
        frames = torch.arange(first, first + due, device=levels.device)
        return levels[..., ((frames - 1) * self.hop - position).clamp(min=0)]

    def _values(self, envelope: Tensor, knobs: Tensor | None) -> Tensor:
        threshold = THRESHOLD.to_physical(torch.sigmoid(self.threshold))
        drive = excess(decibels(envelope) - threshold, torch.full_like(threshold, KNEE)) / SPAN
        bias, depth = self.bias[:, None], self.depth
        if self.knobs is not None and knobs is not None:
            moved, steeper = self.knobs(knobs).split((self.bias.numel(), self.depth.numel()), dim=-1)
            bias, depth = bias + moved[..., None], depth + steeper.unflatten(-1, depth.shape)
        return torch.sigmoid(bias + depth @ drive)


def _start(quantity: Parameter, detectors: int) -> nn.Parameter:
    return nn.Parameter(torch.full((detectors, 1), start_logits((quantity,))[0]))
