"""Resolve the plugins that an experiment names, under what its [plugins] table says."""

from __future__ import annotations

import dataclasses
import hashlib
import importlib.util
import pathlib
import sys
from collections.abc import Iterable, Mapping
from typing import Any

import attrs

from fxkit.catalog import Catalog
from fxkit.errors import PluginError
from fxkit.experiment.renamed import old_plugin
from fxkit.experiment.report import Report
from fxkit.experiment.shipped import shown
from fxkit.experiment.tables import PluginsTable
from fxkit.experiment.tree import Tree
from fxkit.experiment.wording import mismatch, suggestion
from fxkit.kinds import KINDS, Kind, kind_named
from fxkit_registry.disabling import FILE, Rule


@attrs.frozen(kw_only=True)
class Plugin:
    """Hold a plugin that was found: how to write it, which it is, its spec class, its file's hash.

    `name` is the shortest spelling that resolves; `digest` is the SHA-256 of a local plugin's file.
    """

    name: str
    qualified: str
    version: str
    origin: str
    spec: type
    digest: str = ""


@attrs.frozen
class Plugins:
    """Look plugins up for one experiment; `digests` holds its local files, None for those not allowed."""

    catalog: Catalog
    report: Report
    digests: Mapping[tuple[str, str], str | None] = attrs.field(factory=dict)

    @classmethod
    def under(
        cls,
        catalog: Catalog,
        table: PluginsTable,
        tree: Tree | None,
        report: Report,
        *,
        allow_local: bool,
    ) -> Plugins:
        """Apply a [plugins] table: check what it requires, switch off plugins, add its local files."""
        if tree is None:
            return cls(catalog, report)
        for requirement in _elements(tree, "require"):
            problem = _unmet(requirement.value)
            if problem:
                report.at_value(requirement, problem)
        for pattern in _elements(tree, "disable"):
            _check_kind(pattern, pattern.value, report)
        local = _Local(tree, report, allow_local)
        targets = local.targets()
        return cls(_without(catalog, table.disable).with_local(targets), report, local.digests)

    def resolve(self, kind: str, tree: Tree) -> Plugin | None:
        """Return the plugin that a table's `type` names; None when the reason was reported."""
        name = tree.get("type")
        if name is None:
            return None
        if not isinstance(name.value, str):
            self.report.at_value(name, mismatch("text", name.value))
            return None
        if self.digests.get((kind, name.value.removeprefix("local/")), "") is None:
            return None
        return self._found(kind, name)

    def _found(self, kind: str, name: Tree) -> Plugin | None:
        try:
            entry = self.catalog.find(kind, name.value)
            return Plugin(
                name=entry.name if entry.status == "ok" else entry.qualified,
                qualified=entry.qualified,
                version=entry.version,
                origin=entry.origin,
                spec=self.catalog.spec(entry),
                digest=self.digests.get((kind, entry.name), "") or "" if entry.dist == "local" else "",
            )
        except PluginError as error:
            self.report.at_value(name, old_plugin(kind, name.value) or str(error))
            return None


def with_absolute_files(table: PluginsTable, tree: Tree | None) -> PluginsTable:
    """Return the table with the local files, relative to the file that names them, as absolute paths."""
    local = tree.get("local") if tree else None
    files = {key: _target(entry) for key, entry in local.items()} if local else {}
    return attrs.evolve(table, local={key: f"{path}:{name}" for key, (path, name) in files.items()})


def _target(tree: Tree) -> tuple[pathlib.Path, str]:
    file, _, attribute = str(tree.value).rpartition(":")
    return tree.mark.folder / file, attribute


def _elements(tree: Tree, name: str) -> tuple[Tree, ...]:
    entry = tree.get(name)
    items = entry.value if entry and isinstance(entry.value, tuple) else ()
    return tuple(item for item in items if isinstance(item.value, str))


def _unmet(text: str) -> str | None:
    """Return why the installed distributions do not meet a requirement, or None."""
    # Few experiments require anything, and these imports cost more than all other checks.
    import importlib.metadata

    from packaging.requirements import InvalidRequirement, Requirement

    try:
        requirement = Requirement(text)
    except InvalidRequirement:
        return f'"{text}" is not a requirement; write it like "fxkit-bitcrush>=0.2,<0.3"'
    try:
        version = importlib.metadata.version(requirement.name)
    except importlib.metadata.PackageNotFoundError:
        return f'{requirement.name} is not installed; pip install "{text}"'
    if requirement.specifier.contains(version, prereleases=True):
        return None
    needs = f"{requirement.name} {version} is installed, {requirement.specifier} is required"
    return f'{needs}; pip install "{text}"'


