"""What the networks of dilated convolutions share: published sizes."""

from __future__ import annotations

from collections.abc import Mapping

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
