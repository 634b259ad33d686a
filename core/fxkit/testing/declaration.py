"""Checks of a spec alone: what it declares, and that it can be written to a file and read again."""

from __future__ import annotations

import pathlib
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import attrs
import tomli
import tomli_w

from fxkit.catalog import Catalog
from fxkit.context import BuildContext
from fxkit.experiment.plugins import Plugins
from fxkit.experiment.presets import presets_of
from fxkit.experiment.report import Report
from fxkit.experiment.structure import Structure
from fxkit.experiment.tables import NoKeys
from fxkit.experiment.tree import Source, plant
from fxkit.parameter import Parameter
from fxkit.spec import describe
from fxkit.testing.check import promise
from fxkit.testing.layered import WIDTHS
from fxkit.testing.options import alternatives

# A number called so is a quantity whose unit a reader cannot guess.
_PHYSICAL = re.compile(
    r"(^|_)(cutoff|freq|hz|attack|release|hold|delay|predelay|duration|lookahead|seconds|"
    r"sample_rate|hop)($|_)"
)
# Misspelt -> as it is written everywhere else.
_UNITS = {
    "hz": "Hz", "HZ": "Hz", "hertz": "Hz", "khz": "kHz", "db": "dB", "DB": "dB", "decibel": "dB", "sec": "s",
    "secs": "s", "second": "s", "seconds": "s", "msec": "ms", "millisecond": "ms", "milliseconds": "ms",
    "sample": "samples", "degrees": "°", "percent": "%",
}  # fmt: skip


_PRESET = re.compile(r"[a-z0-9][a-z0-9.-]*")


@attrs.frozen(kw_only=True, eq=False)
class SpecCase:
    """Test a spec of any kind; `examples` are other specs of the same class."""

    spec: Any
    kind: str
    examples: Sequence[Any] = ()
    hints: Mapping[str, Sequence[Any]] = attrs.field(factory=dict)


def check_frozen(case: SpecCase) -> None:
    """Check that the spec is a frozen attrs class whose options are given by keyword."""
    kind = type(case.spec)
    promise(attrs.has(kind), case, "is not an attrs class")
    loose = [field.name for field in attrs.fields(kind) if field.init and not field.kw_only]
    promise(not loose, case, f"takes {', '.join(loose)} by position; write @attrs.frozen(kw_only=True)")
    name = next((field.name for field in attrs.fields(kind)), "option")
    try:
        setattr(case.spec, name, getattr(case.spec, name, None))
    except attrs.exceptions.FrozenError:
        return
    promise(False, case, "can be changed once it is made; write @attrs.frozen(kw_only=True)")


def check_described(case: SpecCase) -> None:
    """Check that the spec has a summary, each option and parameter help, each physical quantity its unit.

    A number called cutoff, attack, delay or the like needs a unit, and units are spelt Hz, dB, s,
    ms, samples.
    """
    told = describe(type(case.spec))
    promise(bool(told.summary.strip()), case, "has no docstring, which is its description")
    for option in told.options:
        promise(bool(option.meta.help.strip()), case, f"has no help for the option {option.name}")
        if _is_number(getattr(case.spec, option.name)):
            _check_unit(case, f"the option {option.name}", option.name, option.meta.unit)
    for parameter in _parameters(case):
        promise(bool(parameter.help.strip()), case, f"has no help for the parameter {parameter.name}")
        _check_unit(case, f"the parameter {parameter.name}", parameter.name, parameter.unit)


def _parameters(case: SpecCase) -> Sequence[Parameter]:
    declare = getattr(case.spec, "parameters", None)
    if declare is None:
        return ()
    # A stereo processor may not know what to declare for one channel.
    ctx = BuildContext(channels=2, target_channels=2)
    return tuple(declare(ctx, WIDTHS) if case.kind == "conditionings" else declare(ctx))


def _is_number(value: Any) -> bool:
    items = value if isinstance(value, tuple) else (value,)
    return bool(items) and all(
        isinstance(item, (int, float)) and not isinstance(item, bool) for item in items
    )


