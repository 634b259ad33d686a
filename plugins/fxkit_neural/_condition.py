"""The parameter through which a controller conditions a network."""

from __future__ import annotations

from fxkit.parameter import Parameter


def condition_parameters(size: int) -> tuple[Parameter, ...]:
    """Declare the parameter "condition" of `size` values, or nothing when `size` is 0."""
    if not size:
        return ()
    text = "what the network is conditioned on"
    return (Parameter(name="condition", low=0.0, high=1.0, default=0.5, size=size, help=text),)
