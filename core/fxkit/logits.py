"""Say where a controller starts: the logits at which a sigmoid emits each parameter's default."""

from __future__ import annotations

import math
from collections.abc import Sequence

from fxkit.parameter import Parameter


def start_logits(parameters: Sequence[Parameter], edge: float = 1e-3) -> tuple[float, ...]:
    """Return one logit per value of `parameters`, in their order.

    A default at an end of its range would need an infinite logit, from which no gradient leads back;
    it starts the fraction `edge` of the normalised range inside.
    """
    shares = (parameter.to_normalised(value) for parameter in parameters for value in parameter.defaults)
    inside = (min(max(share, edge), 1 - edge) for share in shares)
    return tuple(math.log(share / (1 - share)) for share in inside)
