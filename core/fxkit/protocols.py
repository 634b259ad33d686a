"""The protocols of every plugin kind: what a spec declares and what its built object does.

A spec (see `fxkit.spec`) describes and builds; it imports torch only inside `build`. The object it
builds is what runs. Nothing has to inherit from anything here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import TYPE_CHECKING, Any, Protocol, runtime_checkable

from fxkit.context import BuildContext
from fxkit.course_protocols import OptimizerSpec as OptimizerSpec
from fxkit.course_protocols import Ramp as Ramp
from fxkit.course_protocols import RampSpec as RampSpec
from fxkit.course_protocols import Schedule as Schedule
from fxkit.course_protocols import ScheduleSpec as ScheduleSpec
from fxkit.parameter import Parameter
from fxkit.traits import ConditioningTraits, ControlTraits, EmbeddingTraits, LossTraits, Traits
from fxkit.values import Batch, ControlInputs, Guide, Imported, Output, Recording, State

if TYPE_CHECKING:
    from pathlib import Path

    import torch


class CheckedSpec(Protocol):
    """Add to a spec of any kind what its options must fulfil together; optional."""

    def problems(self) -> Iterable[tuple[str, str]]:
        """Yield (option, what is wrong with it), nothing when all is well; without torch.

        Each is reported where that option was written, or at the table when it was left out.
        """


class ProcessorSpec(Protocol):
    """Describe and build a processor: something that makes or changes sound."""

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare what a controller sets; without torch."""

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare latency, causality, receptive field and inputs; without torch."""

    def build(self, ctx: BuildContext) -> Processor:
        """Build the module for the given surroundings."""


class Processor(Protocol):
    """Turn audio and parameters into audio, carrying state from block to block."""

    def __call__(
        self,
        audio: torch.Tensor,
        params: Mapping[str, torch.Tensor],
        state: State = None,
        **inputs: torch.Tensor,
    ) -> tuple[torch.Tensor, State]:
        """Process one block.

        `audio` [batch, channels, samples]; `params` name -> [batch, size, 1 | samples | frames] in
        physical units, on the grid that the parameter declares; `state` None means silence before
        the start. Returns audio of the same length and the state after it.
        """


class Clocked(Protocol):
    """Add to a processor or controller whose sound depends on how long it has run; optional.

    Training cuts segments out of recordings; what has a clock of its own (an oscillator, noise) gives
    through this the state that it would have had there.
    """

    def state_at(self, starts: torch.Tensor) -> State:
        """Return the state after silence that lasted `starts` samples, int64 [batch] on the CPU."""


class Tuned(Protocol):
    """Add to a processor, controller or loss whose weights do not all train alike; optional."""

    def weight_rules(self) -> Mapping[str, Mapping[str, float]]:
        """Return name of a weight, as in `named_parameters()` -> what differs for it.

        "lr" is a factor on the learning rate that its node has, "weight_decay" replaces the optimiser's.
        """


class ConditioningSpec(Protocol):
    """Describe how a condition acts on the layers of a network.

    `widths` are the channels of each of the network's layers, first to last, where they are modulated:
    before the activation.
    """

    def parameters(self, ctx: BuildContext, widths: Sequence[int]) -> Sequence[Parameter]:
        """Declare what a controller sets, which the network passes on as its own; without torch."""

    def joined(self, ctx: BuildContext) -> int:
        """Return how many channels `enter` adds to what the network reads; without torch."""

    def traits(self, ctx: BuildContext, widths: Sequence[int]) -> ConditioningTraits:
        """Declare memory, look-ahead and cost; without torch."""

    def build(self, ctx: BuildContext, widths: Sequence[int]) -> Conditioning:
        """Build the module."""


class Conditioning(Protocol):
    """Act on what a network reads and on its layers, carrying state from block to block.

    In each block a network calls `enter` once and `modulate` once for each layer. Where it starts from
    the steady state of silence, it finds that by a sample of silence: `enter` with no state gives what
    the layers read and the guide, `settle` takes each layer's level on. `fxkit.unconditioned` stands in
    where there is none; `fxkit.whole_blocks` runs networks whose conditioning looks ahead.
    """

    def enter(
        self, audio: torch.Tensor, params: Mapping[str, torch.Tensor], state: State = None
    ) -> tuple[torch.Tensor, Guide, State]:
        """Return what the network reads instead of `audio`, what guides its layers, and the state.

        `audio` [batch, channels, samples]; what is returned has `joined` channels more, after those.
        `params` are the network's parameters in physical units, [batch, size, 1 | samples]; `state`
        None is silence before the start, with the parameters where they stand first. The guide holds for
        this block alone.
        """

    def settle(self, layer: int, level: torch.Tensor, guide: Guide) -> tuple[torch.Tensor, State]:
        """Return the modulated `level` [batch, widths[layer], 1] of a layer that has stood for ever.

        `guide` is that of one sample of silence at the start. The state is the one to start `modulate` with.
        """

    def modulate(
        self, layer: int, signal: torch.Tensor, guide: Guide, state: State = None
    ) -> tuple[torch.Tensor, State]:
        """Return `signal` [batch, widths[layer], samples] of one layer, modulated, and the state.

        `state` None is a layer that stood at zero before the start.
        """


class ControllerSpec(Protocol):
    """Describe and build a controller: something that decides a processor's parameters."""

    def traits(self, ctx: BuildContext) -> ControlTraits:
        """Declare the time grid of the values and what they are made from; without torch."""

    def build(self, ctx: BuildContext) -> Controller:
        """Build the module; `ctx.parameters` lists what it must set, in order."""


