"""Declare what a processor or controller promises; the contract kit proves it by perturbation."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import attrs

if TYPE_CHECKING:
    from fxkit.context import BuildContext


@attrs.frozen(kw_only=True)
class Traits:
    """Hold the declared properties of a processor.

    `latency`: samples by which the output is late. `receptive_field`: input samples that one output
    sample depends on; None when it is unbounded (recursion). `differentiable`: gradients pass
    through it. `straight_through`: they are an estimate and not the derivative, as where rounding lets
    them pass (Bengio, Léonard and Courville, 2013). `source`: makes sound from parameters alone; its
    `audio` argument has zero channels and only carries batch, length, type and device. `channels_in`:
    the numbers of channels that it takes; None for any. `channels_out`: None when the output has as
    many channels as the input (for a source: as many as the run's target). `inputs`: named signals
    beside the main audio ("sidechain", ...), passed as keyword arguments. `macs`: multiplications with
    addition per sample, over all channels; None when they are torch's matrix products and
    convolutions, which can be counted. `terms`: names of auxiliary terms; if any, `forward` returns a
    third value, a mapping from those names to tensors with the batch first. `autocast`: its matrix products
    may run in half precision where `train.precision` asks for it; all else runs in float32.
    """

    latency: int = 0
    causal: bool = True
    receptive_field: int | None = None
    differentiable: bool = True
    straight_through: bool = False
    source: bool = False
    channels_in: tuple[int, ...] | None = None
    channels_out: int | None = None
    inputs: tuple[str, ...] = ()
    macs: float | None = None
    terms: tuple[str, ...] = ()
    autocast: bool = False


@attrs.frozen(kw_only=True)
class ControlTraits:
    """Hold the declared properties of a controller.

    `rate`: the time grid of its values: "constant", "sample", or "frame" with `hop` samples between
    frames. `uses`: what it reads, of "knobs", "audio" and "features". `receptive_field`: samples of the
    audio that one value depends on; None when it is unbounded (recursion). `terms` as in `Traits`.
    """

    rate: Literal["constant", "sample", "frame"] = "constant"
    hop: int = 0
    uses: tuple[Literal["knobs", "audio", "features"], ...] = ()
    causal: bool = True
    receptive_field: int | None = None
    terms: tuple[str, ...] = ()

    @property
    def delay(self) -> int:
        """Return the samples after which a change of the audio has reached the parameters, at most.

        A causal controller that listens and gives frames makes frame j of the samples before
        (j - 1) * hop, and the parameters have arrived there at sample j * hop.
        """
        return 2 * self.hop if self.rate == "frame" and "audio" in self.uses else 0


@attrs.frozen(kw_only=True)
class ConditioningTraits:
    """Hold the declared properties of a conditioning.

    `recursive`: what it makes of the past has no end. `lookahead`: samples of the future that it reads.
    `block`: samples of the grid, counted from the start of the signal, that it works on; 0 for none. A
    network whose conditioning looks ahead gives it whole blocks of that grid. `macs`: multiplications
    with addition per sample, over all layers, for networks that declare theirs.
    """

    recursive: bool = False
    lookahead: int = 0
    block: int = 0
    macs: float = 0.0

    @property
    def latency(self) -> int:
        """Return by how many samples a network is late that waits for whole blocks, if it has to."""
        return self.block - 1 if self.lookahead else 0


@attrs.frozen(kw_only=True)
class LossTraits:
    """Hold the declared properties of a loss.

    `distance`: it compares the output with the target, and nothing costs less than the target itself.
    `uses`: what it reads beside the two: the recording that entered the model ("input"). `terms`: names
    "node.term" of the model's auxiliary terms that it reads. `least_samples`: the shortest signal that
    it can measure. `channels`: the numbers of channels that it takes; None for any. `differentiable`: it can
    be trained on; else it is a metric alone. `higher_is_better`: as with an accuracy; only for metrics.
    `sign_blind`: output and target cost the same when either is turned upside down, as where magnitudes of
    spectra are compared.
    """

    distance: bool = True
    differentiable: bool = True
    higher_is_better: bool = False
    sign_blind: bool = False
    uses: tuple[Literal["input"], ...] = ()
    terms: tuple[str, ...] = ()
    least_samples: int = 1
    channels: tuple[int, ...] | None = None


def loss_traits(spec: Any, ctx: BuildContext) -> LossTraits:
    """Return what the spec of a loss declares; the defaults where it declares nothing."""
    declare = getattr(spec, "traits", None)
    declared: LossTraits = declare(ctx) if callable(declare) else LossTraits()
    return declared


@attrs.frozen(kw_only=True)
class EmbeddingTraits:
    """Hold the declared properties of an embedding.

    `published_for_fad`: a Fréchet audio distance was published with it, so that its distance may be called
    one.
    """

    published_for_fad: bool = False


def embedding_traits(spec: Any, ctx: BuildContext) -> EmbeddingTraits:
    """Return what the spec of an embedding declares; the defaults where it declares nothing."""
    declare = getattr(spec, "traits", None)
    declared: EmbeddingTraits = declare(ctx) if callable(declare) else EmbeddingTraits()
    return declared
