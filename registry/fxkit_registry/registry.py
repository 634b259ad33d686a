"""Index the installed plugins by kind and name, and resolve names to them."""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Mapping, Sequence

from fxkit_registry import disabling, loading, messages
from fxkit_registry.classification import Policy, classify, marked
from fxkit_registry.entry import LOCAL, Entry, canonical
from fxkit_registry.failure import LoadFailure, LookupFailure
from fxkit_registry.finder import declarations

_USABLE = ("ok", "ambiguous")


@dataclasses.dataclass(frozen=True)
class Registry:
    """Hold every declared plugin, usable or not, sorted by kind, name and distribution.

    `kinds` maps each kind's plural to its singular; `api` is the plugin API in force; `objects`
    holds the targets of local plugins by (kind, name); `unused` are the disabling rules that match
    nothing installed.
    """

    entries: tuple[Entry, ...]
    kinds: Mapping[str, str]
    api: int = 1
    objects: Mapping[tuple[str, str], object] = dataclasses.field(default_factory=dict)
    unused: tuple[disabling.Rule, ...] = ()

    @classmethod
    def scan(
        cls,
        kinds: Sequence[str],
        *,
        api: int = 1,
        prefix: str = "fxkit.v",
        disable: Sequence[str] = (),
        only: str | None = None,
        path: Sequence[str] | None = None,
        singular: Mapping[str, str] | None = None,
        environ: Mapping[str, str] | None = None,
        beside: Sequence[str] = (),
    ) -> Registry:
        """Read the plugins of `kinds` (plurals) from the distributions on `path`; imports none of them.

        Groups are called `prefix` + API number + "." + kind; those of another API than `api` are
        listed but cannot be used. `disable` and the environment's FXKIT_DISABLE switch off
        distributions ("dist") or plugins ("kind:name"); `only` switches off all distributions but
        that one. `path` defaults to `sys.path`, `environ` to the process's; `singular` maps plurals
        to the singulars that messages and patterns may use. `beside` names groups that hold no plugins.
        """
        names = {kind: (singular or {}).get(kind, kind) for kind in kinds}
        rules = disabling.gather(disable, os.environ if environ is None else environ)
        policy = Policy(names, api, prefix, rules, only, path)
        found = declarations(prefix, sys.path if path is None else path)
        plugins = [one for one in found if one.group.rpartition(".")[2] not in beside]
        entries = classify(plugins, policy)
        unused = tuple(rule for rule in rules if not any(policy.covers(rule, entry) for entry in entries))
        return cls(entries, names, api, unused=unused)

    def of_kind(self, kind: str) -> tuple[Entry, ...]:
        """Return the entries of one kind (its plural), whatever their status."""
        return tuple(entry for entry in self.entries if entry.kind == kind)

    def find(self, kind: str, name: str) -> Entry:
        """Return the usable plugin of `kind` (its plural) called `name` or "dist/name".

        Raises `LookupFailure` when there is none or more than one, or when it is switched off, not
        there, or of another API; the message names what would resolve.
        """
        matches = [entry for entry in self.of_kind(kind) if _is_called(entry, name)]
        usable = [entry for entry in matches if entry.status in _USABLE]
        if len(usable) == 1:
            return usable[0]
        raise self._failure(kind, name, usable or matches)

    def _failure(self, kind: str, name: str, matches: Sequence[Entry]) -> LookupFailure:
        near: tuple[str, ...] = ()
        if not matches:
            message, near = messages.unknown(kind, self.kinds.get(kind, kind), name, self.entries)
        elif matches[0].status in _USABLE:
            message, near = messages.clash(name, matches), tuple(entry.qualified for entry in matches)
        else:
            message = "; ".join(messages.unusable(entry, self.kinds[kind], self.api) for entry in matches)
        return LookupFailure(message, kind=kind, name=name, suggestions=near)

    def load(self, entry: Entry) -> object:
        """Return what `entry` points to, importing its module.

        Raises `LoadFailure` when it cannot be imported, or must not be because of its status.
        """
        if entry.dist == LOCAL and (entry.kind, entry.name) in self.objects:
            return self.objects[entry.kind, entry.name]
        if entry.status not in _USABLE:
            raise LoadFailure(entry, entry.status_text, "")
        return loading.load(entry)

    def with_local(self, kind: str, name: str, target_object: object, origin: str) -> Registry:
        """Return a registry that also has a plugin of the user's own; `origin` says where it is written."""
        entry = Entry(kind=kind, name=name, dist=LOCAL, version="", target=origin, api=self.api)
        return dataclasses.replace(
            self,
            entries=marked([*self.entries, entry]),
            objects={**self.objects, (kind, name): target_object},
        )


def _is_called(entry: Entry, name: str) -> bool:
    dist, slash, bare = name.rpartition("/")
    return entry.name == bare and (not slash or canonical(dist) == canonical(entry.dist))
