"""The module of the operational amplifier with diodes in its feedback."""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor, nn

from fxkit_dsp._circuit import PER_VALUE
from fxkit_dsp._diode_clipper import diodes
from fxkit_signal.circuit import OpAmpStage, op_amp_stage, run_op_amp_stage
from fxkit_signal.diode import Rule
from fxkit_signal.memo import Memo

State = tuple[Tensor, Tensor]


class OpAmpOverdriveModule(nn.Module):
    """Run audio through the circuit; the state is that of the leg to ground and that of the diodes."""

    def __init__(self, sample_rate: int, rule: Rule) -> None:
        super().__init__()
        self.sample_rate = sample_rate
        self.rule: Rule = rule
        self.memo: Memo[tuple[Tensor, OpAmpStage]] = Memo()

    def forward(
        self, audio: Tensor, params: Mapping[str, Tensor], state: State | None = None
    ) -> tuple[Tensor, State]:
        """Overdrive audio [batch, channels, samples]; full scale at `drive_db` 0 is 1 V."""
        gain, stage = self.memo(lambda: self._design(params), *params.values())
        voltage, state = run_op_amp_stage(audio * gain, stage, state)
        return voltage.to(audio.dtype), state

    def _design(self, params: Mapping[str, Tensor]) -> tuple[Tensor, OpAmpStage]:
        kohm, nf = PER_VALUE["kohm"], PER_VALUE["nF"]
        stage = op_amp_stage(
            (params["feedback"].double() * kohm, params["feedback_capacitance"].double() * nf),
            (params["leg"].double() * kohm, params["leg_capacitance"].double() * nf),
            diodes(params),
            self.sample_rate,
            self.rule,
        )
        return 10 ** (params["drive_db"] / 20), stage
