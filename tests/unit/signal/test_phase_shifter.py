import math

import numpy as np
import pytest
import torch

from fxkit_signal import phase_shifter as module
from fxkit_signal.phase_shifter import phase_shifter

RATE = 48000


@pytest.fixture(params=["compiled", "torch"])
def path(request, monkeypatch):
    monkeypatch.setattr(module, "compiled_for", lambda *tensors: request.param == "compiled")
    return request.param


def noise(*shape, seed=0):
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def moving(samples):
    return (800 * 2 ** torch.sin(torch.arange(samples, dtype=torch.float64) * 0.01))[None, None]


def sample_by_sample(x, frequency, feedback, stages):
    """The rotations of the module's docstring, in plain Python floats."""
    held, last, out = [0.0] * stages, 0.0, []
    for n in range(len(x)):
        tangent = math.tan(math.pi * frequency[n] / RATE)
        c = (tangent - 1) / (tangent + 1)
        s = math.sqrt(1 - c * c)
        value = x[n] + feedback[n] * last
        for stage in range(stages):
            value, held[stage] = c * value + s * held[stage], s * value - c * held[stage]
        last = value
        out.append(value)
    return np.array(out)


@pytest.mark.parametrize("stages", [1, 4, 7])
def test_moving_stages_with_feedback_equal_the_loop_over_samples(stages, path):
    x, f = noise(1, 1, 300), moving(300)
    g = 0.9 * torch.sin(torch.arange(300) * 0.03).double()[None, None]
    found, _ = phase_shifter(x, f, g, stages=stages, sample_rate=RATE)
    expected = sample_by_sample(x.flatten().tolist(), f.flatten().tolist(), g.flatten().tolist(), stages)
    np.testing.assert_allclose(found.flatten(), expected, atol=1e-12)


def test_each_stage_turns_the_phase_by_90_degrees_and_keeps_the_level(path):
    x = torch.zeros(1, 1, 8192, dtype=torch.float64)
    x[..., 0] = 1
    frequency = torch.full((1, 1, 1), 1500.0)
    y, _ = phase_shifter(x, frequency, torch.zeros(1, 1, 1), stages=3, sample_rate=RATE)
    spectrum = torch.fft.rfft(y[0, 0])
    torch.testing.assert_close(spectrum.abs(), torch.ones(4097, dtype=torch.float64), rtol=0, atol=1e-9)
    assert math.degrees(float(spectrum[256].angle())) == pytest.approx(90, abs=1e-6)  # -270


def test_a_moving_cascade_keeps_the_energy_of_what_entered():
    x = torch.cat([noise(1, 1, 2000), torch.zeros(1, 1, 20000, dtype=torch.float64)], -1)
    y, _ = phase_shifter(x, moving(22000), torch.zeros(1, 1, 1), stages=6, sample_rate=RATE)
    assert float(y.square().sum()) == pytest.approx(float(x.square().sum()), rel=1e-9)


def test_a_loop_stays_bounded_while_the_frequency_jumps():
    x = noise(1, 1, 40000)
    jumps = torch.where(torch.arange(40000) // 7 % 2 == 0, 100.0, 15000.0)[None, None]
    y, _ = phase_shifter(x, jumps, torch.full((1, 1, 1), 0.95), stages=6, sample_rate=RATE)
    assert float(y.abs().max()) < 20 * float(x.abs().max())


@pytest.mark.parametrize("cuts", [(1,) * 20, (7,) * 20, (100, 3, 1, 60)])
def test_any_split_gives_the_same_samples(cuts, path):
    x, f, g = noise(2, 2, sum(cuts)), moving(sum(cuts)), torch.full((2, 1, 1), -0.7)
    whole, after = phase_shifter(x, f, g, stages=4, sample_rate=RATE)
    pieces, state, start = [], None, 0
    for size in cuts:
        part = slice(start, start + size)
        piece, state = phase_shifter(x[..., part], f[..., part], g, state, stages=4, sample_rate=RATE)
        pieces.append(piece)
        start += size
    torch.testing.assert_close(torch.cat(pieces, -1), whole, rtol=0, atol=1e-12)
    torch.testing.assert_close(state, after, rtol=0, atol=1e-12)


def test_gradients_to_everything_are_those_of_finite_differences(path):
    x, f = noise(2, 1, 20).requires_grad_(), (12000 + 100 * moving(20) / 8).clone().requires_grad_()
    g = torch.tensor([[[0.7]], [[-0.6]]], dtype=torch.float64, requires_grad=True)
    stages, out = noise(2, 1, 3, seed=1).requires_grad_(), noise(2, 1, seed=2).requires_grad_()

    def run(x, f, g, stages, out):
        y, after = phase_shifter(x, f, g, {"stages": stages, "out": out}, stages=3, sample_rate=RATE)
        return (y, *after.values())

    assert torch.autograd.gradcheck(run, (x, f, g, stages, out), eps=1e-6, atol=1e-6)
