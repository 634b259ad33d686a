"""Check that no option is dead: each one, changed, makes a difference or an error."""

from __future__ import annotations

import typing
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any, Literal

import attrs
import torch

from fxkit.errors import FxkitError
from fxkit.spec import Option, describe, value_problem
from fxkit.testing.case import Case, Hints, ProcessorCase, run, stirred
from fxkit.testing.check import promise
from fxkit.testing.stock import STAND_INS

# For what starts with a delay, or ends with a tail.
LONG = 48000


def check_options_act(
    spec: Any, observe: Callable[[Any], Any], hints: Hints, examples: Sequence[Any] = ()
) -> None:
    """Check that changing any option of `spec` changes what `observe(spec)` returns, or raises.

    `hints` gives values to try for an option whose type does not suggest any; `examples` are other
    specs of the plugin, of which it is enough that the option acts in one.
    """
    for option in idle_options(spec, observe, hints, examples):
        promise(False, spec, f"yields the same whatever the option {option} is")


def idle_options(
    spec: Any, observe: Callable[[Any], Any], hints: Hints, examples: Sequence[Any], names: Sequence[str] = ()
) -> list[str]:
    """Return the options that change nothing of what `observe` returns; of `names` where there are any.

    Raises `AssertionError` for an option without a value to try.
    """
    usual: dict[int, Any] = {}

    def acts(base: Any, option: Option) -> bool:
        values = values_to_try(option, base, hints, (spec, *examples))
        if id(base) not in usual:
            usual[id(base)] = _observed(base, observe)
        return any(_observed(base, observe, {option.name: value}) != usual[id(base)] for value in values)

    bases = (spec, *examples)
    options = [option for option in describe(type(spec)).options if not names or option.name in names]
    for option in options:
        tries = any(values_to_try(option, base, hints, bases) for base in bases)
        promise(tries, spec, f"offers no value to try for the option {option.name}; give one in examples()")
    return [option.name for option in options if not any(acts(base, option) for base in bases)]


def _observed(spec: Any, observe: Callable[[Any], Any], change: Mapping[str, Any] | None = None) -> Any:
    try:
        return observe(attrs.evolve(spec, **(change or {})))
    except (ValueError, FxkitError) as error:
        return str(error)


def values_to_try(option: Option, base: Any, hints: Hints, examples: Sequence[Any]) -> list[Any]:
    """Return other values for an option: hints, what examples have, and what its type suggests."""
    value = getattr(base, option.name)
    given = [*hints.get(option.name, ()), *(getattr(one, option.name) for one in examples)]
    return [one for one in (*given, *alternatives(option, value)) if one != value]


def alternatives(option: Option, value: Any) -> list[Any]:
    """Return other allowed values near `value` for an option; of a plugin's option, the kit's own."""
    if option.meta.kind:
        specs = STAND_INS.get(option.meta.kind, ())
        if option.takes_names:
            return [{**dict(value or {}), "other": spec} for spec in specs]
        found = [(*value[:-1], spec) for spec in specs] if option.takes_many and value else list(specs)
        return [(spec,) for spec in specs] if option.takes_many and not value else found
    choices = option.meta.choices or _choices(option.type)
    if isinstance(value, tuple):
        others = choices or (_near(value[0]) if value else ())
        found = [(other, *value[1:]) for other in others]
    elif choices:
        found = list(choices)
    else:
        found = list(_near(16 if value is None and int in typing.get_args(option.type) else value))
        found += _near(0.5) if value is None and float in typing.get_args(option.type) else ()
        found += _ends(option) if isinstance(value, float) else ()
    return [other for other in found if other != value and value_problem(option.meta, other) is None]


def _choices(hint: Any) -> tuple[Any, ...]:
    """Return the values of a Literal, also inside a list or beside None."""
    args = typing.get_args(hint)
    if typing.get_origin(hint) is Literal:
        return args
    return next((found for arg in args if (found := _choices(arg))), ())


def _ends(option: Option) -> Iterator[float]:
    bounds = option.meta.bounds
    yield from (float(end) for end in (bounds.ge, bounds.le) if end is not None)


def _near(value: Any) -> Iterator[Any]:
    if isinstance(value, bool):
        yield not value
    elif isinstance(value, int):
        yield from (value + 1, value * 2, value - 1)
    elif isinstance(value, str):
        # No text that anybody declares: at least an error must come of it.
        yield "fxkit"
    elif isinstance(value, float):
        yield from (value * 1.5, value * 0.5, value + 0.1, value - 0.1)


def observe_case(case: Case, samples: int = 300) -> Callable[[Any], Any]:
    """Return what shows of a processor or controller: declarations, and samples of what it yields."""

    def observe(spec: Any) -> Any:
        changed = attrs.evolve(case, spec=spec)  # type: ignore[misc]
        declared = [spec.traits(changed.surroundings)]
        if isinstance(changed, ProcessorCase):
            declared += changed.parameters
        return declared, rounded(run(changed, stirred(changed), changed.tracks(samples + changed.lead)))

    return observe


def rounded(values: torch.Tensor) -> list[float]:
    """Return values as plain numbers, rounded so that rounding errors are no difference."""
    return [round(value, 5) for value in values.detach().double().flatten().tolist()]


def check_options(case: Case) -> None:
    """Check that each option of a processor or controller makes a difference.

    To what it declares, or to what it yields in the first samples or the first second.
    """
    idle = idle_options(case.spec, observe_case(case), case.hints, case.examples)
    if idle:
        long = observe_case(case, LONG)
        idle = idle_options(case.spec, long, case.hints, case.examples, idle)
    promise(not idle, case, f"yields the same whatever the option {', '.join(idle)} is")
