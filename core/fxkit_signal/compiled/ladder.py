"""The compiled ladder filter and its adjoint; the equations stand in `fxkit_signal.ladder`.

Both functions write into arrays that are given. Signals are [batch, channels, samples], `g` and `k`
[batch, samples], `trace` [batch, channels, samples, 5] holds y_0 ... y_4.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from fxkit_signal.compiled.kernel import kernel

Array = np.ndarray[Any, np.dtype[np.float64]]


@kernel("reassoc", "contract", "nsz", "arcp")
def run_ladder(
    x: Array, g: Array, k: Array, mix: Array, state: Array, saturate: bool, steps: int,
    y: Array, trace: Array, after: Array,
) -> None:  # fmt: skip
    """Fill the output `y`, the `trace` and the state `after` the last sample."""
    batch, channels, samples = x.shape
    for item in range(batch):
        for channel in range(channels):
            line = state[item, channel]
            s1, s2, s3, s4 = line[0], line[1], line[2], line[3]
            last = 0.0
            for n in range(samples):
                share = 1 / (1 + g[item, n])
                gain = g[item, n] * share
                rest = share * (s4 + gain * (s3 + gain * (s2 + gain * s1)))
                loop = k[item, n] * gain * gain * gain * gain
                entering = x[item, channel, n] - k[item, n] * rest
                y0 = entering / (1 + loop)
                if saturate:
                    size = abs(entering)
                    least = max(size / (1 + loop), size - loop)
                    # The sample before is near; after one step from anywhere, steps only come closer.
                    e = max(least, last)
                    for _ in range(steps):
                        y0 = np.tanh(e)
                        slope = 1 - y0 * y0
                        move = (size - e - loop * y0) / (1 + loop * slope)
                        y0 += slope * move
                        e = max(least, e + move)
                        if abs(move) < 1e-8:
                            break
                    last = e
                    if entering < 0:
                        y0 = -y0
                y1 = gain * y0 + share * s1
                y2 = gain * y1 + share * s2
                y3 = gain * y2 + share * s3
                y4 = gain * y3 + share * s4
                s1, s2, s3, s4 = 2 * y1 - s1, 2 * y2 - s2, 2 * y3 - s3, 2 * y4 - s4
                line = trace[item, channel, n]
                line[0], line[1], line[2], line[3], line[4] = y0, y1, y2, y3, y4
                y[item, channel, n] = mix[0] * y0 + mix[1] * y1 + mix[2] * y2 + mix[3] * y3 + mix[4] * y4
            line = after[item, channel]
            line[0], line[1], line[2], line[3] = s1, s2, s3, s4


@kernel("reassoc", "contract", "nsz", "arcp")
def run_ladder_adjoint(
    g: Array, k: Array, mix: Array, trace: Array, to_y: Array, to_after: Array, saturate: bool,
    to_x: Array, to_g: Array, to_k: Array, to_state: Array,
) -> None:  # fmt: skip
    """Turn the gradients of output and last state into those of input, g, k and first state.

    The stages of one sample solve F = 0 with F_i = y_i - s_i - g (y_(i-1) - y_i), y_0 = f(x - k y_4). Their
    gradients b, from the output and the states after, give m with (dF/dy)^T m = b, a chain that the
    feedback closes; what goes to a quantity is then -m dF/d(quantity). `to_g` and `to_k` enter as 0.
    """
    batch, channels, samples = to_y.shape
    for item in range(batch):
        for channel in range(channels):
            line = to_after[item, channel]
            l1, l2, l3, l4 = line[0], line[1], line[2], line[3]
            for n in range(samples - 1, -1, -1):
                line = trace[item, channel, n]
                y0, y1, y2, y3, y4 = line[0], line[1], line[2], line[3], line[4]
                here, feedback, out = g[item, n], k[item, n], to_y[item, channel, n]
                slope = 1 - y0 * y0 if saturate else 1.0
                share = 1 / (1 + here)
                gain = here * share
                direct = mix[0] * out * slope
                # m_i = p_i + q_i m_1 from the last stage up.
                p4 = share * (2 * l4 + mix[4] * out - feedback * direct)
                q4 = -gain * feedback * slope
                p3 = share * (2 * l3 + mix[3] * out) + gain * p4
                p2 = share * (2 * l2 + mix[2] * out) + gain * p3
                p1 = share * (2 * l1 + mix[1] * out) + gain * p2
                m1 = p1 / (1 - gain * gain * gain * q4)
                m4 = p4 + q4 * m1
                m3 = share * (2 * l3 + mix[3] * out) + gain * m4
                m2 = share * (2 * l2 + mix[2] * out) + gain * m3
                to_e = m1 * here * slope + direct
                to_x[item, channel, n] = to_e
                to_k[item, n] -= to_e * y4
                to_g[item, n] += m1 * (y0 - y1) + m2 * (y1 - y2) + m3 * (y2 - y3) + m4 * (y3 - y4)
                l1, l2, l3, l4 = m1 - l1, m2 - l2, m3 - l3, m4 - l4
            line = to_state[item, channel]
            line[0], line[1], line[2], line[3] = l1, l2, l3, l4
