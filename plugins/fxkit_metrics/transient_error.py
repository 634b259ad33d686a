"""The `transient-error` metric: error-to-signal ratio where the target attacks."""

from __future__ import annotations

from typing import TYPE_CHECKING

import attrs

from fxkit.spec import opt

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Loss


@attrs.frozen(kw_only=True)
class TransientError:
    """Divide the energy of the error by that of the target, each sample weighted by how much it attacks.

    The weight is how far a fast envelope of the target's power stands above a slow one, as a share of
    the fast one: near 1 at an onset, 0 where the level holds or falls. Transient shapers tell attacks by
    the same difference (SPL Transient Designer, 1998); the ratio has no unit, and less is better.
    """

    fast: float = opt(1.0, unit="ms", gt=0, le=100, help="time constant of the fast envelope")
    slow: float = opt(20.0, unit="ms", gt=0, le=1000, help="time constant of the slow envelope")
    floor: float = opt(-60.0, unit="dBFS", ge=-200, le=0, help="level that is added to both envelopes")

    def build(self, ctx: BuildContext) -> Loss:
        """Build the metric."""
        from fxkit_metrics._transient_error import TransientErrorModule

        return TransientErrorModule(self.fast, self.slow, 10 ** (self.floor / 10), ctx.sample_rate)
