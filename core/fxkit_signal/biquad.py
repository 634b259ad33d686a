"""Second-order filter sections: design from physical quantities, and exact recursive cascades.

A section is six numbers b0 b1 b2 a0 a1 a2 with a0 = 1. Designs follow Bristow-Johnson, Cookbook
formulae for audio EQ biquad filter coefficients (W3C Note, 2021). Coefficients are float64 whatever
comes in: rounded to float32 they move a 40 Hz resonance by 0.2 % of its output.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor

from fxkit_signal.dispatch import compiled_for, gpu_for
from fxkit_signal.state_space import run_system
from fxkit_signal.time_varying import run_recursion


def low_shelf(frequency: Tensor, gain_db: Tensor, q: Tensor, rate: float) -> Tensor:
    """Design sections that change the level below a frequency by `gain_db`; see `peak` for shapes."""
    cosine, alpha, a = _prototype(frequency, q, rate, gain_db)
    root = 2 * a.sqrt() * alpha
    low, high = a + 1, a - 1
    return _section(
        (a * (low - high * cosine + root), 2 * a * (high - low * cosine), a * (low - high * cosine - root)),
        (low + high * cosine + root, -2 * (high + low * cosine), low + high * cosine - root),
    )


def high_shelf(frequency: Tensor, gain_db: Tensor, q: Tensor, rate: float) -> Tensor:
    """Design sections that change the level above a frequency by `gain_db`; see `peak` for shapes."""
    cosine, alpha, a = _prototype(frequency, q, rate, gain_db)
    root = 2 * a.sqrt() * alpha
    low, high = a + 1, a - 1
    return _section(
        (a * (low + high * cosine + root), -2 * a * (high + low * cosine), a * (low + high * cosine - root)),
        (low - high * cosine + root, 2 * (high - low * cosine), low - high * cosine - root),
    )


def peak(frequency: Tensor, gain_db: Tensor, q: Tensor, rate: float) -> Tensor:
    """Design sections that change the level around a frequency by `gain_db`.

    `frequency` in Hz below half of `rate`, `gain_db`, and `q` > 0 broadcast against each other.
    Returns float64 coefficients with one more axis: [..., 6].
    """
    cosine, alpha, a = _prototype(frequency, q, rate, gain_db)
    return _section((1 + alpha * a, -2 * cosine, 1 - alpha * a), (1 + alpha / a, -2 * cosine, 1 - alpha / a))


def low_pass(frequency: Tensor, q: Tensor, rate: float) -> Tensor:
    """Design sections that pass what lies below a frequency; see `peak` for shapes."""
    cosine, alpha, _ = _prototype(frequency, q, rate)
    return _section(((1 - cosine) / 2, 1 - cosine, (1 - cosine) / 2), (1 + alpha, -2 * cosine, 1 - alpha))


def high_pass(frequency: Tensor, q: Tensor, rate: float) -> Tensor:
    """Design sections that pass what lies above a frequency; see `peak` for shapes."""
    cosine, alpha, _ = _prototype(frequency, q, rate)
    return _section(((1 + cosine) / 2, -1 - cosine, (1 + cosine) / 2), (1 + alpha, -2 * cosine, 1 - alpha))


def band_pass(frequency: Tensor, q: Tensor, rate: float) -> Tensor:
    """Design sections that pass a band with 0 dB at its centre; see `peak` for shapes."""
    cosine, alpha, _ = _prototype(frequency, q, rate)
    return _section((alpha, 0 * alpha, -alpha), (1 + alpha, -2 * cosine, 1 - alpha))


def notch(frequency: Tensor, q: Tensor, rate: float) -> Tensor:
    """Design sections that remove a frequency; see `peak` for shapes."""
    cosine, alpha, _ = _prototype(frequency, q, rate)
    return _section((1 + 0 * alpha, -2 * cosine, 1 + 0 * alpha), (1 + alpha, -2 * cosine, 1 - alpha))


def all_pass(frequency: Tensor, q: Tensor, rate: float) -> Tensor:
    """Design sections that turn the phase by 360 degrees around a frequency; see `peak` for shapes."""
    cosine, alpha, _ = _prototype(frequency, q, rate)
    return _section((1 - alpha, -2 * cosine, 1 + alpha), (1 + alpha, -2 * cosine, 1 - alpha))


def _prototype(
    frequency: Tensor, q: Tensor, rate: float, gain_db: Tensor | None = None
) -> tuple[Tensor, Tensor, Tensor]:
    omega = frequency.double() * (2 * math.pi / rate)
    alpha = omega.sin() / (2 * q.double())
    level = torch.zeros_like(omega) if gain_db is None else gain_db.double()
    return omega.cos(), alpha, 10 ** (level / 40)


def _section(b: tuple[Tensor, Tensor, Tensor], a: tuple[Tensor, Tensor, Tensor]) -> Tensor:
    coefficients = torch.stack(torch.broadcast_tensors(*b, *a), dim=-1)
    return coefficients / coefficients[..., 3:4]


def sosfilt(audio: Tensor, sos: Tensor, state: Tensor | None = None) -> tuple[Tensor, Tensor]:
    """Run a cascade of second-order sections over audio, exactly and without clipping.

    `audio` [batch, channels, samples] of any float type; `sos` [batch or 1, sections, 6] float64 with
    a0 = 1; `state` [batch, channels, sections, 2] float64, None means silence. Returns audio of the same
    type and the next state. The state is that of the transposed direct form II, section by section,
    as in `scipy.signal.sosfilt`. Differentiable once with respect to everything; any split into
    blocks gives the same output.
    """
    if compiled_for(audio, sos, state) and audio.numel():
        from fxkit_signal.compiled.recursive import run_cascade

        return run_cascade(audio, sos.double(), state)
    return _sosfilt_lifted(audio, sos, state)


def _sosfilt_lifted(audio: Tensor, sos: Tensor, state: Tensor | None) -> tuple[Tensor, Tensor]:
    batch, channels, samples = audio.shape
    groups, sections, _ = sos.shape
    if state is None:
        state = torch.zeros(batch, channels, sections, 2, dtype=torch.float64, device=audio.device)
    rows = batch * channels // groups
    y, following = run_system(
        audio.reshape(groups, rows, samples),
        *_cascade(sos.double()),
        state.reshape(groups, rows, 2 * sections),
    )
    return y.reshape(audio.shape), following.reshape(state.shape)


def sosfilt_varying(
    audio: Tensor, sos: Tensor, state: Tensor | None = None, *, hop: int = 1, offset: int = 0
) -> tuple[Tensor, Tensor]:
    """Run a cascade of second-order sections whose coefficients move, exactly.

    `audio` [batch, channels, samples] of any float type; `sos` [batch or 1, frames, sections, 6] float64
    with a0 = 1: sample j takes the coefficients that lie at frame (offset + j) / hop, linearly between
    two frames (with a hop of 1, one set for each sample; a single frame stands still). `state` and what
    is returned are those of `sosfilt`: the transposed direct form II, each sample with its own
    coefficients. Between two stable sections the interpolated one is stable, because the stable
    (a1, a2) form a triangle. Differentiable once with respect to everything.
    """
    if sos.shape[1] == 1:
        return sosfilt(audio, sos[:, 0], state)
    if state is None:
        state = torch.zeros(*audio.shape[:2], sos.shape[2], 2, dtype=torch.float64, device=audio.device)
    if not audio.numel():
        return audio, state
    if compiled_for(audio, sos, state):
        from fxkit_signal.compiled.recursive import run_moving_cascade

        return run_moving_cascade(audio, sos.double(), state, hop, offset)
    if gpu_for(audio, sos, state):
        from fxkit_signal.gpu.cascade import run_cascade as run_on_gpu

        return run_on_gpu(audio, sos, state, hop, offset)
    x, ends = audio.double(), []
    for section in range(sos.shape[2]):
        moving = _at_samples(sos[:, :, section].double(), audio.shape[-1], hop, offset)
        x, end = _moving_section(x, moving, state[:, :, section])
        ends.append(end)
    return x.to(audio.dtype), torch.stack(ends, dim=2)


def _at_samples(frames: Tensor, samples: int, hop: int, offset: int) -> Tensor:
    """Interpolate [groups, frames, 6] to [6, groups, 1, samples]."""
    tracks = frames.permute(2, 0, 1)[:, :, None]
    if hop == 1:
        return tracks[..., offset : offset + samples]
    ramp = torch.arange(hop, dtype=frames.dtype, device=frames.device) / hop
    tiles = torch.lerp(tracks[..., :-1, None], tracks[..., 1:, None], ramp)
    return tiles.flatten(-2)[..., offset : offset + samples]


def _moving_section(x: Tensor, sos: Tensor, state: Tensor) -> tuple[Tensor, Tensor]:
    """Run one section; `sos` [6, groups, 1, samples], `state` [batch, channels, 2]."""
    b0, b1, b2, _, a1, a2 = sos
    one, zero = torch.ones_like(a1), torch.zeros_like(a1)
    matrix = torch.stack([torch.stack([-a1, one]), torch.stack([-a2, zero])])
    drive = torch.stack([(b1 - a1 * b0) * x, (b2 - a2 * b0) * x])
    states, end = run_recursion(matrix, drive, state.movedim(-1, 0))
    return b0 * x + states[0], end.movedim(0, -1)


def frequency_response(sos: Tensor, frequency: Tensor, rate: float) -> Tensor:
    """Evaluate the complex response of cascades at frequencies.

    `sos` [batch, sections, 6], `frequency` in Hz [points]. Returns complex128 [batch, points].
    """
    delay = torch.exp(-2j * math.pi / rate * frequency.double())
    powers = torch.stack([torch.ones_like(delay), delay, delay**2])
    b, a = sos.double().to(delay.dtype).unflatten(-1, (2, 3)).unbind(-2)
    response: Tensor = (b @ powers) / (a @ powers)
    return response.prod(-2)


def _cascade(sos: Tensor) -> tuple[Tensor, Tensor, Tensor, Tensor]:
    """Write sections in series as one state-space system of twice the order.

    Number the input of section j as node j and the output as node K, and let P[i, j] be the gain of
    the direct path from node j to node i, b0_j ... b0_(i-1). Node i holds P[i, 0] x + sum P[i, j + 1] z_j
    with z_j the first state of section j.
    """
    b0, b1, b2, _, a1, a2 = sos.unbind(-1)
    groups, sections = b0.shape
    own = torch.stack([b1 - a1 * b0, b2 - a2 * b0], dim=-1)
    paths = _direct_paths(b0)
    shift = torch.stack([torch.ones_like(a1), torch.zeros_like(a1)], dim=1)
    recursion = torch.stack([torch.stack([-a1, -a2], dim=1), shift], dim=2)
    into = torch.nn.functional.pad((own[:, :, :, None] * paths[:, :-1, None, 1:])[..., None], (0, 1))
    a = into + torch.diag_embed(recursion).permute(0, 3, 1, 4, 2)
    c = torch.nn.functional.pad(paths[:, -1, 1:, None], (0, 1))
    order = 2 * sections
    return (
        a.reshape(groups, order, order),
        (own * paths[:, :-1, :1]).flatten(1),
        c.flatten(1),
        paths[:, -1, 0],
    )


def _direct_paths(b0: Tensor) -> Tensor:
    """Return P [groups, sections + 1, sections + 1]: the inverse of I - N with N[i + 1, i] = b0_i."""
    chain = torch.diag_embed(b0, offset=-1)
    identity = torch.eye(chain.shape[-1], dtype=b0.dtype, device=b0.device).expand_as(chain)
    paths: Tensor = torch.linalg.solve_triangular(identity - chain, identity, upper=False, unitriangular=True)
    return paths
