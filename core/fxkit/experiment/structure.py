"""Turn the tables of an experiment into specs and kernel keys, reporting everything that is wrong."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from typing import Any

import attrs
import cattrs

from fxkit.experiment.fault import Fault
from fxkit.experiment.limits import check_limits, unit_slip
from fxkit.experiment.model import Part
from fxkit.experiment.plugins import Plugin, Plugins
from fxkit.experiment.presets import presets_of, with_preset
from fxkit.experiment.renamed import old_option
from fxkit.experiment.report import Report, header
from fxkit.experiment.strict import Rejected, strict_converter, unsupported
from fxkit.experiment.tables import PLACES, NoKeys
from fxkit.experiment.tree import Tree
from fxkit.experiment.wording import a_table_of, hint_text, mismatch, range_text, suggestion
from fxkit.kinds import kind_named
from fxkit.spec import Option, SpecDescription, describe

_SHARED = {place.kind: place.path for place in PLACES if place.named}


@attrs.define
class Structure:
    """Make parts and kernel tables of trees; every problem goes to the report."""

    report: Report
    plugins: Plugins | None = None
    _converter: cattrs.Converter = attrs.field(init=False)
    _parts: list[Part] = attrs.field(factory=list, init=False)
    _shared: bool = attrs.field(default=False, init=False)

    def __attrs_post_init__(self) -> None:
        self._converter = strict_converter(self.report, self._nested)

    def table(self, tree: Tree, cls: type) -> Any:
        """Make one of the kernel's own tables; None when something in it is wrong."""
        description = describe(cls)
        self._check_names(tree, _names(description), f"[{_name(tree)}]")
        values = self._values(tree, description, shared=True)
        fault = Fault(self.report, tree, f"[{_name(tree)}]")
        return None if values is None else self._spec(tree, cls, values, fault)

    def part(self, tree: Tree, kind: str, keys: type) -> Part | None:
        """Make the part that a table describes, of a plugin of `kind`; None when something is wrong."""
        if not tree.is_table:
            self.report.at_value(tree, mismatch(a_table_of(kind), tree.value))
            return None
        key_values = self._values(tree, describe(keys), shared=True)
        plugin = self._plugin(tree, kind)
        if plugin is None:
            return None
        owner = f'{_singular(kind)} "{plugin.name}"'
        fault = Fault(self.report, tree, f'"{plugin.name}" from {plugin.origin}')
        options = fault.guarded(lambda: _described(plugin.spec, keys))
        if options is None:
            return None
        tree = with_preset(tree, presets_of(plugin.spec), self.report)
        known = (*_names(options), *_names(describe(keys)))
        self._check_names(tree, known, owner, "type", gone=lambda name: old_option(kind, plugin.name, name))
        outer, self._parts = self._parts, []
        values = self._values(tree, options, shared=False)
        inner, self._parts = tuple(self._parts), outer
        if values is None or key_values is None:
            return None
        spec = self._spec(tree, plugin.spec, values, fault)
        if spec is None:
            return None
        return Part(
            path=_name(tree),
            kind=kind,
            plugin=plugin.qualified,
            version=plugin.version,
            name=plugin.name,
            digest=plugin.digest,
            spec=spec,
            keys=keys(**key_values),
            inner=inner,
        )

    def _plugin(self, tree: Tree, kind: str) -> Plugin | None:
        if tree.get("type") is None:
            message = f'no type; write type = "...". `fxkit plugins {kind}` lists what there is'
            self.report.at_table(tree, message)
            return None
        return self.plugins.resolve(kind, tree) if self.plugins else None

    def _check_names(
        self,
        tree: Tree,
        names: Sequence[str],
        owner: str,
        *also: str,
        gone: Callable[[str], str] = lambda name: "",
    ) -> None:
        for name, entry in tree.items():
            if name not in names and name not in also:
                near = gone(name) or suggestion(name, names) or _listing(names)
                self.report.at_key(entry, f"unknown option of {owner}{near}")

    def _values(self, tree: Tree, description: SpecDescription, *, shared: bool) -> dict[str, Any] | None:
        """Return the values of the options that are given; None when any is wrong or missing."""
        outer, self._shared = self._shared, shared
        try:
            return self._given(tree, description)
        finally:
            self._shared = outer

    def _given(self, tree: Tree, description: SpecDescription) -> dict[str, Any] | None:
        shared = self._shared
        values: dict[str, Any] = {}
        complete = True
        for option in description.options:
            entry = tree.get(option.name)
            try:
                if entry is not None:
                    values[option.name] = self._value(option, entry, shared)
                elif option.required:
                    self.report.at_table(tree, _missing(option))
                    complete = False
            except Rejected:
                complete = False
        return values if complete else None

    def _value(self, option: Option, tree: Tree, shared: bool) -> Any:
        if option.meta.kind:
            return self._held(option, tree, shared)
        slip = unit_slip(option.meta, tree.value) if option.type is int and type(tree.value) is float else ""
        if slip:
            self.report.at_value(tree, f"{mismatch('int', tree.value)}{slip}")
            raise Rejected
        try:
            value = self._converter.structure(tree, option.type)
        finally:
            within = check_limits(option.meta, tree, self.report)
        if not within:
            raise Rejected
        return value

    def _held(self, option: Option, tree: Tree, shared: bool) -> Any:
        """Structure an option that may hold plugins."""
        if option.takes_many:
            return self._references(option, tree, shared)
        if option.takes_names:
            return self._by_name(option, tree, shared)
        return self._number_or_reference(option, tree, shared)

    def _number_or_reference(self, option: Option, tree: Tree, shared: bool) -> Any:
        if tree.is_table or not option.takes_number:
            return self._reference(option.meta.kind, tree, shared)
        if type(tree.value) not in (int, float):
            self.report.at_value(tree, mismatch(f"float or {a_table_of(option.meta.kind)}", tree.value))
            raise Rejected
        try:
            return self._converter.structure(tree, float)
        finally:
            if not check_limits(option.meta, tree, self.report):
                raise Rejected

    def _by_name(self, option: Option, tree: Tree, shared: bool) -> dict[str, Any]:
        """Structure a table of names; everything that is wrong with any value is reported."""
        if not tree.is_table:
            self.report.at_value(tree, mismatch("table", tree.value))
            raise Rejected
        values, complete = {}, True
        for name, entry in tree.items():
            try:
                values[name] = self._number_or_reference(option, entry, shared)
            except Rejected:
                complete = False
        if not complete:
            raise Rejected
        return values

    def _reference(self, kind: str, tree: Tree, shared: bool) -> Any:
        """Structure an option that names a plugin: a part for the kernel, its spec for another plugin."""
        if shared and kind in _SHARED and isinstance(tree.value, str):
            return str(tree.value)
        keys = next((place.keys for place in PLACES if shared and place.kind == kind), NoKeys)
        part = self.part(tree, kind, keys)
        if part is None:
            raise Rejected
        if shared:
            return part
        self._parts.append(part)
        return part.spec

    def _references(self, option: Option, tree: Tree, shared: bool) -> tuple[Any, ...]:
        """Structure a list of plugins; everything that is wrong with any of them is reported."""
        if not isinstance(tree.value, tuple):
            self.report.at_value(tree, mismatch(f"a {_tables_of(option)}", tree.value))
            raise Rejected
        values, complete = [], True
        for item in tree.value:
            try:
                values.append(self._reference(option.meta.kind, item, shared))
            except Rejected:
                complete = False
        if not complete:
            raise Rejected
        return tuple(values)

    def _nested(self, tree: Tree, cls: type) -> Any:
        """Structure a spec inside a spec."""
        description = describe(cls)
        if not tree.is_table:
            self.report.at_value(tree, mismatch(f"table of {', '.join(_names(description))}", tree.value))
            raise Rejected
        self._check_names(tree, _names(description), header(tree.mark.path))
        # A table inside one of the kernel's own is the kernel's, too.
        values = self._values(tree, description, shared=self._shared)
        fault = Fault(self.report, tree, cls.__name__)
        spec = None if values is None else self._spec(tree, cls, values, fault)
        if spec is None:
            raise Rejected
        return spec

    def _spec(self, tree: Tree, cls: type, values: Mapping[str, Any], fault: Fault) -> Any:
        """Make a spec; what its own checks say is reported at the table or at the option."""
        try:
            spec = cls(**values)
        except ValueError as error:
            self.report.at_table(tree, str(error))
            return None
        except Exception as error:
            fault.report_error(error)
            return None
        problems = fault.guarded(lambda: [(str(name), str(text)) for name, text in _own_problems(spec)])
        for name, message in problems or ():
            self._own_problem(tree, name, message)
        return None if problems is None or problems else spec

    def _own_problem(self, tree: Tree, name: str, message: str) -> None:
        entry = tree.get(name)
        if entry is None:
            self.report.at_table(tree, f"{name}: {message}" if name else message)
        else:
            self.report.at_value(entry, message)


