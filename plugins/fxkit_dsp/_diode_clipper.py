"""The module of the diode clipper."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from fxkit_dsp._circuit import PER_VALUE
from fxkit_signal.circuit import diode_clipper
from fxkit_signal.diode import DiodeNode, Diodes, Rule, diode_node
from fxkit_signal.memo import Memo


class DiodeClipperModule(nn.Module):
    """Run audio through the circuit; the state is the capacitor's, float64 [batch, channels]."""

    def __init__(self, sample_rate: int, rule: Rule) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.rule: Rule = rule
        self.memo: Memo[tuple[Tensor, Tensor, DiodeNode]] = Memo()

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: Tensor | None = None
    ) -> tuple[Tensor, Tensor]:
        """Clip audio [batch, channels, samples]; full scale at `drive_db` 0 is 1 V."""
        gain, resistance, node = self.memo(lambda: self._design(params), *params.values())
        voltage, state = diode_clipper(audio * gain, resistance, node, state)
        return voltage.to(audio.dtype), state

    def _design(self, params: Mapping[str, Tensor]) -> tuple[Tensor, Tensor, DiodeNode]:
        resistance = params["resistance"].double() * PER_VALUE["kohm"]
        capacitance = params["capacitance"].double() * PER_VALUE["nF"]
        node = diode_node(1 / resistance, capacitance, diodes(params), self.sample_rate, self.rule)
        return 10 ** (params["drive_db"] / 20), resistance, node


def diodes(params: Mapping[str, Tensor]) -> Diodes:
    """Return the diodes that parameters describe, in ampere and volt."""
    return Diodes(
        params["saturation"].double() * PER_VALUE["nA"],
        params["above"].double() * PER_VALUE["mV"],
        params["below"].double() * PER_VALUE["mV"],
    )
