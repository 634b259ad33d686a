"""The module behind `vggish`."""

from __future__ import annotations

import math
import pickle
from pathlib import Path
from typing import Any

import torch
from torch import nn

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit_embeddings._weight_file import verified
from fxkit_embeddings.vggish import NEEDED
from fxkit_signal.mel import hz_to_mel
from fxkit_signal.resampling import resample

RATE = 16000
_SAMPLES, _STEP = 15600, 15360
_FRAMES, _FRAME, _HOP, _FFT = 96, 400, 160, 512
_BANDS, _LOW, _HIGH = 64, 125.0, 7500.0
_OFFSET = 0.01
_WIDTHS: tuple[int | None, ...] = (64, None, 128, None, 256, 256, None, 512, 512, None)


class VGGishModule(nn.Module):
    """Run VGGish on windows; the names of its weights are those of the published file."""

    hann: torch.Tensor
    bands: torch.Tensor
    network_rate = RATE

    def __init__(self, rate: int, digest: str = "") -> None:
        super().__init__()
        self.rate, self.digest = rate, digest
        self.provenance = f"vggish, weights of SHA-256 {digest}"
        self.samples, self.hop = round(_SAMPLES * rate / RATE), round(_STEP * rate / RATE)
        self.features = nn.Sequential(*_convolutions())
        self.embeddings = nn.Sequential(
            nn.Linear(512 * 4 * 6, 4096), nn.ReLU(), nn.Linear(4096, 4096), nn.ReLU(), nn.Linear(4096, 128)
        )
        self.register_buffer("hann", torch.hann_window(_FRAME), persistent=False)
        self.register_buffer("bands", _mel_weights().float(), persistent=False)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """Map windows [batch, channels, samples] to vectors [batch, 128]; channels are averaged."""
        mono = audio.to(self.hann.device).mean(dim=1)
        if self.rate != RATE:
            mono = resample(mono, self.rate, RATE)[..., :_SAMPLES]
        frames = mono.unfold(-1, _FRAME, _HOP)[:, :_FRAMES]
        picture = (torch.fft.rfft(frames * self.hann, _FFT).abs() @ self.bands + _OFFSET).log()
        seen = self.features(picture[:, None])
        # The published network flattens height, width, channels in this order.
        vectors: torch.Tensor = self.embeddings(seen.permute(0, 2, 3, 1).flatten(1))
        return vectors


def _convolutions() -> list[nn.Module]:
    layers: list[nn.Module] = []
    before = 1
    for width in _WIDTHS:
        if width is None:
            layers.append(nn.MaxPool2d(2, 2))
        else:
            layers += [nn.Conv2d(before, width, 3, padding=1), nn.ReLU()]
            before = width
    return layers


def _mel_weights() -> torch.Tensor:
    """Return triangles [bins, bands] of height 1 that are straight in mel: the front end of AudioSet."""
    bins = hz_to_mel(torch.fft.rfftfreq(_FFT, 1 / RATE, dtype=torch.float64))[:, None]
    low, high = (float(hz_to_mel(torch.tensor(edge, dtype=torch.float64))) for edge in (_LOW, _HIGH))
    edges = torch.linspace(low, high, _BANDS + 2, dtype=torch.float64)
    rising = (bins - edges[:-2]) / (edges[1:-1] - edges[:-2])
    falling = (edges[2:] - bins) / (edges[2:] - edges[1:-1])
    weights = torch.minimum(rising, falling).clamp(min=0)
    weights[0] = 0
    return weights


def loaded(path: Path, prefix: str, ctx: BuildContext) -> VGGishModule:
    """Return the network with the weights of a file; raises `AssemblyError` naming what is wrong with it."""
    module = VGGishModule(ctx.sample_rate, verified(path, "vggish", NEEDED, prefix))
    try:
        weights: dict[str, Any] = torch.load(path, map_location="cpu", weights_only=True)
        module.load_state_dict({k: v for k, v in weights.items() if not k.startswith("pproc.")})
    except (RuntimeError, EOFError, pickle.UnpicklingError, AttributeError) as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise AssemblyError("vggish", f"{path} does not hold the weights of VGGish ({reason})") from error
    return module.to(ctx.device).eval().requires_grad_(False)


def write_random(path: Path, seed: int) -> Path:
    """Write a small file that `loaded` takes: each output of a layer has one weight for all its inputs."""
    draw = torch.Generator().manual_seed(seed)
    shapes = {name: value.shape for name, value in VGGishModule(RATE).state_dict().items()}
    weights = {
        name: (
            torch.randn(shape[0], *[1] * (len(shape) - 1), generator=draw)
            / math.sqrt(shape.numel() / shape[0])
        ).expand(shape)
        for name, shape in shapes.items()
    }
    torch.save(weights, path)
    return path
