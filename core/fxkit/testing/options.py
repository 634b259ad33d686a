"""Check that no option is dead: each one, changed, makes a difference or an error."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import attrs
import torch

from fxkit.errors import FxkitError
from fxkit.spec import Option, describe, value_problem
from fxkit.testing.case import Case, Hints, ProcessorCase, run, stirred
from fxkit.testing.check import promise


def check_options_act(spec: Any, observe: Callable[[Any], Any], hints: Hints) -> None:
    """Check that changing any option of `spec` changes what `observe(spec)` returns, or raises.

    `hints` gives values to try for an option whose type does not suggest any.
    """
    usual = _observed(spec, observe)
    for option in describe(type(spec)).options:
        values = [*hints.get(option.name, ()), *alternatives(option, getattr(spec, option.name))]
        promise(bool(values), spec, f"offers no value to try for the option {option.name}; give a hint")
        acts = any(_observed(spec, observe, {option.name: value}) != usual for value in values)
        promise(acts, spec, f"yields the same whatever the option {option.name} is")


def _observed(spec: Any, observe: Callable[[Any], Any], change: Mapping[str, Any] | None = None) -> Any:
    try:
        return observe(attrs.evolve(spec, **(change or {})))
    except (ValueError, FxkitError) as error:
        return str(error)


def alternatives(option: Option, value: Any) -> list[Any]:
    """Return other allowed values near `value` for an option."""
    if option.meta.choices:
        return [choice for choice in option.meta.choices if choice != value]
    if isinstance(value, tuple):
        return [(other, *value[1:]) for other in _near(value[0]) if value] if value else []
    if value is None and int in typing.get_args(option.type):
        value = 16
    found = [other for other in _near(value) if other != value]
    return [other for other in found if value_problem(option.meta, other) is None]


def _near(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value * 2, value - 1)
    elif isinstance(value, float):
        yield from (value * 1.5, value * 0.5, value + 0.1, value - 0.1)


def observe_case(case: Case) -> Callable[[Any], Any]:
    """Return what shows of a processor or controller: declarations, and samples of what it yields."""

    def observe(spec: Any) -> Any:
        changed = attrs.evolve(case, spec=spec)  # type: ignore[misc]
        declared = [spec.traits(changed.surroundings)]
        if isinstance(changed, ProcessorCase):
            declared += changed.parameters
        return declared, rounded(run(changed, stirred(changed), changed.tracks(300)))

    return observe


def rounded(values: torch.Tensor) -> list[float]:
    """Return values as plain numbers, rounded so that rounding errors are no difference."""
    return [round(value, 5) for value in values.detach().double().flatten().tolist()]


def check_options(case: Case) -> None:
    """Check that each option of a processor or controller makes a difference."""
    check_options_act(case.spec, observe_case(case), case.hints)
