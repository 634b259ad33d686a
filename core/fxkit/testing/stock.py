"""Plugins of the kit's own, for options that hold another plugin and for what needs a small model."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.spec import opt
from fxkit.traits import ConditioningTraits, ControlTraits, EmbeddingTraits, Traits

if TYPE_CHECKING:
    import torch
    from torch import Tensor, nn

    from fxkit.values import Batch, Output, Recording


@attrs.frozen(kw_only=True)
class Softener:
    """Saturate and average neighbours: a processor with a parameter, a state and a declared field."""

    share: float = opt(0.5, ge=0, le=1, help="share of the sample before")

    def parameters(self, ctx: BuildContext) -> Sequence[Parameter]:
        """Declare a drive that may move at every sample."""
        return (Parameter(name="drive", low=0.5, high=4.0, default=1.0, help="gain before saturation"),)

    def traits(self, ctx: BuildContext) -> Traits:
        """Declare a field of two samples."""
        return Traits(receptive_field=2)

    def build(self, ctx: BuildContext) -> Any:
        """Build the function."""
        import torch

        def soften(
            audio: Tensor, params: Mapping[str, Tensor], state: Tensor | None = None
        ) -> tuple[Tensor, Tensor]:
            driven = torch.tanh(params["drive"] * audio)
            last = torch.zeros_like(audio[..., :1]) if state is None else state
            joined = torch.cat((last, driven), dim=-1)
            return joined[..., 1:] + self.share * joined[..., :-1], joined[..., -1:]

        return soften


@attrs.frozen(kw_only=True)
class Still:
    """Learn constants: a controller."""

    start: float = opt(0.5, gt=0, lt=1, help="where the values start")

    def traits(self, ctx: BuildContext) -> ControlTraits:
        """Declare constants."""
        return ControlTraits()

    def build(self, ctx: BuildContext) -> nn.Module:
        """Build the module."""
        import torch

        class StillModule(torch.nn.Module):
            def __init__(self, start: float) -> None:
                super().__init__()
                self.logits = torch.nn.Parameter(torch.logit(torch.full((ctx.control_size,), start)))

            def forward(self, inputs: Any, state: Any = None) -> tuple[Tensor, None]:
                values = torch.sigmoid(self.logits)[None, :, None]
                return values.expand(inputs.audio.shape[0], -1, -1), None

        return StillModule(self.start)


@attrs.frozen(kw_only=True)
class MeanError:
    """Average the magnitude of the error: a loss."""

    scale: float = opt(1.0, gt=0, help="factor")

    def build(self, ctx: BuildContext) -> Any:
        """Build the function."""

        def measure(output: Output, batch: Batch) -> Tensor:
            return self.scale * (output.audio - batch.target).abs().mean(dim=(1, 2))

        return measure


@attrs.frozen(kw_only=True)
class Nudge:
    """Append the condition to the audio, and raise every layer by a share of it: a conditioning."""

    share: float = opt(0.5, gt=0, le=1, help="share of the condition")

    def parameters(self, ctx: BuildContext, widths: Sequence[int]) -> Sequence[Parameter]:
        """Declare one value."""
        return (Parameter(name="condition", low=0.0, high=1.0, default=0.5, help="what is added"),)

    def joined(self, ctx: BuildContext) -> int:
        """Return one channel."""
        return 1

    def traits(self, ctx: BuildContext, widths: Sequence[int]) -> ConditioningTraits:
        """Declare no memory."""
        return ConditioningTraits()

    def build(self, ctx: BuildContext, widths: Sequence[int]) -> Any:
        """Build the object."""
        import torch

        share = self.share

        class NudgeModule(torch.nn.Module):
            def enter(
                self, audio: Tensor, params: Mapping[str, Tensor], state: Any = None
            ) -> tuple[Tensor, Any, Any]:
                beside = params["condition"].expand(-1, -1, audio.shape[-1])
                return torch.cat((audio, beside), dim=1), params["condition"], None

            def settle(self, layer: int, level: Tensor, guide: Any) -> tuple[Tensor, Any]:
                return level + share * guide[..., :1], None

            def modulate(
                self, layer: int, signal: Tensor, guide: Any, state: Any = None
            ) -> tuple[Tensor, Any]:
                return signal + share * guide, None

        return NudgeModule()


@attrs.frozen(kw_only=True)
class Levels:
    """Describe a window by its level and that of its differences: an embedding."""

    window: float = opt(0.05, unit="s", gt=0, help="length of a window")

    def traits(self, ctx: BuildContext) -> EmbeddingTraits:
        """Declare it fit for everything that takes an embedding."""
        return EmbeddingTraits(published_for_fad=True)

    def build(self, ctx: BuildContext) -> Any:
        """Build the object."""
        return LevelsOfWindows(samples=round(self.window * ctx.sample_rate))


@attrs.frozen(kw_only=True)
class LevelsOfWindows:
    """Turn windows into two numbers each."""

    samples: int

    @property
    def hop(self) -> int:
        """Return the distance between windows."""
        return self.samples

    @property
    def provenance(self) -> str:
        """Say what the numbers are."""
        return f"levels of {self.samples} samples"

    def __call__(self, audio: Tensor) -> Tensor:
        """Map windows [batch, channels, samples] to [batch, 2]."""
        import torch

        mono = audio.double().mean(dim=1)
        return torch.stack((mono.std(dim=1), mono.diff(dim=1).std(dim=1)), dim=1)


# Kind of plugin -> specs to put where an option holds one; the second differs from the first.
STAND_INS: Mapping[str, tuple[Any, ...]] = {
    "processors": (Softener(), Softener(share=0.2)),
    "controllers": (Still(), Still(start=0.2)),
    "losses": (MeanError(), MeanError(scale=2.0)),
    "conditionings": (Nudge(), Nudge(share=0.2)),
    "embeddings": (Levels(), Levels(window=0.02)),
}


@attrs.frozen(kw_only=True)
class Descent:
    """Follow the gradient: an optimiser."""

    lr: float = opt(0.01, gt=0, help="learning rate")

    def build(self, parameters: Sequence[Mapping[str, Any]]) -> torch.optim.Optimizer:
        """Build the optimiser over parameter groups."""
        import torch

        return torch.optim.SGD([dict(group) for group in parameters], lr=self.lr)


@attrs.frozen(kw_only=True)
class Noise:
    """Offer one recording of noise and its softened copy per split: a dataset."""

    seconds: float = opt(0.25, unit="s", gt=0, help="length of each recording")

    def build(self, ctx: BuildContext) -> NoiseSplits:
        """Build the dataset."""
        return NoiseSplits(samples=round(self.seconds * ctx.sample_rate))


@attrs.frozen(kw_only=True)
class NoiseSplits:
    """Make the recordings when they are asked for."""

    samples: int
    channels: int = 1
    target_channels: int = 1
    knobs: tuple[str, ...] = ()

    def recordings(self, split: str) -> Sequence[Recording]:
        """Return one recording."""
        import torch

        from fxkit.values import Recording

        seed = ("train", "val", "test").index(split)
        dry = 0.3 * torch.randn(1, self.samples, generator=torch.Generator().manual_seed(seed))
        name = f"noise-{split}"
        return (Recording(name=name, input=dry, target=torch.tanh(2 * dry), digest=f"{name}-{self.samples}"),)
