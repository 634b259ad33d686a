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


def check_limits(meta: OptionMeta, tree: Tree, report: Report) -> bool:
    """Report every number and choice in a value that its option does not allow; True when all are.

    What was reported before, as being of a wrong type, is left alone.
    """
    wrong = [item for item in _items(tree) if not report.knows(item) and limit_problem(meta, item.value)]
    for item in wrong:
        report.at_value(item, str(limit_problem(meta, item.value)))
    return not wrong


def _items(tree: Tree) -> Iterator[Tree]:
    """Yield the scalars in a value."""
    if isinstance(tree.value, tuple):
        for item in tree.value:
            yield from _items(item)
    elif tree.is_table:
        for _, entry in tree.items():
            yield from _items(entry)
    else:
        yield tree


def limit_problem(meta: OptionMeta, value: Any) -> str | None:
    """Return what bounds or choices have against a value, and the unit that was perhaps meant; or None."""
    if meta.choices:
        return None if value in meta.choices else not_one_of(value, meta.choices)
    problem = value_problem(meta, value)
    return f"{problem}{unit_slip(meta, value)}" if problem else None


def unit_slip(meta: OptionMeta, value: float) -> str:
    """Return '; did you mean 44100 (44.1 kHz)?' when `value`, in a neighbouring unit, is within bounds."""
    for unit, factor in _SLIPS.get(meta.unit, ()):
        converted = value * factor
        if not meta.bounds.is_open and meta.bounds.violation(converted) is None:
            return f"; did you mean {converted:.10g} ({value:g} {unit})?"
    return ""
