import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal.delay import delay


def test_impulse_comes_out_late_by_the_delay():
    audio = torch.zeros(1, 1, 10)
    audio[..., 2] = 1.0
    late, state = delay(audio, 5)
    assert late[0, 0].nonzero().item() == 7
    assert state.shape == (1, 1, 5)


@settings(deadline=None)
@given(st.lists(st.integers(0, 9), min_size=1, max_size=10), st.integers(0, 12))
def test_any_split_gives_the_same_bits(sizes, samples):
    audio = torch.randn(2, 1, sum(sizes))
    parts, state = [], None
    for block in audio.split(sizes, dim=-1):
        part, state = delay(block, samples, state)
        parts.append(part)
    joined = torch.cat(parts, dim=-1)
    assert joined.shape == audio.shape
    expected = torch.cat([torch.zeros(2, 1, samples), audio], dim=-1)[..., : sum(sizes)]
    assert torch.equal(joined, expected)


def test_negative_delay_is_refused():
    with pytest.raises(ValueError, match="backwards"):
        delay(torch.zeros(1, 1, 4), -1)
