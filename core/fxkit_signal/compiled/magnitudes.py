"""Compare magnitude spectra on the CPU: sums over bins, and the slope of a distance by each bin.

A spectrum is a row of float32 numbers, real and imaginary part of each bin in turn. Every pass over it
reads it once; torch's operations would write an intermediate of its size for each step of the formula.
Sums are taken row by row, so that they do not depend on how rows are spread over threads.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import torch
from numba import float32
from torch import Tensor

from fxkit_signal.compiled.kernel import kernel
from fxkit_signal.compiled.threads import spread

_arithmetic = kernel("contract", "reassoc", "nsz", "arcp")


@_arithmetic
def _logarithm(x: Any) -> Any:
    """Return ln x of a positive normal number; relative error below 2e-7.

    x = 2^n (1 + f) with 1 + f between the roots of 1/2 and of 2, and ln(1 + f) by a polynomial of degree
    10 (S. L. Moshier, Cephes, logf.c, 1989).
    """
    bits = np.float32(x).view(np.int32)
    power = (bits - np.int32(0x3F3504F3)) >> np.int32(23)
    f = np.int32(bits - (power << np.int32(23))).view(np.float32) - float32(1.0)
    curve = float32(7.0376836292e-2)
    curve = curve * f + float32(-1.1514610310e-1)
    curve = curve * f + float32(1.1676998740e-1)
    curve = curve * f + float32(-1.2420140846e-1)
    curve = curve * f + float32(1.4249322787e-1)
    curve = curve * f + float32(-1.6668057665e-1)
    curve = curve * f + float32(2.0000714765e-1)
    curve = curve * f + float32(-2.4999993993e-1)
    curve = curve * f + float32(3.3333331174e-1)
    square = f * f
    return f + (f * square * curve - float32(0.5) * square) + float32(power) * float32(0.6931471805599453)


@_arithmetic
def _roots(line: Any, floor: Any, found: Any) -> None:
    for i in range(found.size):
        real, imaginary = line[2 * i], line[2 * i + 1]
        power = real * real + imaginary * imaginary
        # Written so that what is not a number stays so.
        found[i] = np.sqrt(floor if power < floor else power)


@_arithmetic
def _magnitudes(spectra: Any, found: Any, first: int, stop: int) -> None:
    for k in range(first, stop):
        _roots(spectra[k], float32(0.0), found[k])


@_arithmetic
def _row_sums(found: Any, expected: Any, least: Any) -> Any:
    squares, sizes, logs, energy = float32(0.0), float32(0.0), float32(0.0), float32(0.0)
    for i in range(found.size):
        wanted = least if expected[i] < least else expected[i]
        error = found[i] - wanted
        squares += error * error
        sizes += abs(error)
        logs += abs(_logarithm(found[i] / wanted))
        energy += wanted * wanted
    return squares, sizes, logs, energy


@_arithmetic
def _sums(spectra: Any, expected: Any, floor: Any, least: Any, sums: Any, first: int, stop: int) -> None:
    found = np.empty(expected.shape[1], np.float32)
    for k in range(first, stop):
        _roots(spectra[k], floor, found)
        squares, sizes, logs, energy = _row_sums(found, expected[k], least)
        sums[k, 0], sums[k, 1], sums[k, 2], sums[k, 3] = squares, sizes, logs, energy


@_arithmetic
def _row_slope(line: Any, expected: Any, floor: Any, least: Any, weights: Any, slope: Any) -> None:
    one, nothing = float32(1.0), float32(0.0)
    square, log, linear = weights[0], weights[1], weights[2]
    for i in range(slope.size):
        real, imaginary = line[2 * i], line[2 * i + 1]
        power = real * real + imaginary * imaginary
        inverse = one / np.sqrt(floor if power < floor else power)
        wanted = least if expected[i] < least else expected[i]
        error = power * inverse - wanted
        sign = np.copysign(one, error)
        sign = nothing if error == nothing else sign
        share = (error * square + sign * (linear + log * inverse)) * inverse
        slope[i] = nothing if power < floor else share


@_arithmetic
def _scale(line: Any, slope: Any) -> None:
    for i in range(slope.size):
        line[2 * i] *= slope[i]
        line[2 * i + 1] *= slope[i]


@_arithmetic
def _slopes(spectra: Any, expected: Any, floor: Any, least: Any, weights: Any, first: int, stop: int) -> None:
    slope = np.empty(expected.shape[1], np.float32)
    for k in range(first, stop):
        _row_slope(spectra[k], expected[k], floor, least, weights, slope)
        _scale(spectra[k], slope)


@_arithmetic
def _overlap_add(frames: Any, window: Any, hop: int, total: Any) -> None:
    for k in range(frames.shape[0]):
        line, place = frames[k], total[k * hop : k * hop + window.size]
        for i in range(window.size):
            place[i] += line[i] * window[i]


def write_magnitudes(spectra: Tensor, found: Tensor) -> None:
    """Write the magnitude of each bin into `found` [rows, bins]; `spectra` complex64 of that shape."""
    lines, result = _lines(spectra), found.numpy()
    spread(lambda first, stop: _magnitudes(lines, result, first, stop), len(result))


def distance_sums(spectra: Tensor, expected: Tensor, floor: float) -> Tensor:
    """Return sums over the bins of each row, float32 [rows, 4].

    Of (M - T)^2, of |M - T|, of |ln(M / T)| and of T^2, with M the magnitudes of `spectra`, complex64
    [rows, bins], and T `expected`, float32 [rows, bins], none less than the root of the power `floor`.
    """
    sums = torch.empty(len(spectra), 4)
    lines, wanted, result = _lines(spectra), expected.numpy(), sums.numpy()
    limits = np.float32(floor), np.float32(floor**0.5)
    spread(lambda first, stop: _sums(lines, wanted, *limits, result, first, stop), len(wanted))
    return sums


def scale_by_slope(
    spectra: Tensor, expected: Tensor, floor: float, weights: tuple[float, float, float]
) -> None:
    """Turn `spectra` into the gradient of a distance by them.

    That of `weights` times half the sum of (M - T)^2, the sum of |ln M - ln T| and the sum of |M - T|;
    arguments as for `distance_sums`. Bins below the floor have none.
    """
    lines, wanted, numbers = _lines(spectra), expected.numpy(), np.asarray(weights, np.float32)
    limits = np.float32(floor), np.float32(floor**0.5)
    spread(lambda first, stop: _slopes(lines, wanted, *limits, numbers, first, stop), len(wanted))


def overlap_add(frames: Tensor, window: Tensor, hop: int, total: Tensor) -> None:
    """Add frames [rows, at least length] times `window` [length] to `total`, each `hop` samples on."""
    _overlap_add(frames.numpy(), window.numpy(), hop, total.numpy())


def _lines(spectra: Tensor) -> Any:
    return torch.view_as_real(spectra).flatten(-2).numpy()
