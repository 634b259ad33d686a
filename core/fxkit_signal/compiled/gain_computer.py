"""The static curve of dynamics processors and its adjoint.

Rows of `curve` [rows, 1 or samples, 4] hold threshold, slope, knee and reach, in dB and dB per dB.
"""

from __future__ import annotations

from numpy import empty, float64, zeros
from numpy.typing import NDArray

from fxkit_signal.compiled.kernel import kernel

Array = NDArray[float64]
# Knees narrower than this are corners; their reciprocal is still finite.
NARROW = 1e-30


@kernel()
def excess(over: float, knee: float) -> tuple[float, float]:
    """Return the rounded-off excess, and the share of the knee that is passed: its slope along `over`."""
    share = min(max(over / max(knee, NARROW) + 0.5, 0.0), 1.0)
    return 0.5 * knee * share * share + max(over - 0.5 * knee, 0.0), share


@kernel()
def attenuate(loud: Array, curve: Array, sign: float) -> Array:
    """Return the attenuation in dB at levels `loud` [rows, samples] in dB; `sign` -1 acts below."""
    rows, samples = loud.shape
    out = empty((rows, samples))
    for r in range(rows):
        if curve.shape[1] > 1:
            for n in range(samples):
                value, _ = excess(sign * (loud[r, n] - curve[r, n, 0]), curve[r, n, 2])
                out[r, n] = min(curve[r, n, 1] * value, curve[r, n, 3])
        else:
            threshold, slope, knee, reach = curve[r, 0, 0], curve[r, 0, 1], curve[r, 0, 2], curve[r, 0, 3]
            for n in range(samples):
                value, _ = excess(sign * (loud[r, n] - threshold), knee)
                out[r, n] = min(slope * value, reach)
    return out


@kernel("reassoc")
def attenuate_adjoint(
    grad: Array, level: Array, loud: Array, curve: Array, sign: float, scale: float, lowest: float
) -> tuple[Array, Array]:
    """Return the gradients to levels and curve, given that to the attenuation.

    `loud` is `scale` times the logarithm of `level` where that is above `lowest`.
    """
    rows, samples = loud.shape
    to_level, to_curve = empty((rows, samples)), zeros(curve.shape)
    for r in range(rows):
        if curve.shape[1] > 1:
            for n in range(samples):
                threshold, slope, knee, reach = curve[r, n, 0], curve[r, n, 1], curve[r, n, 2], curve[r, n, 3]
                value, share = excess(sign * (loud[r, n] - threshold), knee)
                inside = grad[r, n] if slope * value <= reach else 0.0
                step = sign * inside * slope * share
                to_level[r, n] = step * scale / level[r, n] if level[r, n] > lowest else 0.0
                to_curve[r, n, 0] = -step
                to_curve[r, n, 1] = inside * value
                to_curve[r, n, 2] = inside * slope * 0.5 * share * (1 - share)
                to_curve[r, n, 3] = grad[r, n] - inside
        else:
            threshold, slope, knee, reach = curve[r, 0, 0], curve[r, 0, 1], curve[r, 0, 2], curve[r, 0, 3]
            along_threshold = along_slope = along_knee = along_reach = 0.0
            for n in range(samples):
                value, share = excess(sign * (loud[r, n] - threshold), knee)
                inside = grad[r, n] if slope * value <= reach else 0.0
                step = sign * inside * slope * share
                to_level[r, n] = step * scale / level[r, n] if level[r, n] > lowest else 0.0
                along_threshold -= step
                along_slope += inside * value
                along_knee += inside * slope * 0.5 * share * (1 - share)
                along_reach += grad[r, n] - inside
            to_curve[r, 0, 0], to_curve[r, 0, 1] = along_threshold, along_slope
            to_curve[r, 0, 2], to_curve[r, 0, 3] = along_knee, along_reach
    return to_level, to_curve
