"""What circuits share: units and values of components, the level that enters, and diodes."""

from __future__ import annotations

from typing import Literal

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import Traits

# Three or four steps of the solver, each with two exponential functions.
SOLVER_MACS = 120
PER_VALUE = {"kohm": 1e3, "nF": 1e-9, "nA": 1e-9, "mV": 1e-3}


def component(name: str, low: float, high: float, default: float, unit: str, help: str) -> Parameter:
    """Declare the value of an electronic component, constant in time."""
    return Parameter(
        name=name, low=low, high=high, default=default, unit=unit, mapping="log", rate="constant", help=help
    )


@attrs.frozen(kw_only=True)
class DiodeCircuit:
    """Be the base of circuits that clip by a pair of opposed diodes; full scale is 1 V."""

    rule: Literal["trapezoidal", "backward-euler"] = opt(
        "trapezoidal",
        choices=("trapezoidal", "backward-euler"),
        help="how time is discretised: more exactly, or with damping",
    )
    highest_drive: float = opt(48.0, unit="dB", ge=0, le=120, help="highest drive a controller can set")

    @classmethod
    def examples(cls) -> tuple[DiodeCircuit, ...]:
        """Return a variant that is worth checking beside the defaults."""
        return (cls(rule="backward-euler"),)

    def diode_parameters(self) -> tuple[Parameter, ...]:
        """Declare the level that enters, which may move at every sample, and the diodes."""
        start = 45.3
        return (
            Parameter(
                name="drive_db", low=-24.0, high=self.highest_drive, default=0.0, unit="dB",
                help="level that enters; at 0 dB full scale is 1 V",
            ),
            component("saturation", 1e-3, 1e4, 2.52, "nA", "saturation current of the diodes"),
            component("above", 10.0, 1000.0, start, "mV", "emission voltage of the diodes that limit above"),
            component("below", 10.0, 1000.0, start, "mV", "emission voltage of the diodes that limit below"),
        )  # fmt: skip

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a recursion without delay."""
        return Traits(macs=SOLVER_MACS * ctx.channels)