class Controller(Protocol):
    """Emit normalised parameter values, carrying state from block to block."""

    def __call__(self, inputs: ControlInputs, state: State = None) -> tuple[torch.Tensor, State]:
        """Return values in [0, 1], [batch, ctx.control_size, 1 | samples | frames due], and the state.

        Frame k holds at sample k * hop; samples in between are interpolated towards frame k + 1. A
        block of samples [start, stop) needs the frames up to (stop - 1) // hop + 1, so those not yet
        emitted fall due in it. `fxkit_signal.framing.frames_due` counts them.
        """


class DeclaredLoss(Protocol):
    """Add to the spec of a loss that is no plain distance of two signals of any length; optional."""

    def traits(self, ctx: BuildContext) -> LossTraits:
        """Declare what it compares, reads and needs; without torch."""


class Adversarial(Protocol):
    """Add to a loss whose own weights learn against the model, such as a discriminator's; optional.

    A phase then lets the two take turns; the model learns by the loss itself.
    """

    def judge(self, output: Output, batch: Batch) -> torch.Tensor:
        """Return what the loss's own weights minimise, [batch]; no gradient reaches the model."""


class LossSpec(Protocol):
    """Describe and build a loss or metric."""

    def build(self, ctx: BuildContext) -> Loss:
        """Build the module."""


class Loss(Protocol):
    """Measure how far a model's output is from what was recorded."""

    def __call__(self, output: Output, batch: Batch) -> torch.Tensor:
        """Return one value per item, [batch]; finite, with finite gradient, on silence too.

        The kernel has already cut warm-up and latency from `output.audio` and `batch.target`.
        """


class Composed(Protocol):
    """Add to a loss that is a weighted sum of others, so that each of them is recorded; optional."""

    def parts(self, output: Output, batch: Batch) -> Mapping[str, tuple[float, torch.Tensor]]:
        """Return name -> weight and value [batch] of each part; the loss is the sum of their products.

        The kernel calls this in the loss's place. With nothing in it, the loss is measured as any other.
        """


class DatasetSpec(Protocol):
    """Describe and build a dataset."""

    def build(self, ctx: BuildContext) -> Dataset:
        """Find, check and load the material; raise `DataError` with one line per defect."""


