"""Check values against the declared bounds and choices, each where it was written."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from fxkit.experiment.report import Report
from fxkit.experiment.tree import Tree
from fxkit.experiment.wording import not_one_of
from fxkit.spec import OptionMeta, value_problem

# A number out of bounds was perhaps given in the unit next to the declared one.
_SLIPS: Mapping[str, tuple[tuple[str, float], ...]] = {
    "Hz": (("kHz", 1000.0),),
    "s": (("ms", 0.001),),
    "ms": (("s", 1000.0),),
}


def check_limits(meta: OptionMeta, value: Any, tree: Tree, report: Report) -> bool:
    """Report every number and choice in `value` that its option does not allow; True when all are."""
    problems = [(item, problem) for one, item in _items(value, tree) if (problem := _problem(meta, one))]
    for item, problem in problems:
        report.at_value(item, problem)
    return not problems


def _items(value: Any, tree: Tree) -> Iterator[tuple[Any, Tree]]:
    if isinstance(value, tuple):
        for one, item in zip(value, tree.value, strict=True):
            yield from _items(one, item)
    elif isinstance(value, Mapping):
        for name, one in value.items():
            yield from _items(one, tree.value[name])
    else:
        yield value, tree


def _problem(meta: OptionMeta, value: Any) -> str | None:
    if meta.choices and value not in meta.choices:
        return not_one_of(value, meta.choices)
    problem = value_problem(meta, value)
    return f"{problem}{unit_slip(meta, value)}" if problem else None


def unit_slip(meta: OptionMeta, value: float) -> str:
    """Return '; did you mean 44100?' when `value`, taken in a neighbouring unit, is within bounds."""
    for unit, factor in _SLIPS.get(meta.unit, ()):
        converted = value * factor
        if not meta.bounds.is_open and meta.bounds.violation(converted) is None:
            return f"; did you mean {converted:.10g} ({value:g} {unit})?"
    return ""
