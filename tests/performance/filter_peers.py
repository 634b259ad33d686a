"""Other libraries' filters, for `bench_filters.py`: each a function, or the reason why it is not there."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Callable
from functools import cache
from typing import Any

import torch
import torchaudio
from torch import Tensor

RATE = 48000


def load(name: str) -> Any:
    """Import a module, or raise `ImportError` with a reason in one line."""
    try:
        return importlib.import_module(name)
    except Exception as error:
        raise ImportError(f"{name}: {type(error).__name__}: {str(error).splitlines()[0]}") from error


@cache
def nablafx_processors() -> Any:
    """Import nablafx's processors without its package, which needs a tracker, a downloader and more."""
    found = importlib.util.find_spec("nablafx")
    if found is None or not found.submodule_search_locations:
        raise ImportError("nablafx: not installed")
    root = found.submodule_search_locations[0]
    for name, path in (("nablafx", root), ("nablafx.processors", f"{root}/processors")):
        package = types.ModuleType(name)
        package.__path__ = [path]
        sys.modules[name] = package
    return load("nablafx.processors.ddsp")


def lfilter(audio: Tensor, sos: Tensor) -> Tensor:
    """Filter by torchaudio, section by section; one set of sections [1, sections, 6]."""
    for section in sos[0].to(audio.dtype):
        audio = torchaudio.functional.lfilter(audio, section[3:], section[:3], clamp=False)
    return audio


def sampling(audio: Tensor, sos: Tensor) -> Tensor:
    """Filter by multiplying spectra with the response sampled on a grid of twice the length."""
    points = 2 ** (2 * audio.shape[-1] - 2).bit_length()
    b, a = (torch.fft.rfft(part, points) for part in sos[0].to(audio.dtype).split(3, dim=-1))
    return torch.fft.irfft(torch.fft.rfft(audio, points) * (b / a).prod(0), points)[..., : audio.shape[-1]]


def dasp(audio: Tensor, sos: Tensor) -> Tensor:
    """Filter by dasp_pytorch's frequency sampling."""
    sections = sos.to(audio.dtype).expand(len(audio), -1, -1)
    filtered: Tensor = load("dasp_pytorch.signal").sosfilt_via_fsm(sections, audio)
    return filtered


def nablafx(audio: Tensor, sos: Tensor) -> Tensor:
    """Filter by nablafx's frequency sampling, as its equaliser does in training."""
    module = nablafx_processors()
    filtered: Tensor = module.sosfilt_via_fsm(sos.to(audio.dtype).expand(len(audio), -1, -1), audio)
    return filtered


def torchlpc(audio: Tensor, sos: Tensor) -> Tensor:
    """Filter by torchlpc, section by section: the zeros by products, then the poles."""
    run = load("torchlpc").sample_wise_lpc
    x = audio[:, 0]
    tracks = sos.to(audio.dtype)
    moving = tracks.shape[1] == x.shape[-1] and tracks.dim() == 4
    for k in range(tracks.shape[-2]):
        section = tracks[:, :, k] if moving else tracks[:, None, k].expand(len(x), x.shape[-1], -1)
        b0, b1, b2 = section[..., :3].unbind(-1)
        late = torch.nn.functional.pad(x, (2, 0))
        zeros = b0 * x + b1 * late[:, 1:-1] + b2 * late[:, :-2]
        x = run(zeros, section[..., 4:].contiguous())
    return x[:, None]


def nablafx_moving(audio: Tensor, bands: int) -> Callable[[Tensor], Tensor]:
    """Return nablafx's dynamic peak (1 band) or equaliser (5) on controls [batch, 3 * bands, samples]."""
    module = nablafx_processors()
    kind = module.Peaking if bands == 1 else module.ParametricEQ
    processor = kind(RATE, block_size=128, control_type="dynamic")
    return lambda controls: processor(audio, controls, train=True)[0]  # type: ignore[no-any-return]
