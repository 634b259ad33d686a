"""Find the names that a misspelt one was probably meant to be."""

from __future__ import annotations

from collections.abc import Iterable


def closest(name: str, names: Iterable[str], *, limit: int = 3) -> tuple[str, ...]:
    """Return up to `limit` of `names` that look like `name`, the closest first.

    Every name within two edits (insertion, deletion, substitution, swap of neighbours) is a
    candidate unless that rewrites the whole name; so is every name that contains `name` or that
    difflib finds similar. Case, "-" and "_" count as equal.
    """
    import difflib

    wanted = _folded(name)
    candidates = sorted(set(names))
    similar = set(difflib.get_close_matches(wanted, map(_folded, candidates), n=limit, cutoff=0.6))
    scored = []
    for candidate in candidates:
        folded = _folded(candidate)
        edits = distance(wanted, folded)
        near = edits <= 2 and edits < max(len(wanted), len(folded))
        if near or folded in similar or (len(wanted) > 2 and wanted in folded):
            scored.append((not near, edits, candidate))
    return tuple(candidate for _, _, candidate in sorted(scored)[:limit])


def _folded(name: str) -> str:
    return name.casefold().replace("_", "-")


def distance(left: str, right: str) -> int:
    """Count the edits between two words; a swap of neighbours counts as one (Damerau, 1964).

    Letters between two that are swapped may be added or removed at their own cost (Lowrance and Wagner,
    An extension of the string-to-string correction problem, 1975).
    """
    never = len(left) + len(right)
    cost = {(i, -1): never for i in range(-1, len(left) + 1)}
    cost |= {(-1, j): never for j in range(len(right) + 1)}
    cost |= {(i, 0): i for i in range(len(left) + 1)} | {(0, j): j for j in range(len(right) + 1)}
    rows: dict[str, int] = {}
    for i, a in enumerate(left, 1):
        column = 0
        for j, b in enumerate(right, 1):
            row = rows.get(b, 0)
            swapped = cost[row - 1, column - 1] + (i - row - 1) + 1 + (j - column - 1)
            kept = cost[i - 1, j - 1] + (a != b)
            cost[i, j] = min(cost[i - 1, j] + 1, cost[i, j - 1] + 1, kept, swapped)
            column = j if a == b else column
        rows[a] = i
    return cost[len(left), len(right)]
