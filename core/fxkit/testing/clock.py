"""Checks of values that stand still, and of a clock that starts later."""

from __future__ import annotations

from typing import Any

import attrs
import torch

from fxkit.testing.case import Case, run, stirred
from fxkit.testing.check import distance, promise
from fxkit.testing.streaming import compare_blocks
from fxkit.testing.track import Track, Tracks, cut, with_values
from fxkit.values import State

SAMPLES = 400
# A whole number of periods of the usual pairs of sample rates, whose phase a segment may ignore.
START = 960
TOLERANCE = 1e-5
SPLITS = ((1,) * 9, (7, 64, 1, 200))


def check_still_parameters(case: Case) -> str | None:
    """Check that one value for a parameter does what the same value at every sample or frame does.

    Also in blocks: a constant stays one, whatever their sizes.
    """
    module, tracks = stirred(case), case.tracks(SAMPLES + case.lead)
    free = _movable(case)
    if not free:
        return "it has no parameter that may be constant or move"
    still, spread = _still(tracks, free), _spread(tracks, free)
    expected = run(case, module, spread)
    error = distance(run(case, module, still), expected)
    names = ", ".join(name.removeprefix("param:") for name in free)
    promise(
        error <= TOLERANCE, case, f"differs by {error:.1e} where {names} come as one value, not as a track"
    )
    compare_blocks(case, module, still, SPLITS)
    return None


def check_later_start(case: Case) -> str | None:
    """Check that `state_at(starts)` is the state after silence: at 0 that of the start, item by item.

    Parameters stand still meanwhile.
    """
    module = stirred(case)
    if not hasattr(module, "state_at"):
        return "it has no clock of its own (no state_at)"
    tracks = _still(case.tracks(START + SAMPLES + case.lead), _movable(case))
    tracks = {name: _held(track) if track.grid == "frame" else track for name, track in tracks.items()}
    silent = tracks["audio"].values.clone()
    silent[..., :START] = 0
    tracks = with_values(tracks, "audio", silent)
    first = cut(tracks, 0, SAMPLES)
    zeros, starts = torch.zeros(2, dtype=torch.int64), torch.tensor([START, 0])
    error = distance(run(case, module, first, state=module.state_at(zeros)), run(case, module, first))
    promise(error <= TOLERANCE, case, f"differs by {error:.1e} from the start with state_at(0)")
    _, state = case.step(module, cut(tracks, 0, START), None)
    expected = _run_from(case, module, tracks, START, state)
    later = run(case, module, _shifted(tracks, START, case), state=module.state_at(starts))
    at_zero = run(case, module, _shifted(tracks, START, case))
    if case.grid == "sample":
        expected = torch.cat((expected[:1, ..., : later.shape[-1]], at_zero[1:]))
        error = distance(later, expected)
        promise(error <= TOLERANCE, case, f"differs by {error:.1e} from silence with state_at({START})")
    return None


def _run_from(case: Case, module: Any, tracks: Tracks, start: int, state: State) -> torch.Tensor:
    stop = tracks["audio"].values.shape[-1]
    return case.step(module, cut(tracks, start, stop), state)[0]


def _shifted(tracks: Tracks, start: int, case: Case) -> Tracks:
    """Return what a segment that starts at `start` brings; its frames begin anew."""
    length = tracks["audio"].values.shape[-1] - start
    moved = {}
    for name, track in tracks.items():
        values = track.values[..., start:] if track.grid == "sample" else track.values
        if track.grid == "frame":
            values = values[..., : track.index(length)]
        moved[name] = attrs.evolve(track, values=values)
    return moved


def _movable(case: Case) -> tuple[str, ...]:
    rates = {f"param:{parameter.name}": parameter.rate for parameter in getattr(case, "parameters", ())}
    return tuple(name for name, rate in rates.items() if rate in ("sample", "control"))


def _still(tracks: Tracks, names: tuple[str, ...]) -> Tracks:
    constants = {n: Track(values=tracks[n].values[..., :1], grid="constant") for n in names}
    return {**tracks, **constants}


def _spread(tracks: Tracks, names: tuple[str, ...]) -> Tracks:
    return {**tracks, **{name: _held(tracks[name]) for name in names}}


def _held(track: Track) -> Track:
    return attrs.evolve(track, values=track.values[..., :1].expand_as(track.values).clone())
