"""Join the installed plugins with the kinds of this kernel and with what each plugin's options are."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

import attrs

from fxkit.errors import PluginError
from fxkit.kinds import API, EXPERIMENTS, GROUP_PREFIX, KINDS, kind_named
from fxkit_registry import LOCAL, Entry, LoadFailure, LookupFailure, Registry

IN_TREE = "fxkit"


@attrs.frozen(kw_only=True)
class Catalog:
    """Hold the plugins that can be named, and load their specs one by one as they are asked for.

    Making one imports no plugin. A spec that was loaded is kept for as long as the catalog.
    """

    registry: Registry
    _specs: dict[Entry, type] = attrs.field(factory=dict, init=False, eq=False, repr=False)

    @classmethod
    def installed(cls, *, disable: Iterable[str] = (), in_tree_only: bool = False) -> Catalog:
        """Find the installed plugins, except those that `disable` or the environment switches off.

        `disable` holds distributions ("dist") and plugins ("kind:name"); `in_tree_only` switches off
        all that do not come with fxkit itself.
        """
        registry = Registry.scan(
            [kind.name for kind in KINDS],
            api=API,
            prefix=GROUP_PREFIX,
            disable=tuple(disable),
            only=IN_TREE if in_tree_only else None,
            singular={kind.name: kind.singular for kind in KINDS},
            beside=(EXPERIMENTS.name,),
        )
        return cls(registry=registry)

    @property
    def entries(self) -> tuple[Entry, ...]:
        """Return all entries, usable or not, sorted by kind (in the kernel's order), name and dist."""
        order = {kind.name: position for position, kind in enumerate(KINDS)}
        return tuple(sorted(self.registry.entries, key=lambda entry: order.get(entry.kind, len(order))))

    def find(self, kind: str, name: str) -> Entry:
        """Return the plugin of `kind` (plural or singular) called `name` or "dist/name".

        Raises `PluginError` when it does not resolve to one usable plugin.
        """
        known = kind_named(kind)
        if known is None:
            raise PluginError(f'no kind of plugin is called "{kind}"; there are {_kind_names()}')
        try:
            return self.registry.find(known.name, name)
        except LookupFailure as failure:
            raise PluginError(str(failure)) from failure

    def spec(self, entry: Entry) -> type:
        """Return the spec class of `entry`, importing its module; a plain callable is wrapped in one.

        Raises `PluginError`, caused by a `LoadFailure`, when it cannot be imported or described.
        """
        if entry not in self._specs:
            try:
                self._specs[entry] = _described(self.registry.load(entry), entry)
            except LoadFailure as failure:
                raise PluginError(str(failure)) from failure
        return self._specs[entry]

    def with_local(self, targets: Mapping[tuple[str, str], tuple[object, str]]) -> Catalog:
        """Return a catalog with plugins of the user's own: (kind, name) -> (object, where it is written)."""
        registry = self.registry
        for (kind, name), (target, origin) in targets.items():
            registry = registry.with_local(kind, name, target, origin)
        return Catalog(registry=registry)


def _described(target: object, entry: Entry) -> type:
    """Return the spec class of a loaded plugin, proved to be describable."""
    from fxkit.callable_spec import spec_class
    from fxkit.spec import describe

    try:
        spec = spec_class(target, entry.kind)
        describe(spec)
    except Exception as error:
        fix = f"Correct {entry.target}" if entry.dist == LOCAL else f"Update {entry.dist}, or tell its author"
        raise LoadFailure(entry, f"its spec cannot be used: {error}", fix, error) from error
    return spec


def _kind_names() -> str:
    return ", ".join(kind.name for kind in KINDS)
