"""Second-order sections whose coefficients move, as parallel scans on a CUDA device.

One sample of a section in transposed direct form II takes its state s by an affine map,
s' = [[-a1, 1], [-a2, 0]] s + [b1 - a1 b0, b2 - a2 b0] x, and affine maps compose associatively
(Blelloch, Prefix Sums and Their Applications, 1990). A signal is cut into tiles: one launch composes
the maps of every tile, one runs over the tiles of each row, and one scans within the tiles again from
the states found. The adjoint is the transposed map run backwards in time, in the same three launches.
Everything is computed in float64; audio and coefficients are read and written in their own types.
"""

from __future__ import annotations

import triton
import triton.language as tl

# Samples per tile, and tiles that one step of the scan over tiles takes.
TILE = 512
CHAIN = 256


@triton.jit
def _after(m00, m01, m10, m11, v0, v1, n00, n01, n10, n11, w0, w1):
    """Compose two affine maps: first (m, v), then (n, w)."""
    return (
        n00 * m00 + n01 * m10,
        n00 * m01 + n01 * m11,
        n10 * m00 + n11 * m10,
        n10 * m01 + n11 * m11,
        n00 * v0 + n01 * v1 + w0,
        n10 * v0 + n11 * v1 + w1,
    )


@triton.jit
def _coefficient(sos, group, index, time, mask, frames, sections, section, offset, HOP: tl.constexpr):
    """Load coefficient `index` at samples `time`, interpolated between frames."""
    place = offset + time
    frame = place // HOP
    step = sections * 6
    here = sos + (group * frames + frame) * step + section * 6 + index
    value = tl.load(here, mask=mask, other=0.0).to(tl.float64)
    if HOP > 1:
        share = (place - frame * HOP).to(tl.float64) / HOP
        following = tl.load(here + step, mask=mask, other=0.0).to(tl.float64)
        value += share * (following - value)
    return value


@triton.jit
def _forward_map(
    sos, x, row, group, time, mask, samples, frames, sections, section, offset, HOP: tl.constexpr
):
    """Return the affine map that each sample of `time` makes of the state; identity where masked."""
    b0 = _coefficient(sos, group, 0, time, mask, frames, sections, section, offset, HOP)
    b1 = _coefficient(sos, group, 1, time, mask, frames, sections, section, offset, HOP)
    b2 = _coefficient(sos, group, 2, time, mask, frames, sections, section, offset, HOP)
    a1 = _coefficient(sos, group, 4, time, mask, frames, sections, section, offset, HOP)
    a2 = _coefficient(sos, group, 5, time, mask, frames, sections, section, offset, HOP)
    value = tl.load(x + row * samples + time, mask=mask, other=0.0).to(tl.float64)
    return (
        tl.where(mask, -a1, 1.0),
        tl.where(mask, 1.0, 0.0).to(tl.float64),
        tl.where(mask, -a2, 0.0),
        tl.where(mask, 0.0, 1.0).to(tl.float64),
        (b1 - a1 * b0) * value,
        (b2 - a2 * b0) * value,
    )


@triton.jit
def _backward_map(
    sos, g, row, group, time, mask, samples, frames, sections, section, offset, HOP: tl.constexpr
):
    """Return the affine map that each sample of `time` makes of the adjoint; identity where masked."""
    a1 = _coefficient(sos, group, 4, time, mask, frames, sections, section, offset, HOP)
    a2 = _coefficient(sos, group, 5, time, mask, frames, sections, section, offset, HOP)
    value = tl.load(g + row * samples + time, mask=mask, other=0.0).to(tl.float64)
    return (
        tl.where(mask, -a1, 1.0),
        tl.where(mask, -a2, 0.0),
        tl.where(mask, 1.0, 0.0).to(tl.float64),
        tl.where(mask, 0.0, 1.0).to(tl.float64),
        value,
        tl.zeros_like(value),
    )


