"""Specs of every form, by which the messages of the reader are fixed; none of them builds anything."""

from __future__ import annotations

import pathlib
from collections.abc import Iterable, Mapping
from typing import Any, ClassVar, Literal

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import ControlTraits, LossTraits, Traits
from fxkit.trigger import Triggers

spec = attrs.frozen(kw_only=True)


@spec
class Gain:
    """Scale the signal."""

    db: float = opt(0.0, unit="dB", ge=-60, le=60, help="gain")
    invert: bool = opt(False, help="turn the polarity")

    def parameters(self, ctx: BuildContext) -> tuple[Parameter, ...]:
        return ()

    def traits(self, ctx: BuildContext) -> Traits:
        return Traits()

    def build(self, ctx: BuildContext) -> Any: ...


@spec
class ParametricEQ:
    """Filter by bands."""

    bands: int = opt(ge=1, le=16, help="number of peaking bands")
    low: float = opt(20.0, unit="Hz", gt=0, help="lowest centre frequency")
    high: float = opt(20000.0, unit="Hz", gt=0, help="highest centre frequency")

    def parameters(self, ctx: BuildContext) -> tuple[Parameter, ...]:
        return tuple(
            Parameter(name=f"gain{band}", low=-12, high=12, default=0, unit="dB", rate="constant")
            for band in range(self.bands)
        )

    def traits(self, ctx: BuildContext) -> Traits:
        return Traits()

    def problems(self) -> Iterable[tuple[str, str]]:
        if self.low >= self.high:
            yield "low", f"{self.low:g} Hz is not below high = {self.high:g} Hz"

    def build(self, ctx: BuildContext) -> Any: ...


@spec
class TCN(Gain):
    """Convolve through dilated layers."""

    channels: int = opt(16, ge=1, le=512, help="channels of every layer")
    dilations: tuple[int, ...] = opt((1, 2, 4), ge=1, help="dilation of each layer")
    activation: Literal["tanh", "relu", "gated"] = opt("tanh", help="what follows each convolution")
    dropout: float | None = opt(None, ge=0, lt=1, help="share of channels dropped")

    @classmethod
    def presets(cls) -> Mapping[str, Mapping[str, Any]]:
        return {
            "small": {"channels": 4, "dilations": (1, 3)},
            "large": {"channels": 64, "activation": "gated"},
        }


@spec
class Compressor(Gain):
    """Follow a side chain."""

    attack: float = opt(0.01, unit="s", gt=0, le=1, help="attack time")

    def traits(self, ctx: BuildContext) -> Traits:
        return Traits(inputs=("sidechain",))


@spec
class Harmonic(Gain):
    """Add harmonics up."""

    def parameters(self, ctx: BuildContext) -> tuple[Parameter, ...]:
        return (Parameter(name="amplitude", low=0, high=1, default=0.5, rate="frame"),)

    def traits(self, ctx: BuildContext) -> Traits:
        return Traits(source=True)


@spec
class Raises(Gain):
    """Fail at everything."""

    def parameters(self, ctx: BuildContext) -> tuple[Parameter, ...]:
        raise ZeroDivisionError("float division by zero")


@spec
class Picky(Gain):
    """Check two options against each other when it is made."""

    low: int = opt(1, help="lower")
    high: int = opt(2, help="upper")

    def __attrs_post_init__(self) -> None:
        if self.low > self.high:
            raise ValueError(f"low = {self.low} must not be above high = {self.high}")


@spec
class Crashing(Gain):
    """Break when it is made."""

    def __attrs_post_init__(self) -> None:
        raise RuntimeError


@spec
class Mistyped(Gain):
    """Declare traits of a form of its own."""

    def traits(self, ctx: BuildContext) -> Any:
        return {"latency": 3}


@spec
class Complaining(Gain):
    """Break while checking its options."""

    def problems(self) -> Iterable[tuple[str, str]]:
        raise KeyError("db")


@spec
class Untyped(Gain):
    """Have an option of no type that a file can express."""

    anything: dict[int, bytes] = opt(factory=dict, help="anything")


@spec
class Greedy(Gain):
    """Have an option by the name of one of the kernel's keys."""

    freeze: int = opt(0, help="temperature")


@spec
class Wrapped(Gain):
    """Hold another processor and a nested table."""

    inner: Any = opt(kind="processors", help="what is wrapped")
    levels: Mapping[str, float] = opt(factory=dict, unit="dB", le=0, help="level of each channel")


@spec
class Rack(Gain):
    """Hold several other processors."""

    members: tuple[Any, ...] = opt(kind="processors", help="what runs, in order")


@spec
class Filter(Gain):
    """Have parameters in several units and sizes."""

    def parameters(self, ctx: BuildContext) -> tuple[Parameter, ...]:
        return (
            Parameter(name="frequency", low=20, high=12000, default=1000, unit="Hz", mapping="log"),
            Parameter(name="gains", low=-12, high=12, default=0, unit="dB", size=3),
            Parameter(name="mix", low=0, high=1, default=1),
            Parameter(name="release", low=1, high=500, default=50, unit="ms", rate="constant"),
        )


@spec
class Mover(Gain):
    """Take what another processor takes, in wider ranges."""

    def parameters(self, ctx: BuildContext) -> tuple[Parameter, ...]:
        return (
            Parameter(name="cutoff", low=20, high=20000, default=1000, unit="Hz", mapping="log"),
            Parameter(name="time", low=1, high=1000, default=50, unit="ms"),
        )


