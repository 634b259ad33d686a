"""The network reverb: first echoes where its lines end, tails as long as told, never growing."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.context import BuildContext
from fxkit_dsp.fdn_reverb import FDNReverb
from fxkit_signal.feedback_delay_network import prime_delays

CONTEXT = BuildContext()
STEREO = BuildContext(channels=2, target_channels=2)


def settings_of(spec, ctx=CONTEXT, **changes):
    params = {p.name: torch.tensor(p.defaults)[None, :, None] for p in spec.parameters(ctx)}
    return params | {name: torch.full_like(params[name], value) for name, value in changes.items()}


@torch.no_grad()
def response_of(spec, ctx=CONTEXT, samples=48000, **changes):
    torch.manual_seed(0)
    impulse = torch.zeros(1, ctx.channels, samples)
    impulse[:, 0, 0] = 1
    return spec.build(ctx)(impulse, settings_of(spec, ctx, mix=1.0, **changes))[0]


@pytest.mark.parametrize("matrix", ["learned", "householder"])
def test_the_first_echoes_are_the_lines(matrix):
    spec = FDNReverb(lines=4, shortest=10, longest=18, matrix=matrix)
    delays = prime_delays(4, 480, 864)
    response = response_of(spec, samples=900, t60_low=5.0, t60_high=5.0)[0, 0]
    heard = (response.abs() > 1e-4).nonzero().flatten().tolist()
    assert heard == list(delays)
    later = response_of(spec, samples=900, t60_low=5.0, t60_high=5.0, pre_delay=0.5)[0, 0]
    assert torch.allclose(later[24:], response[:-24], atol=1e-6)


@pytest.mark.parametrize("time", [0.4, 1.5])
def test_the_tail_falls_by_60_db_in_its_time(time):
    response = response_of(FDNReverb(), samples=96000, t60_low=time, t60_high=time)[0, 0].double()
    left = response.square().flip(0).cumsum(0).flip(0)  # Schroeder, 1965
    first, second = (int(share * time * 48000) for share in (0.1, 0.6))
    fall = 10 * float((left[first] / left[second]).log10())
    assert fall == pytest.approx(30, abs=1.5)


@settings(max_examples=15, deadline=None)
@given(
    seed=st.integers(0, 999),
    size=st.floats(0, 20),
    low=st.floats(0.1, 20), high=st.floats(0.05, 20), crossover=st.floats(100, 12000),
)  # fmt: skip
def test_whatever_it_learns_it_does_not_grow(seed, size, low, high, crossover):
    spec = FDNReverb(shortest=1, longest=4)
    torch.manual_seed(seed)
    module = spec.build(STEREO)
    with torch.no_grad():
        module.angles.mul_(size)
        audio = torch.zeros(1, 2, 24000)
        audio[..., 0] = 1
        params = settings_of(spec, STEREO, t60_low=low, t60_high=high, crossover=crossover, mix=1.0)
        output, _ = module(audio, params)
    power = output[0].square().sum(0)
    # A total of 1 enters, and no line gives more than it holds.
    assert float(power.max()) <= 2.001
    assert float(power[-4800:].mean()) <= float(power[:4800].mean()) * 1.01


def test_channels_reverberate_differently_and_the_dry_side_passes():
    response = response_of(FDNReverb(), STEREO)[0]
    assert abs(float(torch.corrcoef(response)[0, 1])) <= 0.3
    audio = torch.randn(1, 2, 4000)
    module = FDNReverb().build(STEREO)
    assert torch.equal(module(audio, settings_of(FDNReverb(), STEREO, mix=0.0))[0], audio)


def test_blocks_give_the_offline_output():
    spec = FDNReverb(lines=4, shortest=1, longest=3)
    module = spec.build(STEREO)
    params, audio = settings_of(spec, STEREO, pre_delay=1.3), torch.randn(1, 2, 900)
    whole, _ = module(audio, params)
    parts, state = [], None
    for block in audio.split([1, 7, 64, 0, 300, 1, 527], dim=-1):
        part, state = module(block, params, state)
        parts.append(part)
    assert torch.allclose(torch.cat(parts, dim=-1), whole, atol=1e-6)


def test_new_angles_in_place_are_heard():
    module, audio = FDNReverb(shortest=1, longest=3).build(CONTEXT), torch.randn(1, 1, 2000)
    params = settings_of(FDNReverb())
    with torch.no_grad():
        before, _ = module(audio, params)
        module.angles += 1
        assert not torch.allclose(module(audio, params)[0], before, atol=1e-3)


def test_lines_in_the_wrong_order_are_named():
    assert [name for name, _ in FDNReverb(shortest=20, longest=10).problems()] == ["longest"]
    assert not list(FDNReverb().problems())
