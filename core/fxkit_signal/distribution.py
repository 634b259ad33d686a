"""Distances between two sets of vectors, and how much of one set is copied from another.

All in float64. Sets are [vectors, dims]; windows of audio become vectors through an embedding.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

_ROWS = 1024


def frechet_distance(reference: Tensor, test: Tensor) -> float:
    """Return the squared Fréchet distance of the normal distributions of two sets.

    |m1 - m2|^2 + tr(S1 + S2 - 2 (S1 S2)^(1/2)) (Dowson and Landau, 1982; Kilgour et al., "Fréchet audio
    distance", 2019). With each set centred, divided by the root of its size less one, and reduced to R by
    QR, the trace of the root is the sum of the singular values of R1 R2^T: no root of a matrix, nothing
    complex, and never below 0. A set of one vector has no spread. Raises `ValueError` for empty sets,
    for sets of different dimensions and for values that are not finite.
    """
    one, other = _checked(reference, test)
    apart = (one.mean(dim=0) - other.mean(dim=0)).square().sum()
    first, second = _reduced(one), _reduced(other)
    spread = first.square().sum() + second.square().sum()
    shared = torch.linalg.svdvals(first @ second.T).sum()
    return max(0.0, float(apart + spread - 2 * shared))


def _reduced(vectors: Tensor) -> Tensor:
    centred = (vectors - vectors.mean(dim=0)) / math.sqrt(max(1, len(vectors) - 1))
    return torch.linalg.qr(centred, mode="r").R if len(vectors) > vectors.shape[1] else centred


def median_distance(reference: Tensor, most: int = 2000) -> float:
    """Return the median distance between different vectors of a set: the usual width of a kernel.

    Of a set of more than `most` vectors that many count, evenly taken.
    """
    step = -(-len(reference) // most)
    apart = torch.pdist(reference[::step].double())
    return float(apart.median()) if len(apart) else 1.0


def kernel_width(reference: Tensor) -> float:
    """Return the width that `mmd` takes from a reference: its median distance, or 1 without any spread."""
    return median_distance(reference) or 1.0


def mmd(reference: Tensor, test: Tensor, width: float | None = None) -> float:
    """Return the unbiased squared maximum mean discrepancy of two sets under a Gaussian kernel.

    Gretton et al., "A kernel two-sample test" (JMLR 2012), equation 3; 0 on average for sets of one
    distribution, so that it may be below 0. `width` is the kernel's, by default the median distance
    within the reference: the test set must not choose what it is measured by. Each set needs two
    vectors; raises `ValueError` otherwise and as `frechet_distance` does.
    """
    one, other = _checked(reference, test)
    if min(len(one), len(other)) < 2:
        raise ValueError(f"sets of {len(one)} and {len(other)} vectors; each needs two or more")
    sigma = kernel_width(one) if width is None else width or 1.0
    within = mean_kernel_within(one, sigma) + mean_kernel_within(other, sigma)
    return within - 2 * mean_kernel(one, other, sigma)


def mean_kernel(one: Tensor, other: Tensor, width: float) -> float:
    """Return the mean of the Gaussian kernel over all pairs of a vector of one set and one of the other."""
    return _kernel_sum(one, other, width) / (len(one) * len(other))


def mean_kernel_within(vectors: Tensor, width: float) -> float:
    """Return the mean of the Gaussian kernel over all pairs of different vectors of a set."""
    count = len(vectors)
    return (_kernel_sum(vectors, vectors, width) - count) / (count * (count - 1))


def _kernel_sum(one: Tensor, other: Tensor, width: float) -> float:
    """Sum the kernel over all pairs, some rows at a time: a large set's matrix would not fit."""
    return sum(
        float(torch.exp(torch.cdist(rows, other).square() / (-2 * width**2)).sum())
        for rows in one.double().split(_ROWS)
    )


def memorised_share(generated: Tensor, training: Tensor, held_out: Tensor, percentile: float = 1.0) -> float:
    """Return the share of generated vectors that lie nearer to a training vector than others would.

    Nearer than the given percentile of the distances from held-out vectors to their nearest training
    vectors (Meehan et al., "A non-parametric test to detect data-copying", 2020, in its simplest form).
    About `percentile` / 100 for vectors that are as new as the held-out ones, 1 for copies.
    """
    _checked(training, held_out)
    generated, training = _checked(generated, training)
    usual = nearest(held_out.double(), training)
    near = nearest(generated, training)
    return float((near < torch.quantile(usual, percentile / 100)).double().mean())


def nearest(vectors: Tensor, others: Tensor) -> Tensor:
    """Return each vector's distance to the nearest of the others."""
    return torch.cat([torch.cdist(rows, others).amin(dim=1) for rows in vectors.split(_ROWS)])


def halves(reference: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Return two random halves of a set: what their distance is, no other set can be told from."""
    one, other = parts(reference, len(reference) // 2, seed)
    return one, other[: len(one)]


def parts(reference: Tensor, size: int, seed: int) -> tuple[Tensor, Tensor]:
    """Return `size` vectors of a set, drawn at random, and the others."""
    order = torch.randperm(len(reference), generator=torch.Generator().manual_seed(seed))
    return reference[order[:size]], reference[order[size:]]


def _checked(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    for vectors in (one, other):
        if vectors.ndim != 2 or not len(vectors):
            raise ValueError(f"a set of shape {tuple(vectors.shape)}; it has to be [vectors, dims]")
        if not bool(vectors.isfinite().all()):
            raise ValueError("a set holds values that are not finite")
    if one.shape[1] != other.shape[1]:
        raise ValueError(f"vectors of {one.shape[1]} and of {other.shape[1]} dimensions")
    return one.double(), other.double()
