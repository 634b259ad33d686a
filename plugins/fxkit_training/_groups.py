"""Parameter groups for weight decay."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any


def with_decay(groups: Sequence[Mapping[str, Any]], decay: float) -> list[dict[str, Any]]:
    """Return `groups` with weight decay on matrices alone.

    A group that says what its decay is keeps it. Tensors of fewer than two dimensions (biases, gains,
    learned settings) have no reason to shrink towards zero; a group that holds both kinds becomes two.
    """
    split = []
    for group in groups:
        if "weight_decay" in group:
            split.append(dict(group))
            continue
        tensors = list(group["params"])
        kinds = ((decay, [t for t in tensors if t.ndim > 1]), (0.0, [t for t in tensors if t.ndim <= 1]))
        split += [{**group, "params": members, "weight_decay": rate} for rate, members in kinds if members]
    return split
