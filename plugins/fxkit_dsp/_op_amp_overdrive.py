"""The module of the operational amplifier with diodes in its feedback."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from fxkit_dsp._circuit import PER_VALUE
from fxkit_dsp._diode_clipper import diodes
from fxkit_signal.circuit import op_amp_stage
from fxkit_signal.diode import Rule

State = tuple[Tensor, Tensor]


class OpAmpOverdriveModule(nn.Module):
    """Run audio through the circuit; the state is that of the leg to ground and that of the diodes."""

    def __init__(self, sample_rate: int, rule: Rule) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.rule: Rule = rule

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: State | None = None
    ) -> tuple[Tensor, State]:
        """Overdrive audio [batch, channels, samples]; full scale at `drive_db` 0 is 1 V."""
        kohm, nf = PER_VALUE["kohm"], PER_VALUE["nF"]
        voltage, state = op_amp_stage(
            audio * 10 ** (params["drive_db"] / 20),
            (params["feedback"].double() * kohm, params["feedback_capacitance"].double() * nf),
            (params["leg"].double() * kohm, params["leg_capacitance"].double() * nf),
            diodes(params),
            self.sample_rate,
            state,
            rule=self.rule,
        )
        return voltage.to(audio.dtype), state
