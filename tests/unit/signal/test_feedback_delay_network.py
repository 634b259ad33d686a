"""Both forms of the network equal a loop over samples, forwards, backwards and in blocks."""

from __future__ import annotations

import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal import feedback_delay_network as module
from fxkit_signal.feedback_delay_network import decay_losses, feedback_delay_network, prime_delays

DELAYS = (7, 11, 13, 29)
FORMS = pytest.mark.parametrize("compiled", [True, False])


@pytest.fixture(autouse=True)
def form(request, monkeypatch):
    chosen = getattr(request.node, "callspec", None)
    if chosen and "compiled" in chosen.params:
        monkeypatch.setattr(module, "compiled_for", lambda *_: chosen.params["compiled"])


def looped(drive, delays, mixing, low, high, pole):
    """Run the defining equations one sample at a time, in float64 numpy."""
    drive, mixing, low, high, pole = (
        part.detach().double().numpy() for part in (drive, mixing, low, high, pole)
    )
    batch, lines, samples = drive.shape
    entered, out, smooth = np.zeros_like(drive), np.zeros_like(drive), np.zeros((batch, lines))
    for n in range(samples):
        read = np.stack(
            [entered[:, j, n - m] if n >= m else np.zeros(batch) for j, m in enumerate(delays)], axis=1
        )
        smooth = (1 - pole) * read + pole * smooth
        out[..., n] = high * read + (low - high) * smooth
        entered[..., n] = drive[..., n] + out[..., n] @ mixing.T
    return torch.from_numpy(out)


def network(batch=2, samples=300, seed=0, lines=4):
    draw = torch.Generator().manual_seed(seed)
    random = torch.randn(lines, lines, generator=draw, dtype=torch.float64)
    mixing = torch.matrix_exp(random - random.T)
    drive = torch.randn(batch, lines, samples, generator=draw, dtype=torch.float64)
    low, high, pole = (0.2 + 0.75 * torch.rand(batch, lines, generator=draw).double() for _ in range(3))
    return drive, mixing, low, high, pole


def run(drive, mixing, low, high, pole, sizes=None):
    parts, state = [], None
    for block in drive.split(sizes or drive.shape[-1], dim=-1):
        losses = {"low": low, "high": high, "pole": pole}
        part, state = feedback_delay_network(block, DELAYS, mixing, losses, state)
        parts.append(part)
    return torch.cat(parts, dim=-1)


@FORMS
def test_the_network_equals_the_loop(compiled):
    given_ = network()
    assert torch.allclose(run(*given_), looped(given_[0], DELAYS, *given_[1:]), atol=1e-12)


@FORMS
@pytest.mark.parametrize("sizes", [[1] * 300, [7] * 42 + [6], [64, 0, 3, 100, 1, 132]])
def test_any_blocks_give_the_same(compiled, sizes):
    given_ = network(seed=1)
    assert torch.allclose(run(*given_, sizes), run(*given_), atol=1e-12)


@FORMS
def test_float32_audio_is_exact_to_its_last_digits(compiled):
    drive, *rest = network(samples=2000, seed=2)
    found = run(drive.float(), *rest)
    assert found.dtype == torch.float32
    expected = looped(drive.float(), DELAYS, *rest)
    assert float((found - expected).abs().max() / expected.abs().max()) <= 1e-7


@FORMS
def test_gradients_through_blocks_are_exact(compiled):
    given_ = [part.requires_grad_() for part in network(batch=2, samples=33, seed=3)]
    assert torch.autograd.gradcheck(lambda *parts: run(*parts, [5, 1, 20, 7]), given_)


def test_both_forms_have_the_same_gradients(monkeypatch):
    results = []
    for compiled in (True, False):
        monkeypatch.setattr(module, "compiled_for", lambda *_, kind=compiled: kind)
        given_ = [part.requires_grad_() for part in network(samples=700, seed=4)]
        found = run(*given_, [300, 400])
        results.append(torch.autograd.grad((found * torch.linspace(-1, 1, 700)).sum(), given_))
    for one, other in zip(*results, strict=True):
        assert torch.allclose(one, other, atol=1e-9)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 1000),
    low=st.floats(0.05, 20), high=st.floats(0.05, 20), crossover=st.floats(50, 20000),
)  # fmt: skip
def test_no_parameters_make_it_grow(seed, low, high, crossover):
    drive, mixing, *_ = network(batch=1, samples=4000, seed=seed)
    drive[..., 1:] = 0
    losses = decay_losses(DELAYS, 48000, *(torch.tensor([[value]]) for value in (low, high, crossover)))
    found, state = feedback_delay_network(drive, DELAYS, mixing, losses)
    inside = sum(state["lines"][0, line, -delay:].square().sum() for line, delay in enumerate(DELAYS))
    assert float(inside) <= float(drive.square().sum())
    assert float(found.abs().max()) <= float(drive.norm())


@pytest.mark.parametrize(("low", "high"), [(0.5, 0.5), (0.8, 0.2)])
def test_the_tail_falls_by_60_db_in_its_time(low, high):
    delays = prime_delays(8, 400, 1200)
    draw = torch.Generator().manual_seed(1)
    random = torch.randn(8, 8, generator=draw, dtype=torch.float64)
    losses = decay_losses(delays, 48000, *(torch.tensor([[value]]) for value in (low, high, 500.0)))
    drive = torch.zeros(1, 8, 24000, dtype=torch.float64)
    drive[..., 0] = 1
    tail, _ = feedback_delay_network(drive, delays, torch.matrix_exp(random - random.T), losses)
    spectra = torch.stft(tail[0], 2048, 512, window=torch.hann_window(2048).double(), return_complex=True)
    power = spectra.abs().square().mean(dim=0).numpy()
    time = np.arange(power.shape[1]) * 512 / 48000
    for bins, expected in ((slice(2, 5), low), (slice(800, 1000), high)):
        level = 10 * np.log10(power[bins].mean(axis=0))
        kept = slice(6, 6 + round(min(0.3, 0.6 * expected) * 48000 / 512))
        assert -60 / np.polyfit(time[kept], level[kept], 1)[0] == pytest.approx(expected, rel=0.12)


def test_delays_are_different_primes_near_what_was_asked():
    found = prime_delays(16, 50, 60)
    assert len(set(found)) == 16
    assert all(math.gcd(one, other) == 1 for one in found for other in found if one != other)
    assert prime_delays(3, 100, 400) == (101, 211, 401)