@runtime_checkable
class Dataset(Protocol):
    """Offer whole recordings by split; the kernel cuts segments, orders and batches them."""

    @property
    def channels(self) -> int:
        """Return the channels of the input (0 when there is none)."""

    @property
    def target_channels(self) -> int:
        """Return the channels of the target."""

    @property
    def knobs(self) -> tuple[str, ...]:
        """Return the names of the recorded device's settings."""

    def recordings(self, split: str) -> Sequence[Recording]:
        """Return the recordings of "train", "val" or "test"; each source file is in one split only."""


class FeatureSpec(Protocol):
    """Describe and build a feature extractor."""

    def dims(self, ctx: BuildContext) -> int:
        """Return the number of dimensions per frame; without torch."""

    def build(self, ctx: BuildContext) -> Feature:
        """Build the extractor."""


class Feature(Protocol):
    """Extract a frame series from whole recordings."""

    def __call__(self, audio: torch.Tensor) -> torch.Tensor:
        """Map audio [channels, samples] to [dims, samples // hop + 1].

        Frame k is centred on sample k * hop.
        """


class CallbackSpec(Protocol):
    """Describe and build a callback."""

    def build(self, ctx: BuildContext) -> Any:
        """Build an object that implements any of the hooks in `fxkit.hooks`."""


class TransformSpec(Protocol):
    """Describe and build a data-time augmentation."""

    def build(self, ctx: BuildContext) -> Transform:
        """Build the transform."""


class Transform(Protocol):
    """Change a training batch: input and target alike."""

    def __call__(self, batch: Batch, generator: torch.Generator) -> Batch:
        """Return the changed batch; all randomness comes from `generator`."""


class DeclaredEmbedding(Protocol):
    """Add to the spec of an embedding that distances were published with; optional."""

    def traits(self, ctx: BuildContext) -> EmbeddingTraits:
        """Declare what distances by it may be called; without torch."""


class Needing(Protocol):
    """Add to the spec of a plugin that needs more than its distribution: files, other packages; optional."""

    def unmet(self) -> Iterable[tuple[str, str]]:
        """Yield (option, what is wrong) for what is not on this machine; without torch.

        `fxkit check` and `fxkit run` ask; loading a trained model does not.
        """


class EmbeddingSpec(Protocol):
    """Describe and build an embedding."""

    def build(self, ctx: BuildContext) -> Embedding:
        """Build the embedding."""


class Embedding(Protocol):
    """Map windows of audio to vectors, for distances between sets of recordings.

    `samples` is the length of a window at the run's sample rate, `hop` the usual distance between
    windows; `provenance` says what the numbers are: the arithmetic, or the weights by their hash. One
    with weights may have their SHA-256 as `digest`, one whose network hears at a rate of its own that rate in
    Hz as `network_rate`; one that wants recordings shorter than a window repeated rather than followed by
    silence has `repeats = True`.
    """

    samples: int
    hop: int
    provenance: str

    def __call__(self, audio: torch.Tensor) -> torch.Tensor:
        """Map windows [batch, channels, samples] to vectors [batch, dims], item by item."""


class ExporterSpec(Protocol):
    """Describe and build an exporter."""

    def build(self, ctx: BuildContext) -> Exporter:
        """Build the exporter."""


class Exporter(Protocol):
    """Write a trained model in a form that runs elsewhere."""

    def __call__(self, model: Any, folder: str) -> Sequence[str]:
        """Write the files and return their paths."""


class ImporterSpec(Protocol):
    """Describe and build an importer."""

    def build(self, ctx: BuildContext) -> Importer:
        """Build the importer."""


class Importer(Protocol):
    """Read a model that another program trained."""

    def reads(self, path: Path) -> bool:
        """Tell, from name and content, whether the file is of this importer's format."""

    def __call__(self, path: Path) -> Imported:
        """Read the file; raises `DataError` that names the file and what in it cannot be read."""
