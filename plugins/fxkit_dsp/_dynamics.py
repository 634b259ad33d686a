"""What the specs of dynamics processors share: options and parameters."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Literal

import attrs

from fxkit.parameter import Parameter
from fxkit.spec import opt

Link = Literal["max", "mean", "none"]
LINKS = ("max", "mean", "none")
# Per sample and channel: averaging, two smoothers, the curve and the gain, a logarithm counted as one.
MACS = 8


@attrs.frozen(kw_only=True)
class Dynamics:
    """Declare the options of detector and smoothing (Giannoulis, Massberg and Reiss, JAES 2012)."""

    detector: Literal["peak", "rms"] = opt(
        "peak", choices=("peak", "rms"), help="level: magnitude, or power averaged over average_ms"
    )
    topology: Literal["feed-forward", "feed-back"] = opt(
        "feed-forward",
        choices=("feed-forward", "feed-back"),
        help="listen to the input, or to the own output one sample late",
    )
    smoothing: Literal["gain", "level"] = opt(
        "gain",
        choices=("gain", "level"),
        help="what attack and release smooth: the gain in dB, or the level before the static curve",
    )
    ballistics: Literal["branching", "decoupled"] = opt(
        "branching",
        choices=("branching", "decoupled"),
        help="attack or release, whichever applies; or release with instant attack, then attack",
    )
    link: Link = opt("max", choices=LINKS, help="level that all channels share; none: each has its own")
    sidechain: bool = opt(False, help='listen to the named input "sidechain" instead of the audio')

    @classmethod
    def examples(cls) -> Sequence[object]:
        """Return designs that differ in every option, to check."""
        return (
            cls(),
            cls(detector="rms", smoothing="level", ballistics="decoupled", link="mean"),
            cls(topology="feed-back", link="none"),
            cls(sidechain=True),
        )

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse a side chain that would not be heard."""
        if self.sidechain and self.topology == "feed-back":
            yield "sidechain", 'topology = "feed-back" listens to the output; use "feed-forward"'

    @property
    def inputs(self) -> tuple[str, ...]:
        """Return the names of the inputs beside the audio."""
        return ("sidechain",) if self.sidechain else ()

    def averaging(self, size: int = 1) -> tuple[Parameter, ...]:
        """Return the parameter that only an RMS detector has."""
        return (milliseconds("average_ms", 0.1, 1000.0, 10.0, "averaging time of the power", size),) * (
            self.detector == "rms"
        )

    def wiring(self, *, expands: bool = False) -> dict[str, Any]:
        """Return the arguments of `fxkit_signal.dynamics.Design`."""
        return {
            "expands": expands,
            "power": self.detector == "rms",
            "feedback": self.topology == "feed-back",
            "on_level": self.smoothing == "level",
            "twice": self.ballistics == "decoupled",
        }


def decibels(name: str, low: float, high: float, default: float, text: str, size: int = 1) -> Parameter:
    """Declare levels, gains or widths in dB, linear."""
    return Parameter(name=name, low=low, high=high, default=default, unit="dB", size=size, help=text)


def milliseconds(name: str, low: float, high: float, default: float, text: str, size: int = 1) -> Parameter:
    """Declare times in which 1/e of a step is left, in equal ratios."""
    return Parameter(
        name=name, low=low, high=high, default=default, unit="ms", mapping="log", size=size, help=text
    )


def ratio(high: float, default: float, size: int = 1) -> Parameter:
    """Declare ratios, in equal steps of the ratio."""
    text = "dB of input per dB of output beyond the threshold"
    return Parameter(name="ratio", low=1.0, high=high, default=default, mapping="log", size=size, help=text)


def compression(size: int = 1) -> tuple[Parameter, ...]:
    """Declare the static curve and the times of a compressor, one value per band."""
    return (
        decibels("threshold_db", -60.0, 0.0, -24.0, "level above which it acts", size),
        ratio(100.0, 2.0, size),
        decibels("knee_db", 0.0, 24.0, 6.0, "range of levels over which it sets in", size),
        milliseconds("attack_ms", 0.01, 250.0, 5.0, "time to follow a rise", size),
        milliseconds("release_ms", 1.0, 2500.0, 100.0, "time to follow a fall", size),
        decibels("makeup_db", -24.0, 24.0, 0.0, "gain after it", size),
    )


def share_of_wet() -> Parameter:
    """Declare how much of the processed sound is heard."""
    return Parameter(name="mix", low=0.0, high=1.0, default=1.0, help="share of the processed sound")
