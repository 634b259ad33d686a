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
    """Count the edits between two words; a swap of neighbours counts as one (Damerau, 1964)."""
    above: list[int] = []
    row = list(range(len(right) + 1))
    for i, a in enumerate(left, 1):
        before, above, row = above, row, [i]
        for j, b in enumerate(right, 1):
            cost = min(above[j] + 1, row[j - 1] + 1, above[j - 1] + (a != b))
            if i > 1 and j > 1 and a == right[j - 2] and b == left[i - 2]:
                cost = min(cost, before[j - 2] + 1)
            row.append(cost)
    return row[-1]
