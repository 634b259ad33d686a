"""Values that stand still and values that come in frames are told apart from the first block on."""

from __future__ import annotations

from itertools import accumulate, pairwise

import torch
from hypothesis import given
from hypothesis import strategies as st

from fxkit_signal.framing import control_frames, frames_given

SPLITS = st.lists(st.integers(0, 40), min_size=1, max_size=12)


@given(splits=SPLITS, hop=st.integers(1, 16))
def test_a_constant_stays_one_frame_at_offset_zero(splits, hop):
    values, state = torch.ones(2, 3, 1), None
    for samples in splits:
        frames, offset, state = control_frames(values, samples, hop, state)
        assert frames.shape == (2, 3, 1)
        assert offset == 0


@given(splits=SPLITS, hop=st.integers(1, 16))
def test_frames_bracket_every_sample_of_any_split(splits, hop):
    edges = (0, *accumulate(splits))
    series = torch.arange(float(frames_given(edges[-1], hop)))[None, None]
    state = None
    for start, stop in pairwise(edges):
        due = series[..., frames_given(start, hop) : frames_given(stop, hop)]
        frames, offset, state = control_frames(due, stop - start, hop, state)
        for j in range(stop - start):
            below = (offset + j) // hop
            assert frames[0, 0, below] == (start + j) // hop
            assert frames[0, 0, below + 1] == (start + j) // hop + 1