def _described(spec: type, keys: type) -> SpecDescription:
    """Describe a plugin's spec; raises `TypeError` for one that no experiment file can express."""
    description = describe(spec)
    words = {"type", "preset"} if presets_of(spec) else {"type"}
    taken = {option.name for option in describe(keys).options} | words
    for option in description.options:
        if option.name in taken:
            raise TypeError(f'its option "{option.name}" has the name of a key of fxkit')
        wrong = None if option.meta.kind else unsupported(option.type)
        if wrong:
            raise TypeError(f'its option "{option.name}" has the type {wrong}, which no file can express')
    return description


def _own_problems(spec: Any) -> Iterable[tuple[str, str]]:
    check = getattr(spec, "problems", None)
    found: Iterable[tuple[str, str]] = check() if callable(check) else ()
    return found


def _missing(option: Option) -> str:
    limits = range_text(option.meta)
    shape = f"{hint_text(option.type)}{f', {limits}' if limits else ''}"
    if option.meta.kind:
        shape = f"a {_tables_of(option)}"
    return f'missing required option "{option.name}" ({shape}): {option.meta.help}'


def _tables_of(option: Option) -> str:
    if option.takes_many:
        return f"list of {a_table_of(option.meta.kind, many=True)}"
    return a_table_of(option.meta.kind)


def _singular(kind: str) -> str:
    found = kind_named(kind)
    return found.singular if found else kind


def _names(description: SpecDescription) -> tuple[str, ...]:
    return tuple(option.name for option in description.options)


def _listing(names: Sequence[str]) -> str:
    return f"; it has {', '.join(names)}" if names else "; it has none"


def _name(tree: Tree) -> str:
    return header(tree.mark.path)[1:-1]
