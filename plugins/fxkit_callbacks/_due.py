"""When callbacks that need a validation's results act."""

from __future__ import annotations

import math


def late_note(every: int, validate_every: int) -> str | None:
    """Say so when acting at validations on multiples of `every` is rarer than either number suggests."""
    together = math.lcm(every, validate_every)
    if together == max(every, validate_every):
        return None
    return (
        f"every = {every} and train.validate_every = {validate_every} meet at multiples of {together} only;"
        f" make `every` a multiple of {validate_every}"
    )
