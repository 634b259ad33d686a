"""What the modules of dynamics processors share: the level that they listen to."""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor

from fxkit_dsp._dynamics import Link
from fxkit_signal.ballistics import smoothing_coefficient
from fxkit_signal.dynamics import Design, Settings


def linked_level(heard: Tensor, link: Link, *, channels: int, power: bool = False) -> Tensor:
    """Return magnitudes or powers of what is heard, [batch, channels, samples], or one for all channels.

    A side chain without as many `channels` as the audio has one level for all of them.
    """
    level = heard.square() if power else heard.abs()
    if heard.shape[1] == 1 or (link == "none" and heard.shape[1] == channels):
        return level
    return level.mean(dim=1, keepdim=True) if link == "mean" else level.amax(dim=1, keepdim=True)


def attack_and_release(params: Mapping[str, Tensor], rate: float) -> tuple[Tensor, Tensor]:
    """Return the smoothing coefficients of `attack_ms` and `release_ms`."""
    attack, release = params["attack_ms"], params["release_ms"]
    if attack.shape != release.shape:
        return smoothing_coefficient(attack, rate), smoothing_coefficient(release, rate)
    rise, fall = smoothing_coefficient(torch.stack((attack, release)), rate)
    return rise, fall


def settings_of(params: Mapping[str, Tensor], rate: float, design: Design) -> Settings:
    """Turn a processor's parameters, each [batch, bands, 1 or samples], into settings of its design."""
    nothing = torch.zeros_like(params["threshold_db"][..., :1])
    attack, release = attack_and_release(params, rate)
    # What attacks is the opening: an expander's attenuation shrinks then.
    shrinks = design.expands and not design.on_level
    quick = nothing if design.twice else attack
    return Settings(
        threshold=params["threshold_db"],
        slope=params["ratio"] - 1 if design.expands else 1 - 1 / params["ratio"],
        knee=params["knee_db"],
        reach=params["range_db"] if design.expands else torch.full_like(nothing, torch.inf),
        rise=release if shrinks else quick,
        fall=quick if shrinks else release,
        after=attack,
        average=smoothing_coefficient(params["average_ms"], rate) if design.power else nothing,
    )
