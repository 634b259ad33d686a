"""Rate changes equal zero-stuffing, filtering and picking, done plainly, in any blocks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal.halfband import lowpass
from fxkit_signal.polyphase import change_rate, change_rate_by_ratio, polyphase, windowed_sinc
from fxkit_signal.rate_ratio import rate_ratio


def plainly(audio, taps, up, down, early, count):
    """Insert zeros, convolve, keep every `down`-th sample; float64."""
    stuffed = np.zeros((*audio.shape[:2], audio.shape[-1] * up + count * down + early))
    stuffed[..., : audio.shape[-1] * up : up] = audio.double().numpy()
    filtered = np.apply_along_axis(lambda row: np.convolve(row, taps), -1, stuffed)
    return torch.from_numpy(filtered[..., early : early + count * down : down])


def error(found, expected):
    return float((found - expected).abs().max() / expected.abs().max())


@settings(max_examples=40, deadline=None)
@given(
    factor=st.sampled_from([2, 3, 4, 8]),
    length=st.integers(1, 90),
    sizes=st.lists(st.integers(0, 40), min_size=1, max_size=6),
    rising=st.booleans(),
)
def test_whole_factors_in_any_blocks(factor, length, sizes, rising):
    draw = np.random.default_rng(length)
    taps = draw.normal(size=length)
    unit, early = (1, 0) if rising else (factor, factor - 1)
    change = polyphase(taps, *((factor, 1) if rising else (1, factor)), early=early)
    audio = torch.from_numpy(draw.normal(size=(2, 2, unit * (sum(sizes) + 1))))
    parts, state = [], None
    for block in audio.split([unit * size for size in (*sizes, 1)], dim=-1):
        part, state = change_rate(block, change, state)
        parts.append(part)
    found = torch.cat(parts, dim=-1)
    traced, _ = change_rate(audio.clone().requires_grad_(), change)
    assert error(traced.detach(), found) <= 1e-12
    count = audio.shape[-1] * factor if rising else audio.shape[-1] // factor
    expected = plainly(audio, taps, *((factor, 1) if rising else (1, factor)), early, count)
    assert found.shape == expected.shape
    assert error(found, expected) <= 1e-12


@pytest.mark.parametrize(("outer", "inner"), [(48000, 44100), (44100, 48000), (48000, 96000), (48000, 32000)])
@pytest.mark.parametrize("sizes", [[1] * 400, [7] * 60, [64] * 8, [1, 333, 0, 2, 64, 48, 1]])
def test_ratios_in_any_blocks(outer, inner, sizes):
    ratio = rate_ratio(outer, inner)
    taps = lowpass(ratio.cutoff, 20 / max(ratio) / 200, 3 * max(ratio))
    change = polyphase(taps, ratio.up, ratio.down)
    audio = torch.randn(1, 2, sum(sizes), generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    parts, state, position = [], None, 0
    for block in audio.split(sizes, dim=-1):
        due = ratio.due(position, block.shape[-1])
        part, state = change_rate_by_ratio(block, change, due, state)
        parts.append(part)
        position += block.shape[-1]
    found = torch.cat(parts, dim=-1)
    assert found.shape[-1] == math.ceil(sum(sizes) * ratio.up / ratio.down)
    assert error(found, plainly(audio, taps, ratio.up, ratio.down, 0, found.shape[-1])) <= 1e-12


def test_a_sine_keeps_its_shape_at_another_rate():
    ratio = rate_ratio(48000, 44100)
    taps = ratio.up * windowed_sinc(ratio.cutoff, ratio.length)
    change = polyphase(taps, ratio.up, ratio.down)
    time = torch.arange(9600, dtype=torch.float64) / 48000
    count = ratio.due(0, 9600)
    found, _ = change_rate_by_ratio(torch.sin(2 * math.pi * 17000 * time)[None, None], change, count)
    late = (ratio.length - 1) / 2 / ratio.up / 48000
    expected = torch.sin(2 * math.pi * 17000 * (torch.arange(count, dtype=torch.float64) / 44100 - late))
    assert float((found[0, 0] - expected)[1000:].abs().max()) <= 2e-5


def test_what_the_lower_rate_cannot_hold_is_gone():
    ratio = rate_ratio(48000, 44100)
    change = polyphase(ratio.up * windowed_sinc(ratio.cutoff, ratio.length), ratio.up, ratio.down)
    time = torch.arange(9600, dtype=torch.float64) / 48000
    found, _ = change_rate_by_ratio(torch.sin(2 * math.pi * 22500 * time)[None, None], change, 8820)
    assert float(found[..., 1000:].abs().max()) <= 1e-5


def test_long_and_short_designs_agree():
    assert np.allclose(windowed_sinc(0.1, 101).numpy(), lowpass(0.1, 0.5, 50), atol=1e-14)


def test_gradients_are_exact():
    change = polyphase(np.random.default_rng(1).normal(size=13), 4, 1)
    back = polyphase(np.random.default_rng(2).normal(size=13), 1, 4, early=3)
    audio = torch.randn(1, 2, 21, dtype=torch.float64, requires_grad=True)
    assert torch.autograd.gradcheck(lambda x: change_rate(change_rate(x, change)[0], back)[0], audio)


@pytest.mark.parametrize(("outer", "inner"), [(48000, 48000), (48000, 0), (48000, 44101)])
def test_ratios_that_do_not_work_are_refused(outer, inner):
    with pytest.raises(ValueError, match="Hz"):
        rate_ratio(outer, inner)
