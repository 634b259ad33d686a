"""Bind each parameter of a node to what sets it: a controller, a fixed value, or another parameter."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence

import attrs

from fxkit.experiment.limits import limit_problem
from fxkit.experiment.model import Part
from fxkit.experiment.tables import ParameterKeys
from fxkit.parameter import Parameter
from fxkit.spec import Bounds, OptionMeta

# A key of a parameter's table, with the index of the element where it is a list.
Key = tuple[str, int | None]


@attrs.frozen(kw_only=True)
class Bound:
    """Hold a parameter as its node's table leaves it, and what sets it.

    `fixed` holds one value each, or nothing; `tie` is "node.parameter", or empty; `controller` is the name
    of what sets it otherwise, empty where there is none.
    """

    parameter: Parameter
    fixed: tuple[float, ...] = ()
    tie: str = ""
    controller: str = ""

    @property
    def driven(self) -> bool:
        """Tell whether it is left to a controller."""
        return not self.fixed and not self.tie


def bind(parameter: Parameter, keys: ParameterKeys, controller: str = "") -> Bound:
    """Apply a parameter's table, in which `key_problems` finds nothing; `controller` is its node's."""
    if keys.fixed is not None:
        values = _values(keys.fixed, parameter.size)
        return Bound(parameter=attrs.evolve(parameter, default=values), fixed=values)
    if keys.tie is not None:
        return Bound(parameter=parameter, tie=keys.tie)
    low, high = _range(parameter, keys)
    start = parameter.default if keys.start is None else _values(keys.start, parameter.size)
    return Bound(
        parameter=attrs.evolve(parameter, low=low, high=high, default=start),
        controller=keys.controller or controller,
    )


def bind_all(
    parameters: Sequence[Parameter], tables: Mapping[str, ParameterKeys], controller: str
) -> tuple[Bound, ...]:
    """Bind the parameters of one node; those without a table stay as they were declared."""
    free = ParameterKeys()
    return tuple(bind(one, tables.get(one.name, free), controller) for one in parameters)


def controller_name(node: str, part: Part) -> str | None:
    """Return the name of a node's controller: that of a shared one, or "node.controller" for its own."""
    controller = part.keys.controller
    return controller if controller is None or isinstance(controller, str) else f"{node}.controller"


def key_problems(parameter: Parameter, keys: ParameterKeys) -> Iterator[tuple[Key, str]]:
    """Yield what is wrong with a parameter's table, and at which key."""
    wrong = [
        (("low", None), _limits(parameter, keys.low)),
        (("high", None), _limits(parameter, keys.high)),
    ]
    low, high = _range(parameter, keys)
    if not low < high:
        key = "low" if keys.high is None else "high"
        wrong.append(((key, None), f"{low:g} to {_with_unit(high, parameter)} leaves nothing between"))
    found = [(key, text) for key, text in wrong if text]
    yield from found
    if not found:
        narrow = attrs.evolve(parameter, low=low, high=high, default=low)
        yield from _value_problems(narrow, "fixed", keys.fixed)
        yield from _value_problems(narrow, "start", keys.start)
        if keys.fixed is None and keys.start is None:
            yield from _lost_default(parameter, narrow, keys)


def _value_problems(
    parameter: Parameter, key: str, values: float | tuple[float, ...] | None
) -> Iterator[tuple[Key, str]]:
    if isinstance(values, tuple) and len(values) != parameter.size:
        wanted = f"1 number or {parameter.size}" if parameter.size > 1 else "1 number"
        text = f"{_values_text(len(values))}, and the parameter has {parameter.size}; write {wanted}"
        yield (key, None), text
        return
    for index, value in enumerate(values if isinstance(values, tuple) else (values,)):
        problem = _limits(parameter, value)
        if problem:
            yield (key, index if isinstance(values, tuple) else None), problem


def _lost_default(parameter: Parameter, narrow: Parameter, keys: ParameterKeys) -> Iterator[tuple[Key, str]]:
    lost = next((value for value in parameter.defaults if not narrow.low <= value <= narrow.high), None)
    if lost is not None:
        key = "low" if lost < narrow.low else "high"
        middle = _with_unit(narrow.to_physical(0.5), parameter, digits=3)
        text = f"leaves out the default, {_with_unit(lost, parameter)}; write start, too, such as {middle}"
        yield (key, None), text


def tie_problem(tied: Bound, root: Bound, name: str) -> str | None:
    """Return why a parameter cannot take the value of the one that `name` stands for, or None."""
    one, other = tied.parameter, root.parameter
    if one.unit != other.unit:
        return f"{name} is {_in(other.unit)}, this parameter {_in(one.unit)}"
    if one.size != other.size:
        return f"{name} has {_values_text(other.size)}, this parameter {_values_text(one.size)}"
    low, high = (min(root.fixed), max(root.fixed)) if root.fixed else (other.low, other.high)
    if one.low <= low and high <= one.high:
        return None
    wide = f"{low:g} to {_with_unit(high, other)}" if low < high else _with_unit(low, other)
    return f"{name} may be {wide}, this parameter only {one.range_text}; give {name} a low and high inside"


def roots(bounds: Mapping[str, Bound]) -> dict[str, str]:
    """Return the name of the parameter at the end of each tie: driven or fixed; "" for one in a circle.

    `bounds` holds all parameters by "node.parameter"; ties that lead to none of them end there.
    """
    return {name: _root(name, bounds) for name, bound in bounds.items() if bound.tie}


def _root(name: str, bounds: Mapping[str, Bound]) -> str:
    seen = [name]
    while name in bounds and bounds[name].tie:
        name = bounds[name].tie
        if name in seen:
            return ""
        seen.append(name)
    return name


def _range(parameter: Parameter, keys: ParameterKeys) -> tuple[float, float]:
    low = parameter.low if keys.low is None else keys.low
    return low, parameter.high if keys.high is None else keys.high


def _limits(parameter: Parameter, value: float | None) -> str | None:
    bounds = Bounds(ge=parameter.low, le=parameter.high)
    return limit_problem(OptionMeta(help="", unit=parameter.unit, bounds=bounds), value)


def _values(values: float | tuple[float, ...], size: int) -> tuple[float, ...]:
    return values if isinstance(values, tuple) else (values,) * size


def _with_unit(value: float, parameter: Parameter, digits: int = 6) -> str:
    return f"{value:.{digits}g}{f' {parameter.unit}' if parameter.unit else ''}"


def _in(unit: str) -> str:
    return f"in {unit}" if unit else "a plain number"


def _values_text(size: int) -> str:
    return f"{size} value{'s' if size > 1 else ''}"
