"""The points of a grid over the knobs, scaled to [0, 1]."""

from __future__ import annotations

import difflib
import math
from collections.abc import Mapping, Sequence

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError

Axes = tuple[tuple[float, ...], ...]

_MOST = 65536


def axes_of(settings: Sequence[Sequence[float]]) -> Axes | None:
    """Return the points of each knob when the settings are all their combinations, else None."""
    axes = tuple(tuple(sorted(set(values))) for values in zip(*settings, strict=True))
    return axes if math.prod(map(len, axes)) == len(set(map(tuple, settings))) else None


def declared_axes(grid: Mapping[str, Sequence[float]], ctx: BuildContext) -> Axes:
    """Scale the points that an experiment gives for each knob.

    Raises `AssemblyError` for a knob too many or too few, a point outside the knob's range, or more
    points in all than can be learned.
    """
    for name in grid:
        if name not in ctx.knobs:
            near = difflib.get_close_matches(name, ctx.knobs, n=1)
            hint = f'did you mean "{near[0]}"?' if near else f"there are {', '.join(ctx.knobs)}"
            raise _wrong(f'the data has no knob "{name}"; {hint}')
    missing = [name for name in ctx.knobs if name not in grid]
    if missing:
        raise _wrong(f"no points for {', '.join(missing)}; the grid must name every knob of the data")
    axes = tuple(_scaled(name, grid[name], ctx) for name in ctx.knobs)
    count = math.prod(map(len, axes))
    if count > _MOST:
        raise _wrong(f"{count} combinations; use fewer points, or knobs-mlp, which learns a smooth function")
    return axes


def _scaled(name: str, points: Sequence[float], ctx: BuildContext) -> tuple[float, ...]:
    low, high = ctx.knob_ranges.get(name, (0.0, 1.0))
    for point in points:
        if not low <= point <= high:
            raise _wrong(f"{name} = {point:g} lies outside the knob's range, {low:g} to {high:g}")
    return tuple(sorted((point - low) / (high - low) for point in points))


def _wrong(message: str) -> AssemblyError:
    return AssemblyError("knobs-interpolation", f"grid: {message}")
