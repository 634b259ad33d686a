"""How a model runs: nothing here changes what it computes, but for rounding."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import attrs
import torch


@attrs.frozen(kw_only=True, eq=False)
class Manner:
    """Hold how one pass runs.

    `half` is the type in which processors that declare `Traits.autocast` take their matrix products;
    None for float32. `processors` node name -> what is called in the place of that node's module.
    `nodes` tells whether the output keeps the audio behind every node.
    """

    half: torch.dtype | None = None
    processors: Mapping[str, Callable[..., Any]] = attrs.field(factory=dict)
    nodes: bool = False


PLAIN = Manner()


def with_half(call: Callable[[], tuple[Any, ...]], device: str, half: torch.dtype) -> tuple[Any, ...]:
    """Call a processor with its matrix products in `half`; the audio that it returns is float32."""
    with torch.autocast(device, dtype=half):
        result = call()
    return (result[0].float(), *result[1:])
