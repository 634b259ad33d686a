"""Distances between sets, against closed forms of normal distributions and sums written out."""

from __future__ import annotations

import math

import numpy as np
import pytest
import scipy.linalg
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal.distribution import frechet_distance, halves, median_distance, memorised_share, mmd


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
