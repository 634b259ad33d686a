"""How much each parameter of a sweep had to do with what came of the trials."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from itertools import groupby

import numpy as np

from fxkit.sweeping.summary import Row

# Many different values of a range are taken together in so many groups of equal size.
_GROUPS = 4


def number(text: str) -> float | None:
    """Return a value as a number, None where it is none."""
    try:
        value = float(text)
    except ValueError:
        return None
    return value if math.isfinite(value) else None


def varied(rows: Sequence[Row]) -> tuple[str, ...]:
    """Return the paths whose values differ between trials."""
    paths = dict.fromkeys(path for row in rows for path in row.parameters)
    return tuple(path for path in paths if len({row.parameters.get(path) for row in rows}) > 1)


def influence(rows: Sequence[Row]) -> dict[str, float]:
    """Return path -> the share, 0 to 1, of the variance of the ranks of the figures that it explains alone.

    The share is epsilon squared of a one-way analysis of variance (Kelley, 1935), which by chance is zero on
    average and is cut there. Ranks keep one trial that went astray from deciding. What only works together
    with another parameter is not in it. A parameter of which no two trials share a value or a group is left
    out.
    """
    values = np.array([row.value for row in rows if row.value is not None])
    ranks = np.argsort(np.argsort(values, kind="stable"), kind="stable").astype(float)
    found: dict[str, float] = {}
    for path in varied(rows):
        groups = _groups([row.parameters[path] for row in rows])
        share = _epsilon_squared(ranks, groups)
        if share is not None:
            found[path] = share
    return dict(sorted(found.items(), key=lambda one: -one[1]))


def _groups(texts: Sequence[str]) -> list[int]:
    """Return the group of each value: equal values, or, where those are many, neighbours."""
    distinct = list(dict.fromkeys(texts))
    numbers: Mapping[str, float | None] = {text: number(text) for text in distinct}
    if len(distinct) <= _GROUPS or None in numbers.values():
        return [distinct.index(text) for text in texts]
    order = sorted(range(len(texts)), key=lambda index: numbers[texts[index]] or 0.0)
    places = [0] * len(texts)
    position = 0
    for _, same in groupby(order, key=lambda index: numbers[texts[index]]):
        members = list(same)
        for index in members:
            places[index] = position * _GROUPS // len(texts)
        position += len(members)
    return places


def _epsilon_squared(values: np.ndarray, groups: Sequence[int]) -> float | None:
    names = np.array(groups)
    kinds, count = np.unique(names), len(values)
    total = float(((values - values.mean()) ** 2).sum())
    if len(kinds) < 2 or count <= len(kinds) or total == 0:
        return None
    within = sum(float(((values[names == one] - values[names == one].mean()) ** 2).sum()) for one in kinds)
    share = 1 - (within / (count - len(kinds))) / (total / (count - 1))
    return max(0.0, share)