@spec
class Static:
    """Learn constants."""

    spread: float = opt(0.0, ge=0, le=1, help="spread of the first values")

    def traits(self, ctx: BuildContext) -> ControlTraits:
        return ControlTraits()

    def build(self, ctx: BuildContext) -> Any: ...


@spec
class LSTMControl(Static):
    """Follow the audio."""

    def traits(self, ctx: BuildContext) -> ControlTraits:
        return ControlTraits(rate="frame", hop=ctx.hop, uses=("audio",))


@spec
class DDSPDecoder(Static):
    """Follow the features."""

    def traits(self, ctx: BuildContext) -> ControlTraits:
        return ControlTraits(rate="frame", hop=ctx.hop, uses=("features",))


@spec
class Plain:
    """Have no options."""

    def build(self, ctx: BuildContext) -> Any: ...


@spec
class ESR(Plain):
    """Compare the energy of the error with that of the target."""

    pre_emphasis: float = opt(0.0, ge=0, lt=1, help="coefficient of the high-pass before")


@spec
class Spectral(Plain):
    """Compare spectra."""

    fft_sizes: tuple[int, ...] = opt((512, 1024, 2048), unit="samples", ge=16, help="sizes")
    window: str = opt("hann", choices=("hann", "hamming"), help="window")

    def traits(self, ctx: BuildContext) -> LossTraits:
        return LossTraits(least_samples=max(self.fft_sizes), sign_blind=True)


@spec
class VirtualDevice(Plain):
    """Simulate a device."""

    seconds: float = opt(24.0, unit="s", gt=0, le=3600, help="length of the training material")
    gains: tuple[float, ...] = opt((0.5,), ge=0, le=1, help="settings of the gain knob")


@spec
class PairedAudio(Plain):
    """Read a folder of pairs."""

    root: pathlib.Path = opt(help="folder of the recordings")
    split: tuple[float, float, float] = opt((0.8, 0.1, 0.1), ge=0, le=1, help="shares of train, val, test")
    align: bool = opt(False, help="mend latency and polarity")


@spec
class AudioSamples(Plain):
    """Write audio."""

    every: int = opt(500, unit="steps", ge=1, help="steps between samples")
    format: Literal["wav", "flac"] = opt("wav", help="file format")


@spec
class AdamW:
    """Move by moments."""

    lr: float = opt(1e-3, gt=0, le=10, help="learning rate")

    def build(self, parameters: Any) -> Any: ...


@spec
class Cosine:
    """Fall along a cosine."""

    floor: float = opt(0.0, ge=0, le=1, help="share that remains")

    def build(self, optimizer: Any, steps: int) -> Any: ...


@spec
class Wild(Plain):
    """Have no countable dimensions."""

    def dims(self, ctx: BuildContext) -> Any:
        return "two"


@spec
class F0(Plain):
    """Find the pitch."""

    def dims(self, ctx: BuildContext) -> int:
        return 2


@spec
class Coder(Gain):
    """Pass the signal through a latent whose posterior losses can read."""

    def traits(self, ctx: BuildContext) -> Traits:
        return Traits(terms=("mean", "log_variance"))


@spec
class KL(Plain):
    """Compare the posterior of a node with the normal distribution."""

    node: str = opt(help="node whose posterior it is")

    def traits(self, ctx: BuildContext) -> LossTraits:
        return LossTraits(distance=False, terms=(f"{self.node}.mean", f"{self.node}.log_variance"))


@spec
class Accuracy(Plain):
    """Count what is right."""

    def traits(self, ctx: BuildContext) -> LossTraits:
        return LossTraits(higher_is_better=True)


@spec
class LinearRamp(Plain):
    """Move a weight in a straight line."""

    start: float = opt(0.0, ge=0, help="weight before")
    final: float = opt(1.0, ge=0, help="weight in the end")
    end: float = opt(1.0, gt=0, le=1, help="share of the training after which it has arrived")


@spec
class Long(Gain):
    """Hear far back."""

    reach: int = opt(20000, unit="samples", ge=1, help="length of the memory")

    def traits(self, ctx: BuildContext) -> Traits:
        return Traits(receptive_field=self.reach)


@spec
class Late(Gain):
    """Come out late."""

    samples: int = opt(4096, unit="samples", ge=0, help="latency")

    def traits(self, ctx: BuildContext) -> Traits:
        return Traits(latency=self.samples)


@spec
class Stop(Plain):
    """End the training by a metric."""

    metric: str = opt("loss", refers="metric", help="loss or metric")


@spec
class Watch(Plain):
    """Refer to everything that has a name."""

    nodes: tuple[str, ...] = opt((), refers="node", help="nodes")
    owner: str | None = opt(None, refers="owner", help="node or controller")
    feature: str = opt("f0", refers="feature", help="feature")
    controller: str | None = opt(None, refers="controller", help="controller")


@spec
class Listen(Triggers):
    """Act on validations."""

    def build(self, ctx: BuildContext) -> Any: ...


@spec
class Save(Triggers):
    """Act on steps."""

    on_steps: ClassVar[bool] = True

    def build(self, ctx: BuildContext) -> Any: ...


@spec
class Table(Plain):
    """Write a file."""

    file: str = opt("log.csv", writes=True, help="file in the run folder")
