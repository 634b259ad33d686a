"""What the networks of dilated convolutions share: published sizes, and conditionings to check them with."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

# Blocks, taps and growth of the dilations, named by the memory in milliseconds at 48 kHz and by few blocks
# (s) or many (l): Comunità, Steinmetz and Reiss (2025), appendix.
SIZES: Mapping[str, Mapping[str, int]] = {
    "45-s": {"blocks": 5, "kernel": 7, "growth": 4},
    "45-l": {"blocks": 10, "kernel": 3, "growth": 2},
    "250-s": {"blocks": 6, "kernel": 11, "growth": 4},
    "250-l": {"blocks": 11, "kernel": 7, "growth": 2},
    "2500-s": {"blocks": 5, "kernel": 13, "growth": 10},
    "2500-l": {"blocks": 10, "kernel": 5, "growth": 3},
}


def conditionings() -> tuple[Any, ...]:
    """Return one conditioning of each kind, and one that looks ahead, on short blocks."""
    from fxkit_neural.concat import Concat
    from fxkit_neural.film import FiLM
    from fxkit_neural.tfilm import TFiLM
    from fxkit_neural.ttfilm import TTFiLM
    from fxkit_neural.tvconcat import TVConcat
    from fxkit_neural.tvfilm import TVFiLM

    moving = (TFiLM(block=48), TFiLM(block=48, lookahead=True), TTFiLM(block=48))
    return (Concat(size=2), FiLM(), *moving, TVConcat(block=48), TVFiLM(block=48))
