"""Distances between two sets of vectors, and how much of one set is copied from another.

All in float64. Sets are [vectors, dims]; windows of audio become vectors through an embedding.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor


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


def median_distance(reference: Tensor) -> float:
    """Return the median distance between different vectors of a set: the usual width of a kernel."""
    apart = torch.pdist(reference.double())
    return float(apart.median()) if len(apart) else 1.0


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
    sigma = median_distance(one) if width is None else width
    sigma = sigma if sigma > 0 else 1.0
    within = [_mean_off_diagonal(_kernel(part, part, sigma)) for part in (one, other)]
    return float(sum(within) - 2 * _kernel(one, other, sigma).mean())


def _kernel(one: Tensor, other: Tensor, width: float) -> Tensor:
    return torch.exp(-torch.cdist(one, other).square() / (2 * width**2))


def _mean_off_diagonal(kernel: Tensor) -> Tensor:
    count = len(kernel)
    return (kernel.sum() - kernel.diagonal().sum()) / (count * (count - 1))


def memorised_share(generated: Tensor, training: Tensor, held_out: Tensor, percentile: float = 1.0) -> float:
    """Return the share of generated vectors that lie nearer to a training vector than others would.

    Nearer than the given percentile of the distances from held-out vectors to their nearest training
    vectors (Meehan et al., "A non-parametric test to detect data-copying", 2020, in its simplest form).
    About `percentile` / 100 for vectors that are as new as the held-out ones, 1 for copies.
    """
    _checked(training, held_out)
    generated, training = _checked(generated, training)
    usual = torch.cdist(held_out.double(), training).amin(dim=1)
    near = torch.cdist(generated, training).amin(dim=1)
    return float((near < torch.quantile(usual, percentile / 100)).double().mean())


def halves(reference: Tensor, seed: int) -> tuple[Tensor, Tensor]:
    """Return two random halves of a set: what their distance is, no other set can be told from."""
    order = torch.randperm(len(reference), generator=torch.Generator().manual_seed(seed))
    half = len(reference) // 2
    return reference[order[:half]], reference[order[half : 2 * half]]


def _checked(one: Tensor, other: Tensor) -> tuple[Tensor, Tensor]:
    for vectors in (one, other):
        if vectors.ndim != 2 or not len(vectors):
            raise ValueError(f"a set of shape {tuple(vectors.shape)}; it has to be [vectors, dims]")
        if not bool(vectors.isfinite().all()):
            raise ValueError("a set holds values that are not finite")
    if one.shape[1] != other.shape[1]:
        raise ValueError(f"vectors of {one.shape[1]} and of {other.shape[1]} dimensions")
    return one.double(), other.double()
