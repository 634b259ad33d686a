"""Distances between sets, against closed forms of normal distributions and sums written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal import distribution
from fxkit_signal.distribution import (
    frechet_distance,
    halves,
    mean_kernel_within,
    median_distance,
    memorised_share,
    mmd,
    nearest,
    parts,
)

SEEDS = st.integers(0, 10_000)
SCALES = st.floats(0.05, 20)


def vector(*values):
    return torch.tensor(values, dtype=torch.float64)


def normal(seed, count, dims):
    return torch.randn(count, dims, generator=torch.Generator().manual_seed(seed), dtype=torch.float64)


def whitened(seed, count, dims):
    """Return vectors whose sample mean is 0 and sample covariance the identity, exactly."""
    drawn = normal(seed, count, dims)
    drawn = drawn - drawn.mean(dim=0)
    covariance = drawn.T @ drawn / (count - 1)
    return drawn @ torch.linalg.inv(torch.linalg.cholesky(covariance)).T


class TestFrechet:
    @pytest.mark.parametrize(("count", "dims"), [(120, 16), (20, 128), (2, 3), (1, 4)])
    def test_identical_sets_are_at_distance_zero(self, count, dims):
        vectors = normal(0, count, dims)
        assert 0.0 <= frechet_distance(vectors, vectors.clone()) < 1e-12

    def test_normal_distributions_that_commute_have_the_closed_form(self):
        base = whitened(0, 200, 3)
        one = base * vector(1, 2, 0.5) + vector(0, 1, -2)
        other = whitened(1, 150, 3) * vector(3, 2, 0.1)
        expected = (0 + 1 + 4) + (1 - 3) ** 2 + 0 + (0.5 - 0.1) ** 2
        assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-10)

    def test_it_is_the_form_with_the_matrix_root_at_full_rank(self):
        one, other = normal(0, 300, 6) @ normal(2, 6, 6), normal(1, 200, 6) @ normal(3, 6, 6) + 0.3
        first, second = np.cov(one.numpy().T), np.cov(other.numpy().T)
        root = scipy.linalg.sqrtm(first @ second).real
        apart = ((one.mean(0) - other.mean(0)) ** 2).sum().item()
        expected = apart + np.trace(first + second - 2 * root)
        assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-9)

    def test_order_of_vectors_and_of_sets_does_not_matter(self):
        one, other = normal(0, 50, 8), normal(1, 40, 8) + 1
        shuffled = one[torch.randperm(50, generator=torch.Generator().manual_seed(1))]
        assert frechet_distance(shuffled, other) == pytest.approx(frechet_distance(other, one), rel=1e-10)

    def test_it_grows_with_the_square_of_a_scale(self):
        one, other = normal(0, 50, 8), normal(1, 40, 8) + 1
        assert frechet_distance(3 * one, 3 * other) == pytest.approx(
            9 * frechet_distance(one, other), rel=1e-10
        )

    @given(st.integers(0, 10_000), st.integers(1, 30), st.integers(1, 30), st.integers(1, 40))
    @settings(max_examples=60, deadline=None)
    def test_it_is_never_negative_nor_nan_at_any_rank(self, seed, count, others, dims):
        value = frechet_distance(normal(seed, count, dims), normal(seed + 1, others, dims))
        assert value >= 0
        assert math.isfinite(value)

    @given(SEEDS, st.lists(st.tuples(SCALES, SCALES, st.floats(-9, 9)), min_size=1, max_size=6))
    @settings(max_examples=40, deadline=None)
    def test_any_normal_distributions_with_common_axes_have_the_closed_form(self, seed, axes):
        first, second, shift = (vector(*values) for values in zip(*axes, strict=True))
        turn = torch.linalg.qr(normal(seed, len(axes), len(axes))).Q
        one = (whitened(seed, 40, len(axes)) * first) @ turn
        other = (whitened(seed + 1, 30, len(axes)) * second + shift) @ turn
        expected = float(shift.square().sum() + (first - second).square().sum())
        assert frechet_distance(one, other) == pytest.approx(expected, rel=1e-9, abs=1e-9)

    @given(SEEDS, st.integers(1, 5), st.integers(1, 5))
    @settings(max_examples=30, deadline=None)
    def test_flat_sets_in_many_dimensions_have_the_closed_form(self, seed, one_rank, other_rank):
        basis = torch.linalg.qr(normal(seed, 64, 64)).Q
        one = whitened(seed, 12, one_rank) @ basis[:one_rank]
        aside = whitened(seed + 1, 9, other_rank) @ basis[32 : 32 + other_rank]
        assert frechet_distance(one, aside) == pytest.approx(one_rank + other_rank, rel=1e-9)
        along = 3 * whitened(seed + 2, 9, one_rank) @ basis[:one_rank]
        assert frechet_distance(one, along) == pytest.approx(4 * one_rank, rel=1e-9)

    def test_one_vector_is_a_distribution_without_spread(self):
        many = whitened(0, 20, 3) * vector(1, 2, 3)
        expected = 4 + 1 + 4 + 9
        assert frechet_distance(vector(2, 0, 0)[None], many) == pytest.approx(expected, rel=1e-10)
        assert frechet_distance(vector(2, 0, 0)[None], vector(0, 1, 0)[None]) == pytest.approx(5)

    @given(SEEDS, st.integers(1, 30), st.integers(1, 40), SCALES, st.floats(-1e3, 1e3))
    @settings(max_examples=40, deadline=None)
    def test_a_set_is_at_distance_zero_from_itself_in_any_order(self, seed, count, dims, scale, shift):
        vectors = scale * normal(seed, count, dims)
        order = torch.randperm(count, generator=torch.Generator().manual_seed(seed))
        size = max(1.0, float(vectors.square().sum()) / max(1, count - 1))
        assert frechet_distance(vectors, vectors[order]) < 1e-12 * size
        assert frechet_distance(vectors + shift, vectors[order] + shift) < 1e-9 * size


class TestMMD:
    def test_it_is_the_unbiased_sum_over_pairs(self):
        one, other, width = normal(0, 7, 3), normal(1, 5, 3), 1.3

        def kernel(a, b):
            return math.exp(-float((a - b).square().sum()) / (2 * width**2))

        within = sum(kernel(a, b) for i, a in enumerate(one) for j, b in enumerate(one) if i != j) / (7 * 6)
        within += sum(kernel(a, b) for i, a in enumerate(other) for j, b in enumerate(other) if i != j) / (
            5 * 4
        )
        across = sum(kernel(a, b) for a in one for b in other) / 35
        assert mmd(one, other, width) == pytest.approx(within - 2 * across, rel=1e-10)

    def test_sets_of_one_distribution_are_at_zero_on_average(self):
        values = [mmd(normal(2 * k, 60, 32), normal(2 * k + 1, 60, 32)) for k in range(40)]
        spread = float(np.std(values))
        assert abs(float(np.mean(values))) < 3 * spread / math.sqrt(40)

    def test_a_shift_stands_out_where_frechet_is_all_bias(self):
        same = [mmd(normal(2 * k, 120, 128), normal(2 * k + 1, 120, 128)) for k in range(5)]
        shift = torch.zeros(128, dtype=torch.float64)
        shift[:16] = 0.5
        moved = [mmd(normal(2 * k, 120, 128), normal(2 * k + 1, 120, 128) + shift) for k in range(5)]
        assert min(moved) > 5 * max(map(abs, same))
        assert frechet_distance(normal(0, 120, 128), normal(1, 120, 128)) > 32

    @given(SEEDS, st.integers(2, 12), st.integers(2, 12), st.integers(1, 8), SCALES)
    @settings(max_examples=40, deadline=None)
    def test_neither_order_nor_scale_matters(self, seed, count, others, dims, scale):
        one, other = normal(seed, count, dims), normal(seed + 1, others, dims) + 0.5
        order = torch.randperm(others, generator=torch.Generator().manual_seed(seed))
        expected = pytest.approx(mmd(one, other), rel=1e-9, abs=1e-12)
        assert mmd(one, other[order]) == expected
        assert mmd(scale * one, scale * other) == expected
        assert mmd(one, other) <= 2

    def test_large_sets_are_summed_in_pieces(self, monkeypatch):
        one, other = normal(0, 50, 4), normal(1, 40, 4) + 1
        whole = mmd(one, other), mean_kernel_within(one, 1.3), nearest(one, other)
        monkeypatch.setattr(distribution, "_ROWS", 7)
        pieces = mmd(one, other), mean_kernel_within(one, 1.3), nearest(one, other)
        assert pieces[:2] == pytest.approx(whole[:2], rel=1e-12)
        assert torch.allclose(pieces[2], whole[2], rtol=1e-7)

    def test_the_median_of_a_large_set_is_that_of_a_part(self):
        vectors = normal(0, 300, 4)
        assert median_distance(vectors, most=100) == median_distance(vectors[::3])
        assert median_distance(vectors, most=100) == pytest.approx(median_distance(vectors), rel=0.1)

    def test_the_width_comes_from_the_reference_alone(self):
        reference, test = normal(0, 30, 4), normal(1, 30, 4)
        assert mmd(reference, test) == mmd(reference, test, median_distance(reference))
        assert mmd(reference, 5 * test) == mmd(reference, 5 * test, median_distance(reference))

    def test_one_vector_is_too_few(self):
        with pytest.raises(ValueError, match="each needs two"):
            mmd(normal(0, 1, 3), normal(1, 5, 3))

    def test_a_reference_without_spread_has_a_width(self):
        still = torch.zeros(4, 2, dtype=torch.float64)
        assert mmd(still, still) == 0.0


class TestMemorisation:
    def test_planted_copies_are_counted(self):
        training, held_out = normal(0, 200, 16), normal(1, 200, 16)
        generated = torch.cat((training[:30] + 1e-3, normal(2, 70, 16)))
        assert memorised_share(generated, training, held_out) == pytest.approx(0.3, abs=0.05)

    def test_new_vectors_are_not(self):
        training, held_out = normal(0, 200, 16), normal(1, 200, 16)
        assert memorised_share(normal(2, 500, 16), training, held_out) < 0.05


def test_halves_share_no_vector_and_depend_on_the_seed_alone():
    vectors = torch.arange(11, dtype=torch.float64)[:, None]
    one, other = halves(vectors, 3)
    assert len(one) == len(other) == 5
    assert not set(one.flatten().tolist()) & set(other.flatten().tolist())
    assert torch.equal(one, halves(vectors, 3)[0])
    assert not torch.equal(one, halves(vectors, 4)[0])


def test_parts_are_a_division():
    vectors = torch.arange(11, dtype=torch.float64)[:, None]
    part, rest = parts(vectors, 3, 5)
    assert len(part) == 3
    assert sorted(part.flatten().tolist() + rest.flatten().tolist()) == list(range(11))


@pytest.mark.parametrize(
    ("one", "other", "reason"),
    [
        (torch.zeros(0, 3), torch.zeros(2, 3), "it has to be"),
        (torch.zeros(3), torch.zeros(2, 3), "it has to be"),
        (torch.zeros(2, 4), torch.zeros(2, 3), "of 4 and of 3 dimensions"),
        (torch.full((2, 3), math.nan), torch.zeros(2, 3), "not finite"),
    ],
)
def test_what_is_no_pair_of_sets_is_refused(one, other, reason):
    for measure in (frechet_distance, mmd):
        with pytest.raises(ValueError, match=reason):
            measure(one, other)
