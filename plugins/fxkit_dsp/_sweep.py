"""What processors with a low-frequency oscillator declare alike."""

from __future__ import annotations

from typing import Literal

from fxkit.context import BuildContext
from fxkit.parameter import Parameter

Wave = Literal["sine", "triangle", "learned"]
Interpolation = Literal["linear", "cubic", "sinc", "allpass"]

WAVES: tuple[Wave, ...] = ("sine", "triangle", "learned")
WAVE_HELP = "wave of the oscillator; learned: 8 harmonics"
READINGS: tuple[Interpolation, ...] = ("linear", "cubic", "sinc", "allpass")
READING_HELP = "how the line is read between samples: 2, 4 or 16 taps, or a first-order allpass"

# Multiplications with addition of one reading: each tap's weight is a cubic.
READING_COST = {"linear": 8, "cubic": 16, "sinc": 64, "allpass": 12}

HARMONICS = 8
# A windowed sinc in a loop reads no future sample from this many samples on.
READING_MARGIN = 8


def oscillator(ctx: BuildContext, wave: Wave, rate: float) -> tuple[Parameter, ...]:
    """Declare the oscillator: rate, phase at sample 0, offset between channels, and a learned wave."""
    parameters = [
        Parameter(
            name="rate", low=0.02, high=20.0, default=rate, unit="Hz", mapping="log", rate="constant",
            help="turns of the oscillator per second",
        ),
        Parameter(
            name="phase", low=-1.0, high=1.0, default=0.0, unit="cycles", rate="constant",
            help="where the oscillator stands at sample 0; 0 is its middle, rising",
        ),
    ]  # fmt: skip
    if ctx.channels > 1:
        parameters.append(
            Parameter(
                name="spread", low=-0.5, high=0.5, default=0.0, unit="cycles", rate="constant",
                help="how far the oscillator of each channel is ahead of the one before",
            )
        )  # fmt: skip
    if wave == "learned":
        first = (1.0, *[0.0] * (HARMONICS - 1))
        for name, start in (("wave_sines", first), ("wave_cosines", (0.0,) * HARMONICS)):
            parameters.append(
                Parameter(
                    name=name, low=-1.0, high=1.0, default=start, size=HARMONICS, rate="constant",
                    help=f"{name[5:]} of the oscillator's harmonics",
                )
            )  # fmt: skip
    return tuple(parameters)


def share_of_wet(default: float = 0.5, *, inverted: bool = False) -> Parameter:
    """Declare the mix of dry and wet; below zero, where that is allowed, the wet is turned over."""
    return Parameter(
        name="mix", low=-1.0 if inverted else 0.0, high=1.0, default=default,
        help="share of the wet sound; below 0 it is turned over" if inverted else "share of the wet sound",
    )  # fmt: skip


def loop_gain(default: float = 0.0) -> Parameter:
    """Declare the gain around a loop, of either sign and always below one."""
    return Parameter(name="feedback", low=-0.95, high=0.95, default=default, help="gain around the loop")
