import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal import biquad, dispatch
from fxkit_signal.svf import svf

RATE = 48000


@pytest.fixture(params=["compiled", "torch"])
def path(request, monkeypatch):
    if request.param == "torch":
        monkeypatch.setattr(dispatch, "has_compiler", lambda: False)
    return request.param


def random(*shape, seed=0):
    return torch.from_numpy(np.random.default_rng(seed).standard_normal(shape))


def controls(batch, samples, seed=0):
    draw = np.random.default_rng(seed)
    frequency = np.exp(draw.uniform(np.log(40), np.log(15000), (batch, 1, samples)))
    q = np.exp(draw.uniform(np.log(0.4), np.log(12), (batch, 1, samples)))
    return torch.from_numpy(np.tan(np.pi * frequency / RATE)), torch.from_numpy(1 / (2 * q))


def solved_loop(x, g, r, state):
    """Two trapezoidal integrators around the loop, its linear equations solved for each sample."""
    (s1, s2), out = state, []
    for n in range(len(x)):
        # low = g band + s2, band = g high + s1, high = x - 2 r band - low
        system = np.array([[1, -g[n], 0], [0, 1, -g[n]], [1, 2 * r[n], 1]])
        low, band, high = np.linalg.solve(system, [s2, s1, x[n]])
        s1, s2 = s1 + 2 * g[n] * high, s2 + 2 * g[n] * band
        out.append((low, band, high))
    return np.array(out).T, np.array([s1, s2])


@pytest.mark.parametrize(("g_moves", "r_moves"), [(False, False), (True, False), (False, True), (True, True)])
def test_outputs_equal_the_loop_solved_sample_by_sample(path, g_moves, r_moves):
    x, state = random(2, 2, 400), random(2, 2, 2, seed=1)
    g, r = controls(2, 400)
    g, r = g if g_moves else g[..., :1], r if r_moves else r[..., :1]
    outputs, end = svf(x, g, r, state)
    for item in range(2):
        for channel in range(2):
            g_track, r_track = (track[item, 0].expand(400).numpy() for track in (g, r))
            expected, past = solved_loop(
                x[item, channel].numpy(), g_track, r_track, state[item, channel].numpy()
            )
            for found, right in zip(outputs, expected, strict=True):
                assert np.allclose(found[item, channel].numpy(), right, atol=1e-9)
            assert np.allclose(end[item, channel].numpy(), past, atol=1e-9)


def test_still_controls_give_the_biquads_of_the_same_frequency_and_q(path):
    frequency, q = torch.tensor(1000.0, dtype=torch.float64), torch.tensor(3.0, dtype=torch.float64)
    x = random(1, 1, 4000)
    g = torch.tan(math.pi * frequency / RATE).view(1, 1, 1)
    (low, band, high), _ = svf(x, g, 1 / (2 * q).view(1, 1, 1))
    for found, design in ((low, biquad.low_pass), (band / q, biquad.band_pass), (high, biquad.high_pass)):
        expected, _ = biquad.sosfilt(x, design(frequency, q, RATE)[None, None])
        assert torch.allclose(found, expected, atol=1e-9)


@pytest.mark.parametrize("moves", [False, True])
def test_gradients_pass_gradcheck(path, moves):
    x, state = random(2, 2, 9).requires_grad_(), random(2, 2, 2, seed=1).requires_grad_()
    g, r = (track[..., : None if moves else 1].clone().requires_grad_() for track in controls(2, 9))

    def run(x, g, r, state):
        outputs, end = svf(x, g, r, state)
        return *outputs, end

    assert torch.autograd.gradcheck(run, (x, g, r, state), eps=1e-6, atol=1e-6, rtol=1e-4)


def test_one_pair_of_controls_serves_the_whole_batch(path):
    x = random(3, 2, 50)
    once = [track.requires_grad_() for track in controls(1, 50)]
    many = [track.detach().expand(3, -1, -1).clone().requires_grad_() for track in once]
    for tracks in (once, many):
        sum(output.square().sum() for output in svf(x, *tracks)[0]).backward()
    for one, several in zip(once, many, strict=True):
        assert torch.allclose(one.grad, several.grad.sum(0, keepdim=True), rtol=1e-9)


@settings(deadline=None, max_examples=20)
@given(st.lists(st.sampled_from([1, 7, 64, 3, 50]), min_size=1, max_size=9), st.booleans(), st.booleans())
def test_any_split_into_blocks_gives_the_offline_output(sizes, moves, compiled):
    samples = sum(sizes)
    x = random(2, 1, samples).float()
    g, r = (track if moves else track[..., :1] for track in controls(2, samples))
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, "has_compiler", lambda: compiled)
        whole, end = svf(x, g, r)
        parts, state, start = [], None, 0
        for block in x.split(sizes, dim=-1):
            some = [t[..., start : start + block.shape[-1]] if moves else t for t in (g, r)]
            part, state = svf(block, *some, state)
            parts.append(torch.stack(part))
            start += block.shape[-1]
    assert torch.allclose(torch.cat(parts, dim=-1), torch.stack(whole), atol=1e-5)
    assert torch.allclose(state, end, rtol=1e-6, atol=1e-9)


def test_energy_never_grows_however_the_controls_jump(path):
    g, r = controls(4, 3000, seed=5)
    state = random(4, 1, 2)
    _, end = svf(torch.zeros(4, 1, 3000), g, r, state)
    assert (end.square().sum(-1) <= state.square().sum(-1)).all()


def test_nothing_in_gives_nothing_out_and_keeps_the_state(path):
    state = random(1, 1, 2)
    outputs, after = svf(torch.zeros(1, 1, 0), *controls(1, 1), state)
    assert all(output.shape == (1, 1, 0) for output in outputs)
    assert torch.equal(after, state)
