"""What processors that hold others need of them, without torch."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import attrs

from fxkit.context import BuildContext
from fxkit.traits import Traits


@attrs.frozen(kw_only=True)
class Member:
    """Hold a processor's spec with the surroundings it stands in and the channels that leave it."""

    spec: Any
    ctx: BuildContext
    traits: Traits
    channels_out: int


def members(specs: Sequence[Any], ctx: BuildContext) -> tuple[Member, ...]:
    """Line processors up in series from `ctx.channels` on, each with a seed of its own."""
    found: list[Member] = []
    for index, spec in enumerate(specs):
        channels = found[-1].channels_out if found else ctx.channels
        own = attrs.evolve(ctx, channels=channels, seed=(ctx.seed + 7919 * index) % 2**31)
        traits = spec.traits(own)
        through = ctx.target_channels if traits.source else channels
        found.append(Member(spec=spec, ctx=own, traits=traits, channels_out=traits.channels_out or through))
    return tuple(found)
