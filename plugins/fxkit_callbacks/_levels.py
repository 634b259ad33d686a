"""How loud it is behind each node: peak, RMS and crest factor."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING

import attrs
import torch

if TYPE_CHECKING:
    from fxkit_callbacks._clips import Clip

SILENCE_DB = -200.0
_FIGURES = ("peak_db", "rms_db", "crest_db")


@attrs.frozen(kw_only=True)
class Level:
    """Hold the level of a signal in dB relative to full scale; silence is -200 dB."""

    peak_db: float
    rms_db: float

    @property
    def crest_db(self) -> float:
        """Return by how many dB the peak lies above the RMS; 3 for a sine, 0 for silence."""
        return self.peak_db - self.rms_db


def level_of(pieces: Sequence[torch.Tensor]) -> Level:
    """Return the level over all samples and channels of several pieces of one signal."""
    samples = sum(piece.numel() for piece in pieces)
    peak = max((float(piece.abs().amax()) for piece in pieces if piece.numel()), default=0.0)
    power = sum(float(piece.double().square().sum()) for piece in pieces) / max(samples, 1)
    return Level(peak_db=decibels(peak), rms_db=decibels(math.sqrt(power)))


def decibels(amplitude: float) -> float:
    """Return an amplitude in dB, at least -200; NaN stays NaN."""
    if math.isnan(amplitude):
        return math.nan
    return max(20 * math.log10(amplitude), SILENCE_DB) if amplitude > 0 else SILENCE_DB


def levels(clips: Sequence[Clip]) -> dict[str, Level]:
    """Return the level over all clips of the input, if there is one, behind each node, and of the target."""
    pieces: dict[str, list[torch.Tensor]] = {}
    for clip in clips:
        example, part = clip.example, clip.excerpt.part
        entering = {} if example.input is None else {"input": example.input}
        for name, audio in {**entering, **example.nodes, "target": example.target}.items():
            pieces.setdefault(name, []).append(part(audio))
    return {name: level_of(parts) for name, parts in pieces.items()}


def level_figures(table: Mapping[str, Level]) -> dict[str, float]:
    """Return "NAME.peak_db", "NAME.rms_db" and "NAME.crest_db" of each name."""
    return {f"{name}.{key}": getattr(level, key) for name, level in table.items() for key in _FIGURES}


def level_text(table: Mapping[str, Level]) -> str:
    """Return the table as CSV, one line for each name."""
    rows = [",".join(("behind", *_FIGURES))]
    rows += [
        ",".join((name, *(f"{getattr(level, key):.2f}" for key in _FIGURES))) for name, level in table.items()
    ]
    return "\n".join(rows) + "\n"


def far_from_target(table: Mapping[str, Level], far_db: float) -> dict[str, float]:
    """Return node -> by how many dB its RMS differs from the target's, where that is more than `far_db`."""
    target = table["target"].rms_db
    nodes = {name: level.rms_db - target for name, level in table.items() if name not in ("input", "target")}
    heard = target > SILENCE_DB
    return {name: distance for name, distance in nodes.items() if heard and not abs(distance) <= far_db}
