from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal.past import kept_after, recalled

REACH = 66000


def stream(sizes, kept, channels=2, batch=1, first=0):
    """Keep blocks of a counting signal; return what was kept after each."""
    history, start = [], first
    for size in sizes:
        block = torch.arange(start, start + size).float().expand(batch, channels, -1)
        kept = kept_after(block, kept, REACH)
        history.append(kept)
        start += size
    return history


def expected(after):
    return torch.arange(after - REACH, after).float().clamp(min=-1)


def silence(channels=2, batch=1):
    return torch.full((batch, channels, 1), -1.0).expand(-1, -1, REACH)


@settings(deadline=None, max_examples=30)
@given(
    st.lists(st.sampled_from([1, 64, 511, 9000, 30000, 70000]), min_size=1, max_size=30),
    st.integers(1, 3),
    st.integers(1, 3),
)
def test_every_past_that_was_kept_stays_what_it_was(sizes, channels, batch):
    with torch.no_grad():
        after = 0
        history = stream(sizes, silence(channels, batch), channels, batch)
        for size, kept in zip(sizes, history, strict=True):
            after += size
            assert torch.equal(recalled(kept, REACH), expected(after).expand(batch, channels, -1))


def test_two_continuations_of_one_past_do_not_meet():
    with torch.no_grad():
        start = stream([64, 64], silence())[-1]
        one = stream([64], start, first=128)[-1]
        other = stream([64], start, first=1128)[-1]
        assert torch.equal(recalled(one, REACH)[0, 0], expected(192))
        assert recalled(other, REACH)[0, 0, -64:].tolist() == list(range(1128, 1192))


def test_a_part_of_what_was_kept_goes_its_own_way():
    with torch.no_grad():
        both = stream([64, 64], silence(batch=2), batch=2)[-1]
        second = stream([64], both[1:], first=1128)[-1]
        together = stream([64], both, batch=2, first=128)[-1]
        assert recalled(second, REACH)[0, 0, -64:].tolist() == list(range(1128, 1192))
        assert torch.equal(recalled(together, REACH)[1, 1], expected(192))


@pytest.mark.parametrize("change", [torch.clone, lambda kept: kept.double(), lambda kept: kept[:, :1]])
def test_what_was_copied_can_be_continued(change):
    with torch.no_grad():
        kept = change(stream([64, 64], silence())[-1])
        block = torch.arange(128, 192).to(kept.dtype).expand(1, kept.shape[1], -1)
        assert torch.equal(
            recalled(kept_after(block, kept, REACH), REACH)[0, 0], expected(192).to(kept.dtype)
        )


def test_a_block_is_written_where_the_last_one_ended():
    with torch.no_grad():
        history = stream([64] * 20, silence())
    assert len({kept.data_ptr() for kept in history}) == 1


def test_gradients_reach_the_past():
    signal = torch.randn(1, 2, 10, requires_grad=True)
    kept = kept_after(signal, silence(), REACH)
    recalled(kept, REACH).sum().backward()
    assert torch.equal(signal.grad, torch.ones_like(signal))


def test_a_short_past_is_kept_exactly():
    with torch.no_grad():
        kept = kept_after(torch.ones(1, 2, 3), torch.zeros(1, 2, 5), 5)
    assert kept.tolist() == [[[0, 0, 1, 1, 1]] * 2]
