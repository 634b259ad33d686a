"""The values that flow through a run: recordings, batches, control inputs and model outputs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from typing import TYPE_CHECKING, Any, TypeVar, cast

import attrs

if TYPE_CHECKING:
    import torch

# A plain nest of dicts, tuples and tensors; None is silence before the start.
State = Any

Value = TypeVar("Value")

# What a conditioning tells the layers of a network in one block; only the conditioning reads it.
Guide = Any


@attrs.frozen(kw_only=True, eq=False)
class Recording:
    """Hold one whole recording of a dataset split.

    `target` and `input` are float32 [channels, samples] of equal length on the CPU; `input` is None
    for material without a dry side. `knobs` is float32 [knobs], or [knobs, frames] on the run's hop where
    they were turned meanwhile. `skip` counts the samples at the start that are left out of scores (an
    excerpt that starts in mid-take does not start from silence). `start` counts the samples of the take
    before the recording, where it is an excerpt: the device's clocks (an oscillator) had run that long.
    `digest` is the SHA-256 of the content.
    """

    name: str
    target: torch.Tensor
    input: torch.Tensor | None = None
    knobs: torch.Tensor | None = None
    skip: int = 0
    start: int = 0
    digest: str = ""

    @property
    def samples(self) -> int:
        """Return the length in samples."""
        return int(self.target.shape[-1])


@attrs.frozen(eq=False)
class Shared:
    """Keep what was made of tensors, so that all who need the same make it once."""

    _kept: dict[tuple[int, Hashable], tuple[torch.Tensor, Any]] = attrs.field(factory=dict)

    def of(self, tensor: torch.Tensor, name: Hashable, make: Callable[[torch.Tensor], Value]) -> Value:
        """Return `make(tensor)`, from before if it was made; `name` tells what is made and how."""
        key = (id(tensor), name)
        if key not in self._kept:
            # The tensor is kept too: while it lives, no other can have its id.
            self._kept[key] = (tensor, make(tensor))
        return cast(Value, self._kept[key][1])


@attrs.frozen(kw_only=True, eq=False)
class Batch:
    """Hold aligned segments: what goes into the model and what should come out.

    `target` [batch, channels, samples]; `input` the same or None; `knobs` [batch, knobs], with frames as a
    third axis where they move, or None; `features` name -> [batch, dims, frames]; frame k lies at sample
    k * hop of the segment. The first `warmup` samples bring the model's state into step and are not
    scored. `starts` int64 [batch], on the CPU, counts the samples of each take before its segment; None
    when all start at 0. `shared` keeps what several losses make of the target alike, such as its spectra.
    """

    target: torch.Tensor
    input: torch.Tensor | None = None
    knobs: torch.Tensor | None = None
    features: Mapping[str, torch.Tensor] = attrs.field(factory=dict)
    warmup: int = 0
    names: tuple[str, ...] = ()
    starts: torch.Tensor | None = None
    shared: Shared = attrs.field(factory=Shared)


@attrs.frozen(kw_only=True, eq=False)
class ControlInputs:
    """Hold what a controller may read in one block.

    `audio` [batch, channels, samples] is what enters the first node that it drives; `knobs`
    [batch, knobs]; `features` name -> [batch, dims, frames due in this block]; `frames` how many
    frames of the run's hop fall due in this block.
    """

    audio: torch.Tensor
    knobs: torch.Tensor | None = None
    features: Mapping[str, torch.Tensor] = attrs.field(factory=dict)
    frames: int = 0


@attrs.frozen(kw_only=True, eq=False)
class Output:
    """Hold everything one pass through a model yields.

    `audio` [batch, channels, samples]; `parameters` "node.parameter" -> [batch, size, time] in
    physical units; `stems` branch name -> audio of each parallel branch; `nodes` node name -> audio
    behind it, where a pass keeps that; `terms` "node.term" -> auxiliary tensor; `latency` samples by
    which `audio` is late, and each stem, unless `stems_late` has another number for it.
    """

    audio: torch.Tensor
    state: State = None
    parameters: Mapping[str, torch.Tensor] = attrs.field(factory=dict)
    stems: Mapping[str, torch.Tensor] = attrs.field(factory=dict)
    nodes: Mapping[str, torch.Tensor] = attrs.field(factory=dict)
    terms: Mapping[str, torch.Tensor] = attrs.field(factory=dict)
    latency: int = 0
    stems_late: Mapping[str, int] = attrs.field(factory=dict)


@attrs.frozen(kw_only=True, eq=False)
class Imported:
    """Hold a model that was read from another program's file.

    `sample_rate` in Hz; `nodes` name -> table as in an experiment file; `chain` as in its [model];
    `weights` node name -> state dict of that node's module; `knobs` name -> (low, high) of each setting
    that the model takes; `about` what the file says of itself.
    """

    sample_rate: int
    nodes: Mapping[str, Mapping[str, Any]]
    chain: tuple[Any, ...]
    weights: Mapping[str, Mapping[str, torch.Tensor]]
    knobs: Mapping[str, tuple[float, float]] = attrs.field(factory=dict)
    about: Mapping[str, Any] = attrs.field(factory=dict)
