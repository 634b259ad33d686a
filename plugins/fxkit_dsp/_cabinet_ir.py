"""Read an impulse response from a file and bring it into the form that a run needs."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import Tensor

from fxkit.errors import AssemblyError
from fxkit_signal.resampling import resample

_FADE = 0.1


def read_response(path: Path, rate: int) -> Tensor:
    """Read [channels, taps] at `rate` Hz, with the gain at every frequency that the file has.

    Raises `AssemblyError` when the file is missing, no audio, empty, not finite or silent.
    """
    import soundfile

    try:
        samples, own = soundfile.read(path, dtype="float32", always_2d=True)
    except (OSError, soundfile.LibsndfileError) as error:
        reason = "there is no such file" if not path.is_file() else str(error)
        raise _wrong(path, f"cannot be read ({reason}); name a WAV, FLAC, AIFF or OGG file") from error
    response = torch.from_numpy(samples.T.copy())
    if not response.numel() or not bool(response.isfinite().all()) or not bool(response.any()):
        raise _wrong(path, "holds no impulse response: it is empty, silent or not finite; export it again")
    # More samples per second sum to more: the taps shrink as the rate grows.
    resampled: Tensor = resample(response, own, rate) * (own / rate)
    return resampled


def _wrong(path: Path, message: str) -> AssemblyError:
    return AssemblyError("cabinet-ir", f"{path}: {message}")


def write_examples(folder: Path) -> tuple[Path, Path]:
    """Write a mono and a stereo response at other rates than usual; return their paths."""
    import soundfile

    folder.mkdir(parents=True, exist_ok=True)
    paths = folder / "mono.wav", folder / "stereo.wav"
    draw = torch.Generator().manual_seed(1)
    for path, channels in zip(paths, (1, 2), strict=True):
        response = torch.randn(300, channels, generator=draw) * 0.98 ** torch.arange(300)[:, None]
        soundfile.write(path, response.numpy(), 44100, subtype="FLOAT")
    return paths


def fitted(response: Tensor, channels: int) -> Tensor:
    """Return [channels, taps] where the response has so many channels, else their mean [1, taps]."""
    return response if response.shape[0] == channels else response.mean(dim=0, keepdim=True)


def cut(response: Tensor, length: int) -> Tensor:
    """Keep `length` taps, the last tenth of them faded out, where there are more."""
    length = max(length, 1)
    if response.shape[-1] <= length:
        return response
    fade = max(1, round(_FADE * length))
    ramp = 0.5 + 0.5 * torch.cos(torch.pi * torch.arange(1, fade + 1) / (fade + 1))
    kept = response[..., :length]
    return torch.cat([kept[..., :-fade], kept[..., -fade:] * ramp], dim=-1) if length > 1 else kept


def scaled(response: Tensor) -> Tensor:
    """Scale to an energy of 1, averaged over channels."""
    return response / response.square().sum(dim=-1).mean().sqrt()