def _check_unit(case: SpecCase, what: str, name: str, unit: str) -> None:
    right = _UNITS.get(unit, unit)
    promise(right == unit, case, f'gives {what} the unit "{unit}"; write "{right}"')
    promise(bool(unit) or not _PHYSICAL.search(name), case, f"gives {what} no unit")


def check_toml_round_trip(case: SpecCase) -> None:
    """Check that the spec, with its defaults and with each option changed, is the same once written as TOML.

    Every option then has a type that an experiment file can hold.
    """
    for spec in (case.spec, *case.examples, *_changed(case)):
        text = tomli_w.dumps(written(spec, case.kind))
        report = Report()
        found = _read(text, spec, case.kind, report)
        wrong = "; ".join(problem.message for problem in report.problems)
        promise(found == spec, case, f"comes back from TOML otherwise: {wrong or found!r}")


def check_presets(case: SpecCase) -> None:
    """Check that each preset has a plain name and can be chosen in an experiment file as it is."""
    required = {option.name for option in describe(type(case.spec)).options if option.required}
    given = {key: value for key, value in written(case.spec, case.kind).items() if key in {"type", *required}}
    for name in presets_of(type(case.spec)):
        promise(bool(_PRESET.fullmatch(name)), case, f'calls a preset "{name}"; use a-z, 0-9, - and .')
        report = Report()
        found = _read(tomli_w.dumps({**given, "preset": name}), case.spec, case.kind, report)
        wrong = "; ".join(problem.message for problem in report.problems)
        promise(found is not None and not wrong, case, f'cannot be made with preset "{name}": {wrong}')


def _changed(case: SpecCase) -> Iterator[Any]:
    for option in describe(type(case.spec)).options:
        values = [*case.hints.get(option.name, ()), *alternatives(option, getattr(case.spec, option.name))]
        for value in values[:3]:
            try:
                spec = attrs.evolve(case.spec, **{option.name: value})
            except ValueError:
                continue
            if not any(getattr(spec, "problems", tuple)()):
                yield spec


def written(spec: Any, kind: str) -> dict[str, Any]:
    """Return a spec as the table of an experiment file; each plugin is called by its class."""
    told = describe(type(spec)).options
    values = {option.name: (option.meta.kind, getattr(spec, option.name)) for option in told}
    given = {name: _plain(value, inner) for name, (inner, value) in values.items() if value is not None}
    return {"type": f"local/{_name(spec)}", **given} if kind else given


def _plain(value: Any, kind: str) -> Any:
    if isinstance(value, (tuple, list)):
        return [_plain(item, kind) for item in value]
    if isinstance(value, Mapping):
        return {name: _plain(item, kind) for name, item in value.items()}
    if attrs.has(type(value)):
        return written(value, kind)
    return str(value) if isinstance(value, pathlib.Path) else value


def _name(spec: Any) -> str:
    return type(spec).__name__.lower()


def _read(text: str, spec: Any, kind: str, report: Report) -> Any:
    source = Source(file="plugin.toml", folder=pathlib.Path())
    structure = Structure(report)
    structure.plugins = Plugins(local_catalog([(kind, spec)]), report)
    table = plant({"part": tomli.loads(text)}, source, {}).get("part")
    assert table is not None
    part = structure.part(table, kind, NoKeys)
    return part.spec if part else None


def local_catalog(specs: Iterable[tuple[str, Any]]) -> Catalog:
    """Return a catalog that has the classes of the given (kind, spec), and of what their options hold."""
    targets = {
        (kind, _name(spec)): (type(spec), "the contract kit")
        for outer, one in specs
        for kind, spec in _all(one, outer)
    }
    return Catalog.installed(in_tree_only=True).with_local(targets)


def _all(spec: Any, kind: str) -> Iterator[tuple[str, Any]]:
    yield kind, spec
    for option in describe(type(spec)).options:
        value = getattr(spec, option.name)
        for inner in _held(value):
            if option.meta.kind and attrs.has(type(inner)):
                yield from _all(inner, option.meta.kind)


def _held(value: Any) -> Iterable[Any]:
    """Return what an option holds: of a list or a table of names all values."""
    if isinstance(value, Mapping):
        return value.values()
    return value if isinstance(value, tuple) else (value,)
