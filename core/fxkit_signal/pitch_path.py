"""The cheapest path through candidates for the pitch, one of which, or none, is chosen per frame."""

from __future__ import annotations

import attrs
import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor

Floats = npt.NDArray[np.floating]

# A cost that no path pays where another state is left; finite, so that sums stay ordered.
UNREACHABLE = 1e6
_CHUNK = 1024


@attrs.frozen(kw_only=True)
class PathCosts:
    """Hold what a path pays, in shares of aperiodic power.

    `unvoiced` per unvoiced frame; `octave` per frame and octave below the frame's best candidate, so
    that of equally periodic ones the shortest period wins (odd harmonics of less than about half this
    share of the power go unheard); `jump` per octave between two voiced frames and `change` per change
    of voicing, both for 100 frames a second and in proportion to `frame_rate` (Hz), so that the path
    does not depend on the hop.
    """

    unvoiced: float = 0.55
    octave: float = 0.03
    jump: float = 0.35
    change: float = 0.1
    frame_rate: float = 100.0


def cheapest_path(f0: Floats, aperiodicity: Floats, costs: PathCosts) -> npt.NDArray[np.int64]:
    """Return the candidate chosen in each frame, [frames], -1 for unvoiced (Viterbi, 1967).

    `f0` [frames, candidates] in Hz above 0; `aperiodicity` of the same shape, `UNREACHABLE` or more for
    a candidate that is none.
    """
    pitch = np.log2(f0)
    local = np.full((len(pitch), pitch.shape[1] + 1), costs.unvoiced)
    local[:, :-1] = _voiced_costs(pitch, aperiodicity, costs.octave)
    best = local[0]
    origins = np.zeros(local.shape, np.int64)
    states = np.arange(local.shape[1])
    for first in range(1, len(pitch), _CHUNK):
        moves = _moves(pitch[first - 1 : first + _CHUNK], costs)
        for frame, move in enumerate(moves, first):
            totals = move + best
            origin = origins[frame] = totals.argmin(1)
            best = totals[states, origin] + local[frame]
    return _walk_back(origins, int(best.argmin()))


def _voiced_costs(pitch: Floats, aperiodicity: Floats, octave: float) -> Floats:
    """Return the cost of each candidate; a frame's best one pays its aperiodicity alone."""
    total = aperiodicity - octave * pitch
    best = pitch[np.arange(len(pitch)), total.argmin(1)]
    costs: Floats = total + octave * best[:, None]
    return costs


def _moves(pitch: Floats, costs: PathCosts) -> Floats:
    """Return the cost of each step, [steps, state after, state before]; the last state is unvoiced."""
    scale = costs.frame_rate / 100
    moves = np.full((len(pitch) - 1, pitch.shape[1] + 1, pitch.shape[1] + 1), costs.change * scale)
    moves[:, :-1, :-1] = np.abs(pitch[1:, :, None] - pitch[:-1, None, :]) * (costs.jump * scale)
    moves[:, -1, -1] = 0
    return moves


def _walk_back(origins: npt.NDArray[np.int64], last: int) -> npt.NDArray[np.int64]:
    path = np.empty(len(origins), np.int64)
    for frame in range(len(origins) - 1, -1, -1):
        path[frame] = last
        last = int(origins[frame, last])
    path[path == origins.shape[1] - 1] = -1
    return path


def hold(values: Tensor, known: Tensor, default: float) -> Tensor:
    """Fill the frames that are not `known` with the last known value, at the start with the first.

    `values` and `known` [frames]; `default` fills all when none is known.
    """
    if not bool(known.any()):
        return torch.full_like(values, default)
    place = torch.arange(len(values), device=values.device)
    last = torch.where(known, place, -1).cummax(0).values
    first = int(known.to(torch.uint8).argmax())
    return values[last.clamp(min=0).where(last >= 0, first)]