@triton.jit
def _store_last(maps, row, tile, tiles, m00, m01, m10, m11, v0, v1, TILE: tl.constexpr):
    last = tl.arange(0, TILE) == TILE - 1
    place = maps + (row * tiles + tile) * 6
    tl.store(place + 0, tl.sum(tl.where(last, m00, 0.0), 0))
    tl.store(place + 1, tl.sum(tl.where(last, m01, 0.0), 0))
    tl.store(place + 2, tl.sum(tl.where(last, m10, 0.0), 0))
    tl.store(place + 3, tl.sum(tl.where(last, m11, 0.0), 0))
    tl.store(place + 4, tl.sum(tl.where(last, v0, 0.0), 0))
    tl.store(place + 5, tl.sum(tl.where(last, v1, 0.0), 0))


@triton.jit
def compose_tiles(
    sos, signal, maps, rows_per_group, samples, frames, sections, section, offset,
    HOP: tl.constexpr, BACKWARD: tl.constexpr, TILE: tl.constexpr,
):  # fmt: skip
    """Write to `maps` [rows, tiles, 6] the map that each tile makes as a whole.

    The tiles of the backward direction count from the end of the signal.
    """
    row, tile, tiles = tl.program_id(1).to(tl.int64), tl.program_id(0), tl.num_programs(0)
    count = tile * TILE + tl.arange(0, TILE)
    mask = count < samples
    group = row // rows_per_group
    if BACKWARD:
        time = samples - 1 - count
        m00, m01, m10, m11, v0, v1 = _backward_map(
            sos, signal, row, group, time, mask, samples, frames, sections, section, offset, HOP
        )
    else:
        m00, m01, m10, m11, v0, v1 = _forward_map(
            sos, signal, row, group, count, mask, samples, frames, sections, section, offset, HOP
        )
    m00, m01, m10, m11, v0, v1 = tl.associative_scan((m00, m01, m10, m11, v0, v1), 0, _after)
    _store_last(maps, row, tile, tiles, m00, m01, m10, m11, v0, v1, TILE)


@triton.jit
def chain_tiles(maps, states, tiles, LINKS: tl.constexpr, CHAIN: tl.constexpr):
    """Run over the tiles of each row, in LINKS steps; `states` [rows, tiles + 1, 2] holds the start."""
    row = tl.program_id(0).to(tl.int64)
    states += row * (tiles + 1) * 2
    maps += row * tiles * 6
    s0, s1 = tl.load(states), tl.load(states + 1)
    lanes = tl.arange(0, CHAIN)
    for link in range(LINKS):
        tile = link * CHAIN + lanes
        mask = tile < tiles
        place = maps + tile * 6
        m00 = tl.load(place + 0, mask=mask, other=1.0)
        m01 = tl.load(place + 1, mask=mask, other=0.0)
        m10 = tl.load(place + 2, mask=mask, other=0.0)
        m11 = tl.load(place + 3, mask=mask, other=1.0)
        v0 = tl.load(place + 4, mask=mask, other=0.0)
        v1 = tl.load(place + 5, mask=mask, other=0.0)
        m00, m01, m10, m11, v0, v1 = tl.associative_scan((m00, m01, m10, m11, v0, v1), 0, _after)
        after0, after1 = m00 * s0 + m01 * s1 + v0, m10 * s0 + m11 * s1 + v1
        tl.store(states + (tile + 1) * 2, after0, mask=mask)
        tl.store(states + (tile + 1) * 2 + 1, after1, mask=mask)
        # Beyond the last tile the maps are the identity, so the last lane always holds the newest state.
        s0 = tl.sum(tl.where(lanes == CHAIN - 1, after0, 0.0), 0)
        s1 = tl.sum(tl.where(lanes == CHAIN - 1, after1, 0.0), 0)


