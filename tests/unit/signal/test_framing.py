import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal.framing import bracket_frames, frames_due, interpolate_frames


def reference(frames, samples, hop):
    """Walk over the samples one by one, in float64."""
    out = np.zeros((*frames.shape[:-1], samples))
    for n in range(samples):
        k, r = divmod(n, hop)
        out[..., n] = frames[..., k] * (1 - r / hop) + frames[..., k + 1] * (r / hop)
    return out


def test_first_block_needs_the_frames_on_both_sides():
    assert frames_due(0, 1, 64) == 2
    assert frames_due(0, 64, 64) == 2
    assert frames_due(0, 65, 64) == 3
    assert frames_due(0, 0, 64) == 0


def test_a_block_inside_one_hop_needs_nothing_new():
    assert frames_due(1, 63, 64) == 0
    assert frames_due(64, 1, 64) == 1


@given(st.lists(st.integers(0, 50), max_size=12), st.integers(1, 20))
def test_frames_due_do_not_depend_on_the_split(sizes, hop):
    position, total = 0, 0
    for size in sizes:
        total += frames_due(position, size, hop)
        position += size
    assert total == frames_due(0, sum(sizes), hop)
    assert total == ((position - 1) // hop + 2 if position else 0)


def test_interpolation_equals_a_loop_over_samples():
    frames = torch.randn(2, 3, 8, dtype=torch.float64)
    got, _ = interpolate_frames(frames, 31, 5)
    np.testing.assert_allclose(got, reference(frames.numpy(), 31, 5), atol=1e-14)


@settings(deadline=None, max_examples=60)
@given(st.lists(st.integers(0, 40), min_size=1, max_size=10), st.integers(1, 17))
def test_any_split_into_blocks_gives_the_same_bits(sizes, hop):
    samples = sum(sizes)
    frames = torch.randn(2, 3, frames_due(0, samples, hop))
    whole, _ = interpolate_frames(frames, samples, hop)
    parts, state, position, taken = [], None, 0, 0
    for size in sizes:
        due = frames_due(position, size, hop)
        part, state = interpolate_frames(frames[..., taken : taken + due], size, hop, state)
        parts.append(part)
        position, taken = position + size, taken + due
    assert torch.equal(torch.cat(parts, dim=-1), whole)
    assert int(state["position"]) == samples


def test_gradient_reaches_the_frames_across_blocks():
    frames = torch.randn(1, 2, 4, dtype=torch.float64, requires_grad=True)

    def in_two_blocks(values):
        first, state = interpolate_frames(values[..., :3], 7, 4)
        second, _ = interpolate_frames(values[..., 3:], 4, 4, state)
        return torch.cat([first, second], dim=-1)

    assert torch.autograd.gradcheck(in_two_blocks, frames)


def test_wrong_number_of_frames_is_named():
    with pytest.raises(ValueError, match="need 3 new frames, got 2"):
        interpolate_frames(torch.zeros(1, 1, 2), 65, 64)


def test_bracketing_frames_place_the_block_among_them():
    frames = torch.arange(5.0)[None, None]
    _, _, state = bracket_frames(frames[..., :3], 9, 8)
    kept, offset, _ = bracket_frames(frames[..., 3:], 16, 8, state)
    assert kept.tolist() == [[[1.0, 2.0, 3.0, 4.0]]]
    assert offset == 1
