"""Convolution equals a sample-by-sample loop, whatever the lengths and blocks."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal import convolution
from fxkit_signal.convolution import convolve


def looped(audio: torch.Tensor, taps: torch.Tensor) -> torch.Tensor:
    """Sum tap by tap in float64."""
    audio, taps = audio.double().numpy(), taps.double().numpy()
    batch, channels, samples = audio.shape
    taps = np.broadcast_to(taps, (batch, channels, taps.shape[-1]))
    out = np.zeros_like(audio)
    for k in range(min(taps.shape[-1], samples)):
        out[..., k:] += taps[..., k, None] * audio[..., : samples - k]
    return torch.from_numpy(out)


def in_blocks(audio, taps, sizes):
    parts, state = [], None
    for block in audio.split(sizes, dim=-1):
        part, state = convolve(block, taps, state)
        parts.append(part)
    return torch.cat(parts, dim=-1)


def error(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())


@settings(max_examples=60, deadline=None)
@given(
    length=st.sampled_from([1, 2, 3, 31, 32, 33, 64, 100, 257, 700]),
    samples=st.integers(1, 1500),
    shape=st.sampled_from([(1, 1), (3, 1), (1, 2), (3, 2)]),
    seed=st.integers(0, 99),
)
def test_any_lengths_equal_the_loop(length, samples, shape, seed):
    draw = torch.Generator().manual_seed(seed)
    audio = torch.randn(3, 2, samples, generator=draw)
    taps = torch.randn(*shape, length, generator=draw)
    assert error(convolve(audio, taps)[0], looped(audio, taps)) <= 1e-6


@pytest.mark.parametrize("length", [1, 64, 5000])
@pytest.mark.parametrize("sizes", [[1] * 300, [7] * 100, [64] * 30, [1, 333, 2, 0, 64, 2100, 48, 1]])
@pytest.mark.parametrize("compiled", [True, False])
def test_blocks_equal_the_loop(length, sizes, compiled, monkeypatch):
    monkeypatch.setattr(convolution, "compiled_for", lambda *_: compiled)
    draw = torch.Generator().manual_seed(1)
    audio = torch.randn(2, 2, sum(sizes), generator=draw)
    taps = torch.randn(1, 2, length, generator=draw) / length**0.5
    assert error(in_blocks(audio, taps, sizes), looped(audio, taps)) <= 1e-6


@pytest.mark.parametrize("compiled", [True, False])
def test_a_long_response_in_small_blocks_equals_the_loop(compiled, monkeypatch):
    monkeypatch.setattr(convolution, "compiled_for", lambda *_: compiled)
    draw = torch.Generator().manual_seed(2)
    audio = torch.randn(1, 1, 4096, generator=draw)
    taps = torch.randn(1, 1, 24000, generator=draw) * 0.9998 ** torch.arange(24000)
    assert error(in_blocks(audio, taps, [64] * 64), looped(audio, taps)) <= 1e-6


@pytest.mark.parametrize("path", ["_by_kernel", "_by_windows", "_by_product", "_by_one_fft", "_in_frames"])
@pytest.mark.parametrize(("length", "samples"), [(1, 5), (2, 1), (40, 9), (300, 700), (33, 2000)])
def test_each_form_is_exact_and_differentiable(path, length, samples):
    draw = torch.Generator().manual_seed(3)
    audio = torch.randn(2, 2, samples, generator=draw, dtype=torch.float64, requires_grad=True)
    taps = torch.randn(1, 2, length, generator=draw, dtype=torch.float64, requires_grad=True)
    joined = torch.nn.functional.pad(audio, (length - 1, 0))
    found = getattr(convolution, path)(joined, taps)
    expected = looped(audio.detach(), taps.detach())
    assert error(found.detach(), expected) <= 1e-12
    if path == "_by_kernel":  # has no gradient, and is not taken where one is asked for
        return
    drive = torch.randn(found.shape, generator=draw, dtype=torch.float64)
    gradients = torch.autograd.grad((found * drive).sum(), (audio, taps))
    # The adjoints of a convolution are correlations.
    to_audio = looped(drive.flip(-1), taps.detach()).flip(-1)
    to_taps = torch.stack(
        [(drive[..., k:] * audio[..., : samples - k]).sum(dim=(0, -1)) if k < samples else drive.new_zeros(2)
         for k in range(length)], dim=-1
    )  # fmt: skip
    assert error(gradients[0], to_audio) <= 1e-12
    assert error(gradients[1][0], to_taps.detach()) <= 1e-12


def test_gradcheck_through_blocks():
    draw = torch.Generator().manual_seed(4)
    audio = torch.randn(1, 2, 9, generator=draw, dtype=torch.float64, requires_grad=True)
    taps = torch.randn(1, 1, 4, generator=draw, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda a, h: in_blocks(a, h, [2, 1, 6]), (audio, taps))


def test_taps_may_change_between_blocks():
    audio = torch.ones(1, 1, 8)
    first, state = convolve(audio, torch.tensor([[[1.0, 1.0]]]))
    second, _ = convolve(audio, torch.tensor([[[0.0, 3.0]]]), state)
    assert first[0, 0].tolist() == [1.0] + [2.0] * 7
    assert second[0, 0].tolist() == [3.0] * 8


def test_the_state_is_a_copy_of_the_recent_past():
    audio = torch.randn(2, 1, 50)
    _, state = convolve(audio, torch.randn(1, 1, 9))
    assert torch.equal(state, audio[..., -8:])
    assert state.untyped_storage().nbytes() == 2 * 8 * 4