@triton.jit
def filter_tiles(
    sos, x, y, states, rows_per_group, samples, frames, sections, section, offset,
    HOP: tl.constexpr, TILE: tl.constexpr,
):  # fmt: skip
    """Write the section's output `y` [rows, samples], each tile from its own start state."""
    row, tile, tiles = tl.program_id(1).to(tl.int64), tl.program_id(0), tl.num_programs(0)
    lanes = tl.arange(0, TILE)
    time = tile * TILE + lanes
    mask = time < samples
    group = row // rows_per_group
    # The state before a sample is that after the samples before it: the maps stand one later.
    earlier = mask & (lanes > 0)
    m00, m01, m10, m11, v0, v1 = _forward_map(
        sos, x, row, group, time - 1, earlier, samples, frames, sections, section, offset, HOP
    )
    m00, m01, m10, m11, v0, v1 = tl.associative_scan((m00, m01, m10, m11, v0, v1), 0, _after)
    place = states + (row * (tiles + 1) + tile) * 2
    s0 = m00 * tl.load(place) + m01 * tl.load(place + 1) + v0
    b0 = _coefficient(sos, group, 0, time, mask, frames, sections, section, offset, HOP)
    value = tl.load(x + row * samples + time, mask=mask, other=0.0).to(tl.float64)
    tl.store(y + row * samples + time, (b0 * value + s0).to(y.dtype.element_ty), mask=mask)


@triton.jit
def adjoint_tiles(
    sos, x, y, g, states, gx, gsos, rows_per_group, samples, frames, sections, section, offset,
    HOP: tl.constexpr, TILE: tl.constexpr,
):  # fmt: skip
    """Write the gradients to the input, `gx` [rows, samples], and to each sample's b0 b1 b2 a1 a2.

    `gsos` is [rows, samples, 5]. With l the adjoint of the state after a sample and
    e = g - a1 l1 - a2 l2 that of its output: gx = b0 e + b1 l1 + b2 l2.
    """
    row, tile, tiles = tl.program_id(1).to(tl.int64), tl.program_id(0), tl.num_programs(0)
    lanes = tl.arange(0, TILE)
    count = tile * TILE + lanes
    mask = count < samples
    time = samples - 1 - count
    group = row // rows_per_group
    later = mask & (lanes > 0)
    m00, m01, m10, m11, v0, v1 = _backward_map(
        sos, g, row, group, time + 1, later, samples, frames, sections, section, offset, HOP
    )
    m00, m01, m10, m11, v0, v1 = tl.associative_scan((m00, m01, m10, m11, v0, v1), 0, _after)
    place = states + (row * (tiles + 1) + tile) * 2
    start0, start1 = tl.load(place), tl.load(place + 1)
    l1 = m00 * start0 + m01 * start1 + v0
    l2 = m10 * start0 + m11 * start1 + v1
    b0 = _coefficient(sos, group, 0, time, mask, frames, sections, section, offset, HOP)
    b1 = _coefficient(sos, group, 1, time, mask, frames, sections, section, offset, HOP)
    b2 = _coefficient(sos, group, 2, time, mask, frames, sections, section, offset, HOP)
    a1 = _coefficient(sos, group, 4, time, mask, frames, sections, section, offset, HOP)
    a2 = _coefficient(sos, group, 5, time, mask, frames, sections, section, offset, HOP)
    at = row * samples + time
    e = tl.load(g + at, mask=mask, other=0.0).to(tl.float64) - a1 * l1 - a2 * l2
    tl.store(gx + at, (b0 * e + b1 * l1 + b2 * l2).to(gx.dtype.element_ty), mask=mask)
    value = tl.load(x + at, mask=mask, other=0.0).to(tl.float64)
    output = tl.load(y + at, mask=mask, other=0.0).to(tl.float64)
    into = gsos + at * 5
    tl.store(into + 0, (e * value).to(gsos.dtype.element_ty), mask=mask)
    tl.store(into + 1, (l1 * value).to(gsos.dtype.element_ty), mask=mask)
    tl.store(into + 2, (l2 * value).to(gsos.dtype.element_ty), mask=mask)
    tl.store(into + 3, (-l1 * output).to(gsos.dtype.element_ty), mask=mask)
    tl.store(into + 4, (-l2 * output).to(gsos.dtype.element_ty), mask=mask)
