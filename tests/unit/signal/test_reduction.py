from itertools import pairwise

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fxkit_signal.reduction import ONE, hold_at_rate, quantise, start_holds


def constant(value):
    return torch.tensor(value, dtype=torch.float64).view(1, 1, 1)


@given(bits=st.floats(1, 16), x=st.floats(-4, 4))
def test_quantising_rounds_to_steps_of_the_word_length(bits, x):
    step = 2.0 ** (1 - bits)
    found = float(quantise(constant(x), constant(bits)))
    assert abs(found - x) <= step / 2 * (1 + 1e-9)
    assert found / step == pytest.approx(round(found / step), abs=1e-6)


@given(bits=st.integers(1, 12), x=st.floats(-2, 2))
def test_mid_rise_levels_lie_between_multiples_of_the_step(bits, x):
    step = 2.0 ** (1 - bits)
    found = float(quantise(constant(x), constant(float(bits)), rise=True))
    assert abs(found - x) <= step / 2 * (1 + 1e-9)
    assert found / step % 1 == pytest.approx(0.5)


def test_the_gradient_of_quantised_audio_is_the_identitys_and_that_of_bits_shrinks_the_error():
    x, bits = constant(0.3).requires_grad_(), constant(2.0).requires_grad_()
    y = quantise(x, bits)  # a step of 0.5: 0.3 becomes 0.5
    y.backward()
    assert float(x.grad) == 1.0
    assert float(bits.grad) == pytest.approx((0.3 - 0.5) * 0.6931471805599453)


def held_by_loop(samples, shares):
    """Count in whole 2^-32, as the phase is defined."""
    phase, held, out = 0, 0.0, []
    for x, share in zip(samples, shares, strict=True):
        step = round(share * ONE)
        if phase % ONE < step:
            held = x
        out.append(held)
        phase += step
    return out


@given(
    share=st.floats(0.004, 1.0),
    other=st.floats(0.004, 1.0),
    cuts=st.lists(st.integers(0, 80), max_size=4),
)
def test_samples_are_held_as_in_a_loop_whatever_the_blocks(share, other, cuts):
    draw = torch.Generator().manual_seed(1)
    audio = torch.randn(2, 3, 80, generator=draw, dtype=torch.float64)
    shares = torch.linspace(0, 1, 80, dtype=torch.float64) * (other - share) + share
    tracks = torch.stack([shares, shares.flip(0)])[:, None]
    edges, state, parts = sorted({0, 80, *cuts}), None, []
    for start, stop in pairwise(edges):
        y, state = hold_at_rate(audio[..., start:stop], tracks[..., start:stop], state)
        parts.append(y)
    found = torch.cat(parts, dim=-1)
    for item in range(2):
        for channel in range(3):
            expected = held_by_loop(audio[item, channel].tolist(), tracks[item, 0].tolist())
            assert found[item, channel].tolist() == expected


def test_the_whole_rate_changes_nothing_and_a_quarter_holds_four():
    audio = torch.arange(1.0, 9.0)[None, None]
    assert torch.equal(hold_at_rate(audio, torch.ones(1, 1, 1))[0], audio)
    held, _ = hold_at_rate(audio, torch.full((1, 1, 1), 0.25))
    assert held.flatten().tolist() == [1, 1, 1, 1, 5, 5, 5, 5]


def test_holds_stay_on_the_clock_after_silence_until_any_sample():
    audio, share = torch.randn(2, 1, 40), torch.full((2, 1, 1), 0.13)
    whole, _ = hold_at_rate(audio * (torch.arange(40) >= 11), share)
    later, _ = hold_at_rate(audio[..., 11:], share, start_holds(torch.tensor([11, 11])))
    assert torch.equal(later, whole[..., 11:])


def test_gradients_reach_the_samples_held_and_the_rate_pulls_towards_the_live_input():
    audio = torch.tensor([1.0, 2.0, 5.0, 5.0, 7.0])[None, None].requires_grad_()
    share = torch.full((1, 1, 1), 0.5, requires_grad=True)
    y, _ = hold_at_rate(audio, share)
    y.sum().backward()
    assert audio.grad.flatten().tolist() == [2, 0, 2, 0, 1]
    assert float(share.grad) == pytest.approx((2 - 1) / 0.5)
