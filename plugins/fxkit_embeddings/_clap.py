"""The module behind `clap`."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import torch
from torch import nn

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit_embeddings._clap_folder import NEEDED, ClapFolder, needs_package
from fxkit_embeddings._weight_file import verified
from fxkit_signal.resampling import resample

if TYPE_CHECKING:
    from fxkit_embeddings.clap import CLAP

_LEAST_POWER = 1e-10
_TINY = {
    "patch_embeds_hidden_size": 8, "depths": [1, 1], "num_attention_heads": [2, 2], "hidden_size": 16,
    "projection_dim": 12, "window_size": 4, "spec_size": 64, "num_mel_bins": 16, "aff_block_r": 2,
}  # fmt: skip


class CLAPModule(nn.Module):
    """Run the audio network of CLAP on windows; `network` and `front` are those of transformers."""

    hann: torch.Tensor
    bands: torch.Tensor
    repeats = True

    def __init__(self, network: nn.Module, front: Any, rate: int, hop: float, digest: str = "") -> None:
        super().__init__()
        self.network, self.rate, self.digest = network, rate, digest
        self.network_rate, self.step, self.length = (
            front.sampling_rate,
            front.hop_length,
            front.nb_max_samples,
        )
        self.samples = round(self.length * rate / self.network_rate)
        self.hop = max(1, round(hop * rate))
        self.provenance = f"clap, weights of SHA-256 {digest}"
        self.fused = bool(network.config.enable_fusion)  # type: ignore[union-attr]
        bands = front.mel_filters if self.fused else front.mel_filters_slaney
        window = torch.hann_window(front.fft_window_size, dtype=torch.float64)
        self.register_buffer("hann", window, persistent=False)
        self.register_buffer("bands", torch.as_tensor(bands, dtype=torch.float64), persistent=False)

    def forward(self, audio: torch.Tensor) -> torch.Tensor:
        """Map windows [batch, channels, samples] to unit vectors [batch, dims]; channels are averaged."""
        mono = audio.to(self.hann.device).mean(dim=1)
        if self.rate != self.network_rate:
            mono = resample(mono, self.rate, self.network_rate)
        mono = nn.functional.pad(mono, (0, max(0, self.length - mono.shape[-1])))[:, : self.length]
        picture = self.picture(mono)[:, None]
        # A network with fusion takes the whole and three pieces, which of 10 s are the same.
        picture = picture.expand(-1, 4, -1, -1) if self.fused else picture
        whole = torch.zeros(len(audio), 1, dtype=torch.bool, device=picture.device)
        found = self.network(input_features=picture, is_longer=whole).audio_embeds
        return nn.functional.normalize(found, dim=-1)

    def picture(self, mono: torch.Tensor) -> torch.Tensor:
        """Return the mel spectrogram [batch, frames, bands] in dB of mono audio [batch, samples]."""
        size = self.hann.shape[0]
        spectrum = torch.stft(
            mono.double(),
            size,
            self.step,
            window=self.hann,
            center=True,
            pad_mode="reflect",
            return_complex=True,
        )
        power = spectrum.abs().square().transpose(1, 2) @ self.bands
        return (10 * power.clamp(min=_LEAST_POWER).log10()).float()


def loaded(spec: CLAP, ctx: BuildContext) -> CLAPModule:
    """Return the network of a checkpoint; raises `AssemblyError` naming what is missing or wrong with it."""
    folder = ClapFolder.at(spec.weights)
    folder.check()
    found = verified(folder.weights, "clap", NEEDED, spec.sha256)
    config, model, extractor = _parts()
    try:
        network = model(config(**folder.audio_config()))
        front = extractor(**folder.front_end())
        ours = {k: v for k, v in _tensors(folder.weights).items() if k.startswith("audio_")}
        missing = network.load_state_dict(ours, strict=False).missing_keys
    except Exception as error:
        reason = (str(error) or type(error).__name__).splitlines()[0]
        raise AssemblyError("clap", f"{folder.weights} is no checkpoint of CLAP ({reason})") from error
    lost = [name for name in missing if not name.endswith(("relative_position_index", "num_batches_tracked"))]
    if lost:
        raise AssemblyError(
            "clap",
            f"{folder.weights} is no checkpoint of CLAP ({len(lost)} weights, as {lost[0]}, are not there)",
        )
    module = CLAPModule(network, front, ctx.sample_rate, spec.hop, found)
    return module.to(ctx.device).eval().requires_grad_(False)


def _parts() -> tuple[Any, Any, Any]:
    """Return transformers' classes of configuration, network and front end."""
    try:
        from transformers import ClapAudioConfig, ClapAudioModelWithProjection, ClapFeatureExtractor
    except ImportError as error:
        raise AssemblyError("clap", f"{needs_package()} ({error})") from error
    return ClapAudioConfig, ClapAudioModelWithProjection, ClapFeatureExtractor


def _tensors(path: Path) -> dict[str, torch.Tensor]:
    if path.suffix == ".safetensors":
        from safetensors.torch import load_file

        loaded_tensors: dict[str, torch.Tensor] = load_file(path)
        return loaded_tensors
    found: dict[str, torch.Tensor] = torch.load(path, map_location="cpu", weights_only=True)
    return found


def write_random(folder: Path, seed: int, *, fused: bool = False) -> Path:
    """Write a checkpoint of a small network, with 2 s of audio per window, into a folder, and return that."""
    from safetensors.torch import save_file

    config, model, _ = _parts()
    fusion = {"enable_fusion": True} if fused else {}
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        network = model(config(**_TINY, **fusion))
    folder.mkdir(parents=True, exist_ok=True)
    front = {
        "feature_size": 16,
        "max_length_s": 2,
        "frequency_min": 50,
        "frequency_max": 14000,
        "hop_length": 960,
    }
    (folder / "config.json").write_text(json.dumps({"audio_config": {**_TINY, **fusion}}), "utf-8")
    (folder / "preprocessor_config.json").write_text(json.dumps(front), "utf-8")
    weights = {name: value.contiguous() for name, value in network.state_dict().items()}
    save_file(weights, folder / "model.safetensors")
    return folder
