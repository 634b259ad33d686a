"""The gain of every dynamics design against a loop over samples, compiled and in torch."""

from __future__ import annotations

import math
from itertools import product

import pytest
import torch

from fxkit_signal import ballistics, dynamics, gain_computer
from fxkit_signal.dynamics import Design, Settings, dynamic_gain

DESIGNS = [Design(*flags) for flags in product((False, True), repeat=5)]
RANGES = ((-30, -10), (0.3, 0.9), (0, 12), (6, 20), (0.3, 0.9), (0.7, 0.95), (0.0, 0.6), (0.2, 0.9))


@pytest.fixture(params=["compiled", "torch"])
def path(request, monkeypatch):
    for module in (ballistics, dynamics, gain_computer):
        monkeypatch.setattr(module, "compiled_for", lambda *tensors: request.param == "compiled")
    return request.param


def name(design):
    return "-".join(flag for flag, on in vars(design).items() if on) or "plain"


def draw(shape, low, high, seed):
    share = torch.rand(shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))
    return low + (high - low) * share


def drawn(moving, batch=2, channels=2):
    tensors = [draw((batch, channels, moving), *ends, seed) for seed, ends in enumerate(RANGES)]
    return Settings(*tensors)


def levels(samples, batch=2, channels=2):
    return draw((batch, channels, samples), -1, 1, 99).pow(2) * draw((batch, 1, samples), 0, 1, 98)


def taken(over, slope, knee, reach):
    inside = knee > 0 and abs(over) < knee / 2
    beyond = (over + knee / 2) ** 2 / (2 * knee) if inside else max(over, 0.0)
    return min(slope * beyond, reach)


def gains_of_a_loop(level, settings, design):
    """Follow one channel; `settings` is a list of eight numbers per sample."""

    def less(u, s):
        loud = max(math.log10(u) if u > 0 else -math.inf, -12 if design.power else -6)
        over = (10 if design.power else 20) * loud - s[0]
        return taken(-over if design.expands else over, *s[1:4])

    mean, before = 0.0, 0.0
    at_rest = less(0.0, settings[0])
    first = second = 0.0 if design.on_level else at_rest
    gain, gains = 10 ** (-at_rest / 20), []
    for x, s in zip(level, settings, strict=True):
        u = x
        if design.feedback:
            u, before = before * gain ** (2 if design.power else 1), x
        if design.power:
            mean = u = s[7] * mean + (1 - s[7]) * u
        target = u if design.on_level else less(u, s)
        c = s[4] if target > first else s[5]
        first = c * first + (1 - c) * target
        second = s[6] * second + (1 - s[6]) * first if design.twice else first
        gain = 10 ** (-(less(second, s) if design.on_level else second) / 20)
        gains.append(gain)
    return gains


@pytest.mark.parametrize("moving", [1, 200])
@pytest.mark.parametrize("design", DESIGNS, ids=name)
def test_gain_is_that_of_a_loop_over_samples(path, design, moving):
    level, settings = levels(200), drawn(moving)
    found, _ = dynamic_gain(level, settings, design)
    rows = torch.stack([one.expand(2, 2, 200) for one in settings], dim=-1)
    for item, channel in product(range(2), range(2)):
        expected = gains_of_a_loop(level[item, channel].tolist(), rows[item, channel].tolist(), design)
        assert found[item, channel].tolist() == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("moving", [1, 12])
@pytest.mark.parametrize("design", DESIGNS, ids=name)
def test_gradients_are_those_of_finite_differences(path, design, moving):
    level, settings = 0.01 + levels(12, 1, 2), drawn(moving, 1, 2)
    state = dynamic_gain(0.1 + levels(5, 1, 2), drawn(1, 1, 2), design)[1]
    inputs = [tensor.clone().requires_grad_() for tensor in (level, state, *settings)]

    def run(level, state, *settings):
        return dynamic_gain(level, Settings(*settings), design, state)

    assert torch.autograd.gradcheck(run, inputs, fast_mode=True)


@pytest.mark.parametrize("design", DESIGNS, ids=name)
def test_blocks_join_to_the_whole(path, design):
    sizes = (1, 7, 0, 30, 2)
    level, settings = levels(sum(sizes)), drawn(sum(sizes))
    whole, _ = dynamic_gain(level, settings, design)
    state, parts, start = None, [], 0
    for size in sizes:
        block = slice(start, start + size)
        part, state = dynamic_gain(
            level[..., block], Settings(*(s[..., block] for s in settings)), design, state
        )
        parts.append(part)
        start += size
    assert (torch.cat(parts, -1) - whole).abs().max() < 1e-13


@pytest.mark.parametrize("design", DESIGNS, ids=name)
def test_short_blocks_and_long_ones_follow_alike(design):
    level, settings = levels(2 * dynamics.SHORT), drawn(1)
    whole, last = dynamic_gain(level, settings, design)
    state, parts = None, []
    for part in level.split(dynamics.SHORT // 2, -1):
        gain, state = dynamic_gain(part, settings, design, state)
        parts.append(gain)
    assert (torch.cat(parts, -1) - whole).abs().max() < 1e-13
    assert (state - last).abs().max() < 1e-11


def test_an_expander_starts_shut():
    settings = Settings(*(torch.full((1, 1, 1), x) for x in (-40.0, 3.0, 0.0, 30.0, 0.999, 0.999, 0.0, 0.0)))
    gain, _ = dynamic_gain(torch.zeros(1, 1, 10), settings, Design(expands=True))
    assert gain.flatten().tolist() == pytest.approx([10 ** (-30 / 20)] * 10)