def _without(catalog: Catalog, patterns: Iterable[str]) -> Catalog:
    rules = [Rule(pattern.strip(), FILE) for pattern in patterns]
    if not rules:
        return catalog
    singular = {kind.name: kind.singular for kind in KINDS}
    entries = tuple(
        dataclasses.replace(entry, status="disabled", reason=f"by {FILE}")
        if any(
            rule.covers((entry.kind, singular.get(entry.kind, "")), entry.name, entry.dist) for rule in rules
        )
        else entry
        for entry in catalog.registry.entries
    )
    return Catalog(registry=dataclasses.replace(catalog.registry, entries=entries))


def _check_kind(tree: Tree, pattern: str, report: Report) -> Kind | None:
    """Return the kind in "kind:name"; report one that does not exist."""
    word, colon, _ = pattern.partition(":")
    kind = kind_named(word.strip())
    if kind is None and colon:
        names = [one.name for one in KINDS]
        hint = suggestion(word, names) or f"; there are {', '.join(names)}"
        report.at_value(tree, f'no kind of plugin is called "{word}"{hint}')
    return kind


@attrs.frozen
class _Local:
    tree: Tree
    report: Report
    allowed: bool
    digests: dict[tuple[str, str], str | None] = attrs.field(factory=dict)

    def targets(self) -> dict[tuple[str, str], tuple[object, str]]:
        table = self.tree.get("local")
        found: dict[tuple[str, str], tuple[object, str]] = {}
        for key, target in table.items() if table else ():
            place = self.place(key, target)
            loaded = self.load(place, target) if place else None
            if place and loaded:
                found[place] = loaded
        return found

    def place(self, key: str, target: Tree) -> tuple[str, str] | None:
        word, colon, name = key.partition(":")
        kind = kind_named(word.strip())
        if not colon or not name:
            self.report.at_key(target, 'expected "kind:name", such as "processors:grit"')
            return None
        if kind is None:
            at_key = attrs.evolve(target, mark=attrs.evolve(target.mark, value=target.mark.key))
            _check_kind(at_key, key, self.report)
            return None
        return kind.name, name.strip()

    def load(self, place: tuple[str, str], target: Tree) -> tuple[object, str] | None:
        self.digests[place] = None
        if not isinstance(target.value, str):
            return None
        path, attribute = _target(target)
        if ":" not in target.value or not attribute.isidentifier():
            self.report.at_value(target, 'expected "file.py:Spec"')
        elif not self.allowed:
            self.report.at_value(target, f"runs the code in {shown(path)}; add --allow-local to permit that")
        elif not path.is_file():
            self.report.at_value(target, f"no file {shown(path)}")
        else:
            return self.imported(place, target, path, attribute)
        return None

    def imported(
        self, place: tuple[str, str], target: Tree, path: pathlib.Path, attribute: str
    ) -> tuple[object, str] | None:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        try:
            module = _module(path, digest)
        except KeyboardInterrupt:
            raise
        except BaseException as error:
            self.report.at_value(target, f"{shown(path)} cannot be imported: {type(error).__name__}: {error}")
            return None
        if not hasattr(module, attribute):
            names = [name for name in vars(module) if not name.startswith("_")]
            self.report.at_value(target, f"{shown(path)} has no {attribute}{suggestion(attribute, names)}")
            return None
        self.digests[place] = digest
        return getattr(module, attribute), f"{shown(path)}:{attribute}"


def _module(path: pathlib.Path, digest: str) -> Any:
    """Import a file under a name that its content fixes."""
    name = f"fxkit_local_{path.stem}_{digest[:16]}"
    if name in sys.modules:
        return sys.modules[name]
    spec = importlib.util.spec_from_file_location(name, path)
    if spec is None or spec.loader is None:
        raise ImportError("not a Python file")
    module = importlib.util.module_from_spec(spec)
    # Annotations of the classes in it resolve through this table.
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module
