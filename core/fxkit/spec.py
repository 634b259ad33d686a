"""Declare the options of a plugin once: type, default, unit, bounds, choices and help.

A spec is a frozen, keyword-only attrs class. Its fields are the plugin's options, its docstring's
first line is the plugin's summary, and `build(ctx)` makes the plugin's object. Everything that is
shown or checked about a plugin (errors, listings, reference pages) is read from here.
"""

from __future__ import annotations

import collections.abc
import inspect
import math
import pathlib
import types
import typing
from collections.abc import Callable
from typing import Any, Literal

import attrs

METADATA_KEY = "fxkit"
# What of an experiment a text can name.
Refers = Literal["metric", "node", "controller", "owner", "feature", "phase", "recording"]
REQUIRED: Any = attrs.NOTHING


@attrs.frozen(kw_only=True)
class Bounds:
    """Hold the allowed range of a number; None means unbounded on that side."""

    ge: float | None = None
    gt: float | None = None
    le: float | None = None
    lt: float | None = None

    def __str__(self) -> str:
        ge, gt, le, lt = (None if x is None else f"{x:.10g}" for x in (self.ge, self.gt, self.le, self.lt))
        low = f"[{ge}" if ge else f"({gt}" if gt else "(-inf"
        high = f"{le}]" if le else f"{lt})" if lt else "inf)"
        return f"{low}, {high}"

    @property
    def is_open(self) -> bool:
        """Tell whether neither side is bounded."""
        return self == Bounds()

    def violation(self, value: float, unit: str = "") -> str | None:
        """Return what is wrong with `value`, or None when it lies inside."""
        suffix = f" {unit}" if unit else ""
        if isinstance(value, float) and not math.isfinite(value):
            return "must be finite"
        if self.ge is not None and value < self.ge:
            return f"is below the minimum {self.ge:.10g}{suffix}"
        if self.gt is not None and value <= self.gt:
            return f"must be greater than {self.gt:.10g}{suffix}"
        if self.le is not None and value > self.le:
            return f"is above the maximum {self.le:.10g}{suffix}"
        if self.lt is not None and value >= self.lt:
            return f"must be less than {self.lt:.10g}{suffix}"
        return None


@attrs.frozen(kw_only=True)
class OptionMeta:
    """Hold what `opt` declares beside type and default."""

    help: str
    unit: str = ""
    bounds: Bounds = attrs.field(factory=Bounds)
    choices: tuple[Any, ...] = ()
    kind: str = ""
    refers: Refers | None = None
    exists: Literal["folder", "file"] | None = None
    writes: bool = False


def opt(
    default: Any = REQUIRED,
    *,
    help: str,
    unit: str = "",
    ge: float | None = None,
    gt: float | None = None,
    le: float | None = None,
    lt: float | None = None,
    choices: tuple[Any, ...] = (),
    kind: str = "",
    refers: Refers | None = None,
    exists: Literal["folder", "file"] | None = None,
    writes: bool = False,
    factory: Callable[[], Any] | None = None,
) -> Any:
    """Declare one option of a spec.

    Without `default` or `factory` the option is required. Bounds apply to the number itself, or to
    each element of a tuple. `kind` names a plugin kind: the value is then a table with a `type` of
    that kind, given to the spec as that plugin's spec instance; with the type `tuple[Any, ...]` it is
    a list of such tables, with `float | Any` a number or such a table, and with `Mapping[str, float | Any]`
    there is one of these under each name.

    `refers` says of a text, or of each text in a list, what of the experiment it names: "metric" (a loss,
    a metric, or "loss" for the weighted total), "node", "controller", "owner" (either of the two), "feature",
    "phase" or "recording" (of val or test; perhaps with " @ SECONDS" behind it). A name that leads nowhere is
    reported where it was written. `exists` says that a path must lead to a folder or a file when a run
    starts, `writes` that a text names a file in the run folder that nothing else may write.

    The declared limits hold however the spec is made: a bad value raises `ValueError`.
    """
    meta = OptionMeta(
        help=help,
        unit=unit,
        bounds=Bounds(ge=ge, gt=gt, le=le, lt=lt),
        choices=choices,
        kind=kind,
        refers=refers,
        exists=exists,
        writes=writes,
    )
    kwargs: dict[str, Any] = {"metadata": {METADATA_KEY: meta}, "validator": _validate, "kw_only": True}
    if factory is not None:
        return attrs.field(factory=factory, **kwargs)
    return attrs.field(default=default, **kwargs)


