"""Sliding maximum and mean against slices."""

from __future__ import annotations

import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal.sliding import sliding_max, sliding_mean


@settings(max_examples=40, deadline=None)
@given(st.lists(st.floats(0, 8, width=32), min_size=1, max_size=40), st.integers(1, 17), st.integers(1, 11))
def test_windows_end_at_each_sample_whatever_the_blocks(values, window, block):
    padded = [0.0] * (window - 1) + values
    slices = [padded[n : n + window] for n in range(len(values))]
    for function, expected in (
        (sliding_max, [max(part) for part in slices]),
        (sliding_mean, [sum(part) / window for part in slices]),
    ):
        state, parts = None, []
        for part in torch.tensor(values)[None].split(block, -1):
            found, state = function(part, window, state)
            parts.append(found)
        torch.testing.assert_close(torch.cat(parts, -1)[0], torch.tensor(expected), rtol=0, atol=1e-6)


def test_long_means_do_not_drift():
    mean, _ = sliding_mean(torch.full((1, 200_000), 0.1), 100)
    assert (mean[0, 100:] - 0.1).abs().max() < 1e-7
