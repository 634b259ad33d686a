"""The ladder filter against a loop over samples that solves its equation by bisection."""

import math

import pytest
import torch

from fxkit_signal import ladder as module
from fxkit_signal.ladder import ladder

MIX = torch.tensor([0.0, 0.0, 0.0, 0.0, 1.0], dtype=torch.float64)
ODD_MIX = torch.tensor([0.3, -0.8, 0.5, 0.7, 1.1], dtype=torch.float64)


@pytest.fixture(params=["compiled", "torch"])
def path(request, monkeypatch):
    if request.param == "torch":
        monkeypatch.setattr(module, "compiled_for", lambda *tensors: False)
    return request.param


def by_bisection(x, g, k, mix, saturate):
    """Solve all four stages and the loop anew for each sample, knowing nothing but the circuit."""
    states, out = [0.0] * 4, []
    shape = math.tanh if saturate else float

    def stages_for(level, gn):
        ys = [level]
        for state in states:
            ys.append((state + gn * ys[-1]) / (1 + gn))
        return ys

    for xn, gn, kn in zip(x, g, k, strict=True):
        low, high = -1e4, 1e4
        for _ in range(200):
            e = (low + high) / 2
            miss = e + kn * stages_for(shape(e), gn)[4] - xn
            low, high = (low, e) if miss > 0 else (e, high)
        ys = stages_for(shape(e), gn)
        states = [2 * y - state for y, state in zip(ys[1:], states, strict=True)]
        out.append(sum(w * y for w, y in zip(mix, ys, strict=True)))
    return torch.tensor(out, dtype=torch.float64)


def moving(samples, seed=0):
    draw = torch.Generator().manual_seed(seed)
    x = 3 * torch.randn(1, 1, samples, dtype=torch.float64, generator=draw)
    g = 10 ** (-2 + 2.7 * torch.rand(1, 1, samples, dtype=torch.float64, generator=draw))
    k = 3.9 * torch.rand(1, 1, samples, dtype=torch.float64, generator=draw)
    return x, g, k


@pytest.mark.parametrize("saturate", [False, True])
def test_the_output_is_that_of_the_circuit(path, saturate):
    x, g, k = moving(300)
    out, _ = ladder(x, g, k, ODD_MIX, saturate=saturate)
    expected = by_bisection(x.flatten().tolist(), g.flatten().tolist(), k.flatten().tolist(),
                            ODD_MIX.tolist(), saturate)  # fmt: skip
    assert torch.allclose(out.flatten(), expected, rtol=1e-9, atol=1e-9)


@pytest.mark.parametrize("hertz", [100.0, 1000.0, 8000.0])
@pytest.mark.parametrize("k", [0.0, 2.0, 3.5])
def test_the_linear_ladder_has_the_analogue_response_at_warped_frequencies(path, hertz, k):
    """H(s) = 1 / ((1 + s)^4 + k) with s = j tan(w / 2) / g."""
    samples, cutoff = 6000, 2000.0
    g = torch.full((1, 1, 1), math.tan(math.pi * cutoff / 48000), dtype=torch.float64)
    time = torch.arange(samples, dtype=torch.float64)
    tone = torch.exp(2j * math.pi * hertz / 48000 * time)
    parts = torch.stack([tone.real, tone.imag])[:, None]
    out, _ = ladder(parts, g, torch.full_like(g, k), MIX, saturate=False)
    found = torch.complex(out[0, 0, -1], out[1, 0, -1]) / tone[-1]
    s = 1j * math.tan(math.pi * hertz / 48000) / float(g)
    assert abs(complex(found) - 1 / ((1 + s) ** 4 + k)) < 1e-6


@pytest.mark.parametrize("saturate", [False, True])
def test_gradients_are_right(path, saturate):
    draw = torch.Generator().manual_seed(1)
    x = torch.randn(2, 2, 9, dtype=torch.float64, generator=draw, requires_grad=True)
    g = (0.1 + torch.rand(2, 1, 9, dtype=torch.float64, generator=draw)).requires_grad_()
    k = (3 * torch.rand(2, 1, 1, dtype=torch.float64, generator=draw)).requires_grad_()
    state = torch.randn(2, 2, 4, dtype=torch.float64, generator=draw, requires_grad=True)
    assert torch.autograd.gradcheck(
        lambda *given: ladder(*given[:3], ODD_MIX, given[3], saturate=saturate), (x, g, k, state)
    )


@pytest.mark.parametrize("saturate", [False, True])
def test_blocks_of_any_size_give_the_whole(path, saturate):
    x, g, k = moving(200, seed=2)
    whole, end = ladder(x, g, k, MIX, saturate=saturate)
    parts, state = [], None
    for cut in zip(*(value.split([1, 7, 64, 1, 127], dim=-1) for value in (x, g, k)), strict=True):
        part, state = ladder(*cut, MIX, state, saturate=saturate)
        parts.append(part)
    assert torch.allclose(torch.cat(parts, dim=-1), whole, atol=1e-12)
    assert torch.allclose(state, end, atol=1e-12)


@pytest.mark.parametrize("size", [1e-6, 0.1, 1.0, 30.0, 1e4])
@pytest.mark.parametrize("k", [0.0, 0.5, 4.0])
def test_newtons_method_arrives_for_any_level_and_feedback(path, size, k):
    """The solution is put back into the equation that it solves."""
    x = size * torch.randn(1, 1, 500, dtype=torch.float64, generator=torch.Generator().manual_seed(3))
    g = torch.full((1, 1, 1), math.tan(math.pi * 0.45), dtype=torch.float64)
    taps = [ladder(x, g, torch.full_like(g, k), row, saturate=True)[0] for row in torch.eye(5).double()]
    level, fourth = taps[0], taps[4]
    assert torch.allclose((x - k * fourth).tanh(), level, atol=1e-12)


def test_beyond_four_the_saturated_ladder_rings_at_its_frequency_within_bounds():
    click = torch.zeros(1, 1, 48000, dtype=torch.float64)
    click[..., 0] = 0.1
    g = torch.full((1, 1, 1), math.tan(math.pi * 1000 / 48000), dtype=torch.float64)
    out, _ = ladder(click, g, torch.full_like(g, 4.4), MIX, saturate=True)
    tail = out[0, 0, 24000:]
    crossings = int((tail[1:].sign() != tail[:-1].sign()).sum())
    assert 0.05 < float(tail.abs().max()) < 1
    assert crossings == pytest.approx(1000, rel=0.03)


def test_no_samples_leave_the_state_alone(path):
    state = torch.ones(1, 1, 4, dtype=torch.float64)
    one = torch.ones(1, 1, 1, dtype=torch.float64)
    out, after = ladder(torch.zeros(1, 1, 0), one, one, MIX, state, saturate=True)
    assert out.shape == (1, 1, 0)
    assert torch.equal(after, state)