def _validate(instance: object, attribute: attrs.Attribute[Any], value: Any) -> None:
    problem = value_problem(attribute.metadata[METADATA_KEY], value)
    if problem:
        raise ValueError(f"{type(instance).__name__}.{attribute.name}: {problem}")


def value_problem(meta: OptionMeta, value: Any) -> str | None:
    """Return what is wrong with `value` under `meta`'s bounds and choices, or None.

    Tuples are checked element by element; None (an absent optional value) is always right.
    """
    if value is None:
        return None
    for item in value if isinstance(value, tuple) else (value,):
        if meta.choices and item not in meta.choices:
            return f"{item!r} is not one of {', '.join(map(repr, meta.choices))}"
        if isinstance(item, (int, float)) and not isinstance(item, bool):
            wrong = meta.bounds.violation(item, meta.unit)
            if wrong:
                return f"{item!r}{f' {meta.unit}' if meta.unit else ''} {wrong}"
    return None


@attrs.frozen(kw_only=True)
class Option:
    """Describe one option of a plugin as a person or a schema needs it."""

    name: str
    type: Any
    type_text: str
    default: Any
    required: bool
    meta: OptionMeta

    @property
    def takes_many(self) -> bool:
        """Tell whether the value is a list."""
        return typing.get_origin(self.type) is tuple

    @property
    def takes_names(self) -> bool:
        """Tell whether the value is a table of names, each with a value of its own."""
        return _table(self.type) is not None

    @property
    def takes_number(self) -> bool:
        """Tell whether a number may stand where a plugin could."""
        table = _table(self.type)
        return float in typing.get_args(typing.get_args(table)[1] if table else self.type)


def _table(hint: Any) -> Any:
    """Return the Mapping that a type is, or may be beside None; else None."""
    members = (hint, *typing.get_args(hint))
    return next((one for one in members if typing.get_origin(one) is collections.abc.Mapping), None)


@attrs.frozen(kw_only=True)
class SpecDescription:
    """Describe a whole spec: what it is and what can be set."""

    summary: str
    doc: str
    options: tuple[Option, ...]

    def option(self, name: str) -> Option | None:
        """Return the option called `name`, or None."""
        return next((option for option in self.options if option.name == name), None)


def describe(spec: type) -> SpecDescription:
    """Describe the options of a spec class, in the order of their declaration.

    Raises `TypeError` when `spec` is not an attrs class or a field was not declared with `opt`.
    """
    if not attrs.has(spec):
        raise TypeError(f"{spec!r} is not an attrs class")
    doc = inspect.cleandoc(spec.__doc__ or "")
    hints = typing.get_type_hints(spec)
    options = tuple(_option(spec, field, hints[field.name]) for field in attrs.fields(spec))
    return SpecDescription(summary=doc.split("\n", 1)[0], doc=doc, options=options)


def _option(spec: type, field: attrs.Attribute[Any], hint: Any) -> Option:
    meta = field.metadata.get(METADATA_KEY)
    if meta is None:
        raise TypeError(f"{spec.__name__}.{field.name} is not declared with opt()")
    default: Any = field.default
    if isinstance(default, attrs.Factory):  # type: ignore[arg-type]
        default = default.factory()
    return Option(
        name=field.name,
        type=hint,
        type_text=type_text(hint),
        default=default,
        required=default is attrs.NOTHING,
        meta=meta,
    )


def type_text(hint: Any) -> str:
    """Write a type of the closed set of option types as a person would."""
    origin, args = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return " | ".join(repr(arg) for arg in args)
    if origin in (typing.Union, types.UnionType):
        return " | ".join(type_text(arg) for arg in args if arg is not type(None))
    if origin is tuple:
        return f"list of {type_text(args[0])}"
    if origin is collections.abc.Mapping:
        return "table"
    if hint is pathlib.Path:
        return "path"
    if hint is str:
        return "text"
    return getattr(hint, "__name__", str(hint))
