"""A plugin under test: how it is built with restless weights, fed, and run in blocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import accumulate, pairwise
from typing import Any, Protocol

import attrs
import torch

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.testing.track import Grid, Track, Tracks, cut, wander
from fxkit.values import ControlInputs, State
from fxkit_signal.framing import frames_given

# Option -> values to try, where the option's type suggests none.
Hints = Mapping[str, Sequence[Any]]

LONGEST_LEAD = 1 << 15


class Case(Protocol):
    """Offer what the checks need of a processor or controller alike."""

    @property
    def spec(self) -> Any:
        """Return the plugin's spec."""

    @property
    def ctx(self) -> BuildContext:
        """Return the surroundings it is built for."""

    @property
    def hints(self) -> Hints:
        """Return values to try for options whose type suggests none."""

    @property
    def examples(self) -> Sequence[Any]:
        """Return other specs of the plugin, in which options may act that do nothing in `spec`."""

    @property
    def surroundings(self) -> BuildContext:
        """Return the context it is really built for."""

    @property
    def grid(self) -> Grid:
        """Return the time grid of what it yields."""

    @property
    def hop(self) -> int:
        """Return the samples between frames of what it yields, where the grid is "frame"."""

    @property
    def lead(self) -> int:
        """Return the samples after which what it yields depends on the input at all."""

    def build(self) -> Any:
        """Build the plugin."""

    def tracks(self, samples: int, *, batch: int = 2, seed: int = 0) -> Tracks:
        """Return random input that lasts `samples`."""

    def call(self, module: Any, tracks: Tracks, state: State = None) -> tuple[Any, ...]:
        """Run one block and return all that comes back."""

    def step(self, module: Any, tracks: Tracks, state: State = None) -> tuple[torch.Tensor, State]:
        """Run one block: what it yields and the state after it."""


@attrs.frozen(kw_only=True, eq=False)
class ProcessorCase:
    """Test a processor; `ctx.channels` is set to 0 for a source.

    `hints` gives values to try for options whose type suggests none.
    """

    spec: Any
    ctx: BuildContext = attrs.field(factory=lambda: BuildContext(hop=48, seed=3))
    hints: Hints = attrs.field(factory=dict)
    examples: Sequence[Any] = ()
    grid: Grid = attrs.field(default="sample", init=False)
    hop: int = attrs.field(default=0, init=False)

    @property
    def surroundings(self) -> BuildContext:
        """Return the context with the channels that really enter."""
        return attrs.evolve(self.ctx, channels=0) if self.spec.traits(self.ctx).source else self.ctx

    @property
    def lead(self) -> int:
        """Return the declared latency, up to what a check can afford."""
        return min(int(self.spec.traits(self.surroundings).latency), LONGEST_LEAD)

    @property
    def parameters(self) -> tuple[Parameter, ...]:
        """Return what the processor declares to be set."""
        return tuple(self.spec.parameters(self.surroundings))

    def build(self) -> Any:
        """Build the processor."""
        return self.spec.build(self.surroundings)

    def tracks(self, samples: int, *, batch: int = 2, seed: int = 0) -> Tracks:
        """Return noise as audio and named inputs, and parameters that wander over their ranges."""
        draw = torch.Generator().manual_seed(seed)
        ctx = self.surroundings
        names = ("audio", *self.spec.traits(ctx).inputs)
        audio = {name: noise((batch, ctx.channels, samples), draw) for name in names}
        params = {
            f"param:{parameter.name}": parameter_track(parameter, samples, batch, ctx.hop, draw)
            for parameter in self.parameters
        }
        return {**audio, **params}

    def call(self, module: Any, tracks: Tracks, state: State = None) -> tuple[Any, ...]:
        """Run one block and return all that comes back."""
        audio = {name: track.values for name, track in tracks.items() if not name.startswith("param:")}
        params = {name[6:]: track.values for name, track in tracks.items() if name.startswith("param:")}
        return tuple(module(audio.pop("audio"), params, state, **audio))

    def step(self, module: Any, tracks: Tracks, state: State = None) -> tuple[torch.Tensor, State]:
        """Run one block: the audio and the state after it."""
        result = self.call(module, tracks, state)
        return result[0], result[1]


