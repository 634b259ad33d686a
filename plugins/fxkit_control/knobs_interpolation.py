"""The `knobs-interpolation` controller: learned settings between which the knobs choose."""

from __future__ import annotations

import itertools
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING

import attrs

from fxkit.errors import AssemblyError
from fxkit.spec import opt
from fxkit.traits import ControlTraits

if TYPE_CHECKING:
    from fxkit.context import BuildContext
    from fxkit.protocols import Controller


@attrs.frozen(kw_only=True)
class KnobsInterpolation:
    """Learn the parameters at each recorded setting of the knobs and interpolate between settings.

    Where the settings fill a grid, the interpolation is multilinear; where they lie scattered, the weights
    are inverse distances (Shepard, A Two-Dimensional Interpolation Function for Irregularly-Spaced Data,
    1968). Both give each recorded setting exactly what was learned there, and stay inside the learned
    values elsewhere. `grid` sets other points than those that were recorded.
    """

    grid: Mapping[str, tuple[float, ...]] = opt(
        factory=dict, help="points of each knob, in the device's own unit; the recorded settings when empty"
    )
    power: float = opt(
        2.0, gt=0, le=16, help="exponent of the distance between scattered settings; more is more abrupt"
    )

    @classmethod
    def examples(cls) -> tuple[KnobsInterpolation, ...]:
        """Return the recorded settings of whatever device, and a grid over one with two knobs."""
        return cls(), cls(grid={"drive": (0.0, 0.4, 1.0), "tone": (0.0, 1.0)})

    def problems(self) -> Iterator[tuple[str, str]]:
        """Refuse knobs without points and points given twice."""
        for knob, points in self.grid.items():
            if not points:
                yield "grid", f"{knob} has no points; name at least one"
            if len(set(points)) < len(points):
                yield "grid", f"{knob} has a point twice: {', '.join(f'{point:g}' for point in points)}"

    def traits(self, ctx: BuildContext) -> ControlTraits:
        """Declare constants made from the knobs."""
        return ControlTraits(uses=("knobs",))

    def build(self, ctx: BuildContext) -> Controller:
        """Build the module; raises `AssemblyError` when there are no knobs or `grid` does not fit them."""
        if not ctx.knobs:
            raise AssemblyError(
                "knobs-interpolation", 'the data has no knobs; give it knob values, or use "static"'
            )
        from fxkit_control._knob_points import axes_of, declared_axes
        from fxkit_control._knobs_interpolation import Grid, KnobsInterpolationModule, Scattered

        # Without recordings at hand, the ends of every knob.
        settings = ctx.knob_settings or tuple(itertools.product((0.0, 1.0), repeat=len(ctx.knobs)))
        axes = declared_axes(self.grid, ctx) if self.grid else axes_of(settings)
        weighting = Scattered(settings, self.power) if axes is None else Grid(axes)
        return KnobsInterpolationModule(weighting, ctx.parameters)
