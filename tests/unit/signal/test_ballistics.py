"""Level smoothers and switches against loops over samples, compiled and in torch."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal import ballistics
from fxkit_signal.ballistics import attack_release, decoupled, held_open, smoothing_coefficient


@pytest.fixture(params=["compiled", "torch"])
def path(request, monkeypatch):
    monkeypatch.setattr(ballistics, "compiled_for", lambda *tensors: request.param == "compiled")
    return request.param


def followed(level, attack, release, start=0.0):
    last, out = start, []
    for x, rise, fall in zip(level, attack, release, strict=True):
        last = rise * last + (1 - rise) * x if x > last else fall * last + (1 - fall) * x
        out.append(last)
    return out


def looped(level, attack, release):
    rows = torch.stack([level, attack.expand_as(level), release.expand_as(level)], dim=2).tolist()
    return torch.tensor([[followed(*row) for row in item] for item in rows], dtype=torch.float64)


def draw(*shape, seed=0):
    return torch.rand(*shape, dtype=torch.float64, generator=torch.Generator().manual_seed(seed))


@pytest.mark.parametrize("moving", [1, 500])
@pytest.mark.parametrize("slower_attack", [False, True])
def test_level_rises_by_the_attack_and_falls_by_the_release(path, moving, slower_attack):
    level = draw(2, 3, 500)
    quick, slow = 0.8 * draw(2, 3, moving, seed=1), 0.9 + 0.09 * draw(2, 3, moving, seed=2)
    attack, release = (slow, quick) if slower_attack else (quick, slow)
    smooth, state = attack_release(level, attack, release)
    expected = looped(level, attack, release)
    assert (smooth - expected).abs().max() < 1e-14
    assert (state - expected[..., -1]).abs().max() < 1e-14


def test_branches_that_are_now_faster_now_slower_are_found(path):
    level, attack, release = draw(1, 1, 400), draw(1, 1, 400, seed=1), draw(1, 1, 400, seed=2)
    smooth, _ = attack_release(level, attack, release)
    assert (smooth - looped(level, attack, release)).abs().max() < 1e-14


def test_slow_release_of_a_float32_level_is_as_exact_as_in_float64(path):
    release = smoothing_coefficient(torch.tensor([[[60_000.0]]]), 48000)
    level = torch.zeros(1, 1, 48_000)
    smooth, _ = attack_release(level, 0 * release, release, torch.ones(1, 1, dtype=torch.float64))
    assert smooth[0, 0, -1].item() == pytest.approx(math.exp(-1 / 60), rel=1e-7)


def test_a_step_leaves_one_part_in_e_after_its_time():
    coefficient = smoothing_coefficient(torch.tensor([[[10.0]]]), 48000)
    smooth, _ = attack_release(torch.ones(1, 1, 480), coefficient, 0 * coefficient)
    assert smooth[0, 0, -1].item() == pytest.approx(1 - math.exp(-1), rel=1e-6)


def test_no_time_means_no_smoothing():
    assert smoothing_coefficient(torch.tensor(0.0), 48000) == 0


@pytest.mark.parametrize("moving", [1, 25])
def test_gradients_are_those_of_finite_differences(path, moving):
    level, start = draw(2, 2, 25).requires_grad_(), draw(2, 2, seed=3).requires_grad_()
    attack = draw(1, 2, moving, seed=1).requires_grad_()
    release = draw(2, 1, moving, seed=2).requires_grad_()
    assert torch.autograd.gradcheck(attack_release, (level, attack, release, start))


def test_a_traced_graph_gives_the_same():
    level, attack, release = draw(2, 1, 16), draw(2, 1, 16, seed=1), draw(1, 1, 1, seed=2)
    traced = torch.compile(attack_release, backend="eager", fullgraph=True)
    found, state = traced(level, attack, release)
    expected, last = attack_release(level, attack, release)
    assert (found - expected).abs().max() < 1e-14
    assert (state - last).abs().max() < 1e-14


def test_float32_gradients_agree_between_compiled_and_torch(monkeypatch):
    found = {}
    for name in ("compiled", "torch"):
        monkeypatch.setattr(ballistics, "compiled_for", lambda *tensors, name=name: name == "compiled")
        level = draw(2, 1, 4000).float().requires_grad_()
        attack, release = (torch.full((2, 1, 1), c).requires_grad_() for c in (0.95, 0.999))
        smooth, _ = attack_release(level, attack, release)
        found[name] = torch.autograd.grad(smooth.square().sum(), (level, attack, release))
    for one, other in zip(*found.values(), strict=True):
        assert (one - other).abs().max() <= 1e-6 * other.abs().max()


@settings(max_examples=15, deadline=None)
@given(st.lists(st.integers(0, 90), min_size=1, max_size=8))
def test_blocks_join_to_the_whole(sizes):
    level, attack, release = draw(1, 2, sum(sizes)), draw(1, 2, sum(sizes), seed=1), draw(1, 1, 1, seed=2)
    whole, last = attack_release(level, attack, release)
    state, parts = None, []
    for x, rise in zip(level.split(sizes, -1), attack.split(sizes, -1), strict=True):
        part, state = attack_release(x, rise, release, state)
        parts.append(part)
    assert torch.equal(torch.cat(parts, -1), whole)
    assert torch.equal(state, last)


def test_decoupled_smoother_is_a_held_peak_smoothed_by_the_attack(path):
    level, attack, release = draw(1, 1, 300), draw(1, 1, 1, seed=4), draw(1, 1, 1, seed=5)
    held = smooth = 0.0
    expected = []
    for x in level.flatten().tolist():
        held = max(x, release.item() * held + (1 - release.item()) * x)
        smooth = attack.item() * smooth + (1 - attack.item()) * held
        expected.append(smooth)
    first, state = decoupled(level[..., :120], attack, release)
    second, _ = decoupled(level[..., 120:], attack, release, state)
    found = torch.cat((first, second), -1).flatten()
    assert (found - torch.tensor(expected, dtype=torch.float64)).abs().max() < 1e-14


def switched(level, upper, lower, hold):
    on, waited, out = False, math.inf, []
    for x in level:
        on = x > upper or (on and x >= lower)
        waited = 0 if on else waited + 1
        out.append(waited <= hold)
    return out


@settings(max_examples=40, deadline=None)
@given(st.lists(st.integers(0, 4), max_size=40), st.integers(0, 6), st.integers(1, 13))
def test_switch_opens_above_shuts_below_and_holds(levels, hold, block):
    level = torch.tensor(levels, dtype=torch.float32)[None, None]
    upper, lower, wait = (torch.tensor([[[value]]]) for value in (2.5, 1.5, float(hold)))
    state, parts = None, [torch.zeros(1, 1, 0, dtype=torch.bool)]
    for part in level.split(block, -1):
        is_open, state = held_open(part, upper, lower, wait, state)
        parts.append(is_open)
    assert torch.cat(parts, -1).flatten().tolist() == switched(levels, 2.5, 1.5, hold)