@attrs.frozen(kw_only=True, eq=False)
class ControllerCase:
    """Test a controller of `ctx.parameters`, with `ctx.knobs` and `ctx.features` to read.

    `feature_ranges` holds, per feature, the lowest and highest value of each of its dimensions; [0, 1]
    where it says nothing.
    """

    spec: Any
    ctx: BuildContext
    feature_ranges: Mapping[str, tuple[tuple[float, float], ...]] = attrs.field(factory=dict)
    hints: Hints = attrs.field(factory=dict)
    examples: Sequence[Any] = ()

    @property
    def lead(self) -> int:
        """Return 0: what a controller yields depends on its input at once, or after a few frames."""
        return 0

    @property
    def surroundings(self) -> BuildContext:
        """Return the context it is built for."""
        return self.ctx

    @property
    def grid(self) -> Grid:
        """Return the declared time grid."""
        rate: Grid = self.spec.traits(self.ctx).rate
        return rate

    @property
    def hop(self) -> int:
        """Return the declared samples between frames."""
        return int(self.spec.traits(self.ctx).hop)

    def build(self) -> Any:
        """Build the controller."""
        return self.spec.build(self.ctx)

    def tracks(self, samples: int, *, batch: int = 2, seed: int = 0) -> Tracks:
        """Return noise as audio, random knobs, and features that wander."""
        draw = torch.Generator().manual_seed(seed)
        shape = (batch, 1, frames_given(samples, self.ctx.hop))
        knobs = torch.rand(batch, len(self.ctx.knobs), generator=draw)
        tracks = {
            "audio": noise((batch, self.ctx.channels, samples), draw),
            "knobs": Track(values=knobs, grid="constant"),
            "clock": Track(values=torch.zeros(shape), grid="frame", hop=self.ctx.hop),
        }
        for name, dims in self.ctx.features.items():
            ranges = self.feature_ranges.get(name, ((0.0, 1.0),) * dims)
            values = [low + (high - low) * wander(shape, draw) for low, high in ranges]
            tracks[f"feature:{name}"] = Track(values=torch.cat(values, 1), grid="frame", hop=self.ctx.hop)
        return tracks

    def call(self, module: Any, tracks: Tracks, state: State = None) -> tuple[Any, ...]:
        """Run one block and return all that comes back."""
        features = {name[8:]: track.values for name, track in tracks.items() if name.startswith("feature:")}
        inputs = ControlInputs(
            audio=tracks["audio"].values,
            knobs=tracks["knobs"].values if self.ctx.knobs else None,
            features=features,
            frames=tracks["clock"].values.shape[-1],
        )
        return tuple(module(inputs, state))

    def step(self, module: Any, tracks: Tracks, state: State = None) -> tuple[torch.Tensor, State]:
        """Run one block: the values and the state after it."""
        result = self.call(module, tracks, state)
        return result[0], result[1]


def noise(shape: tuple[int, ...], generator: torch.Generator) -> Track:
    """Return white noise at -10 dBFS, on the grid of samples."""
    return Track(values=0.316 * torch.randn(shape, generator=generator), grid="sample")


def parameter_track(
    parameter: Parameter, samples: int, batch: int, hop: int, generator: torch.Generator
) -> Track:
    """Return physical values that wander over nearly the whole range, on the parameter's grid."""
    # "control" is tried in its harder form, as frames.
    grid: Grid = "frame" if parameter.rate == "control" else parameter.rate
    lengths = {"constant": 1, "sample": samples, "frame": frames_given(samples, hop)}
    shares = wander((batch, parameter.size, lengths[grid]), generator)
    return Track(values=parameter.to_physical(shares), grid=grid, hop=hop)


def weights(module: Any) -> dict[str, torch.nn.Parameter]:
    """Return the trainable tensors by name; none for a plain callable."""
    return dict(module.named_parameters()) if isinstance(module, torch.nn.Module) else {}


def stirred(case: Case, *, seed: int = 0, dtype: torch.dtype = torch.float32) -> Any:
    """Build the plugin and move every weight at random.

    A layer that starts at zero, or at a neutral setting, would hide faults in what leads to it. The
    module is in evaluation mode: what draws at random while it learns is repeatable there.
    """
    torch.manual_seed(seed)
    module = case.build()
    if not isinstance(module, torch.nn.Module):
        return module
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.1 * torch.randn_like(weight))
    return module.to(dtype).eval()


def run(
    case: Case, module: Any, tracks: Tracks, blocks: Sequence[int] = (), state: State = None
) -> torch.Tensor:
    """Run the whole of `tracks`, or its beginning in blocks of the given sizes; join what is yielded.

    Of constants the last block's are returned.
    """
    if not blocks:
        return case.step(module, tracks, state)[0]
    yields = []
    for start, stop in pairwise((0, *accumulate(blocks))):
        value, state = case.step(module, cut(tracks, start, stop), state)
        yields.append(value)
    return yields[-1] if case.grid == "constant" else torch.cat(yields, dim=-1)
