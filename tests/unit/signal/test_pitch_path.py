import itertools

import numpy as np
import pytest
import torch

from fxkit_signal.pitch_path import UNREACHABLE, PathCosts, cheapest_path, hold


def price(path, f0, aperiodicity, costs):
    """Add up what a path pays, as its definition says."""
    pitch, total = np.log2(f0), 0.0
    for frame, state in enumerate(path):
        slope = aperiodicity[frame] - costs.octave * pitch[frame]
        best = pitch[frame][slope.argmin()]
        total += costs.unvoiced if state < 0 else slope[state] + costs.octave * best
        if frame == 0:
            continue
        before, scale = path[frame - 1], costs.frame_rate / 100
        if (before < 0) != (state < 0):
            total += costs.change * scale
        elif state >= 0:
            total += costs.jump * scale * abs(pitch[frame][state] - pitch[frame - 1][before])
    return total


@pytest.mark.parametrize("seed", range(6))
def test_path_is_the_cheapest_of_all(seed):
    draw = np.random.default_rng(seed)
    f0, aperiodicity = 100 * 2 ** draw.uniform(0, 3, (6, 3)), draw.uniform(0, 1, (6, 3))
    costs = PathCosts(unvoiced=0.4, octave=0.05, jump=0.2, change=0.1, frame_rate=150.0)
    best = min(itertools.product((-1, 0, 1, 2), repeat=6), key=lambda p: price(p, f0, aperiodicity, costs))
    assert tuple(cheapest_path(f0, aperiodicity, costs)) == best


def test_long_paths_agree_with_short_ones():
    draw = np.random.default_rng(0)
    f0, aperiodicity = 100 * 2 ** draw.uniform(0, 3, (2500, 4)), draw.uniform(0, 1, (2500, 4))
    # A frame that all paths cross unvoiced parts the past from the future.
    aperiodicity[[1200, 1201]] = UNREACHABLE
    costs = PathCosts()
    parts = (cheapest_path(f0[a:b], aperiodicity[a:b], costs) for a, b in ((0, 1201), (1201, 2500)))
    np.testing.assert_array_equal(cheapest_path(f0, aperiodicity, costs), np.concatenate(list(parts)))


def test_unreachable_candidates_are_never_chosen():
    f0 = np.full((20, 3), 200.0)
    assert (cheapest_path(f0, np.full((20, 3), UNREACHABLE), PathCosts()) == -1).all()


def test_known_values_hold_forwards_and_the_first_one_backwards():
    values = torch.tensor([1.0, 2, 3, 4, 5, 6])
    known = torch.tensor([False, True, False, True, False, False])
    assert hold(values, known, 9.0).tolist() == [2, 2, 2, 4, 4, 4]
    assert hold(values, torch.zeros(6, dtype=torch.bool), 9.0).tolist() == [9.0] * 6
