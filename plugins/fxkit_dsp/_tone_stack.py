"""The design behind the tone stack processor."""

from __future__ import annotations

from torch import Tensor

from fxkit_dsp._circuit import PER_VALUE
from fxkit_signal.circuit import ToneStack, tone_stack

POTS = ("bass", "middle", "treble")
PARTS = ("r1", "r2", "r3", "r4", "c1", "c2", "c3")


def design(bass: Tensor, middle: Tensor, treble: Tensor, *values: Tensor | float) -> Tensor:
    """Return sections [batch, frames, 1, 2, 6] from pots, components in kohm and nF, and the rate."""
    *parts, rate = values
    units = [PER_VALUE["kohm" if name[0] == "r" else "nF"] for name in PARTS]
    scaled = (part * unit for part, unit in zip(parts, units, strict=True))
    return tone_stack(ToneStack(*scaled), bass, middle, treble, float(rate))  # type: ignore[arg-type]
