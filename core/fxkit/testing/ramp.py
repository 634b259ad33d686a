"""Checks of ramps: what moves the weight of a loss over the training."""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any

from fxkit.testing.check import promise
from fxkit.testing.plain import PlainCase, check_that_options_act

STEPS = 400
# Behind the end of any ramp that counts steps.
LATE = 10**9


def _places(steps: int) -> Iterator[tuple[int, float]]:
    """Yield every step of a training with the share of it that was over before."""
    return ((step, step / max(1, steps - 1)) for step in range(steps))


def _weights(spec: Any, ctx: Any, steps: int = STEPS) -> list[float]:
    ramp = spec.build(ctx)
    return [ramp.weight(step, share) for step, share in _places(steps)]


def check_weights(case: PlainCase) -> None:
    """Check that each weight is a finite number that is not negative, in a run of one step too."""
    for steps in (STEPS, 2, 1):
        for weight in _weights(case.spec, case.ctx, steps):
            promise(
                math.isfinite(weight) and weight >= 0, case, f"gives the weight {weight} in {steps} steps"
            )


def check_final(case: PlainCase) -> None:
    """Check that the weight in the end is the one that it declares for validations."""
    ramp = case.build()
    last = ramp.weight(LATE, 1.0)
    promise(last == ramp.final, case, f"ends at {last} and declares final = {ramp.final}")


def check_only_the_place_counts(case: PlainCase) -> None:
    """Check that the weight at a place is the same however often, and after whatever, it is asked for."""
    ramp, again = case.build(), case.build()
    places = list(_places(40))
    forth = [ramp.weight(*place) for place in places]
    back = [ramp.weight(*place) for place in reversed(places)][::-1]
    promise(forth == back, case, "gives other weights when asked for in another order")
    promise(again.weight(*places[20]) == forth[20], case, "goes on otherwise when it is built anew")


def check_ramp_options(case: PlainCase) -> None:
    """Check that each option of the ramp makes a difference to the weights."""

    def observe(spec: Any) -> Any:
        late = spec.build(case.ctx).weight(LATE, 1.0)
        return [round(weight, 9) for weight in (*_weights(spec, case.ctx), late)]

    check_that_options_act(case, observe)
