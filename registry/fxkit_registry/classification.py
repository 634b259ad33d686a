"""Turn what distributions declare into entries, each with the reason why it cannot be used, if any."""

from __future__ import annotations

import dataclasses
import re
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

from fxkit_registry.disabling import IN_TREE_ONLY, Rule
from fxkit_registry.entry import Entry, canonical
from fxkit_registry.finder import Declaration
from fxkit_registry.presence import is_present

_TARGET = re.compile(
    r"([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*:\s*([A-Za-z_]\w*(?:\.[A-Za-z_]\w*)*)\s*(?:\[.*\])?$"
)


@dataclasses.dataclass(frozen=True)
class Policy:
    """Hold what a scan accepts: kinds (plural -> singular), API, switched-off plugins, module path."""

    kinds: Mapping[str, str]
    api: int
    prefix: str
    rules: tuple[Rule, ...] = ()
    only: str | None = None
    path: Sequence[str] | None = None

    def covers(self, rule: Rule, entry: Entry) -> bool:
        """Tell whether `rule` switches `entry` off, under either spelling of its kind."""
        return rule.covers((entry.kind, self.kinds.get(entry.kind, "")), entry.name, entry.dist)


def classify(found: Iterable[Declaration], policy: Policy) -> tuple[Entry, ...]:
    """Return one entry per declared plugin, clashes marked, sorted by kind, name and distribution."""
    entries = dict.fromkeys(entry for item in found if (entry := _entry(item, policy)))
    current = {_key(entry) for entry in entries if entry.status != "api"}
    # A distribution that serves two plugin APIs is right for this one; its other row would only worry.
    return marked(entry for entry in entries if entry.status != "api" or _key(entry) not in current)


def marked(entries: Iterable[Entry]) -> tuple[Entry, ...]:
    """Mark the entries whose bare name several usable ones share; return all of them sorted."""
    entries = list(entries)
    sharing: dict[tuple[str, str], list[Entry]] = defaultdict(list)
    for entry in entries:
        if entry.status in ("ok", "ambiguous"):
            sharing[entry.kind, entry.name].append(entry)
    result = [_with_rivals(entry, sharing[entry.kind, entry.name]) for entry in entries]
    return tuple(sorted(result, key=lambda entry: (entry.kind, *entry.sort_key)))


def _with_rivals(entry: Entry, sharing: Sequence[Entry]) -> Entry:
    if entry.status not in ("ok", "ambiguous"):
        return entry
    rivals = sorted(
        f"{other.dist}" if other.dist != entry.dist else other.target
        for other in sharing
        if (other.dist, other.target) != (entry.dist, entry.target)
    )
    if not rivals:
        return dataclasses.replace(entry, status="ok", reason="")
    return dataclasses.replace(entry, status="ambiguous", reason=f"also {', '.join(rivals)}")


def _key(entry: Entry) -> tuple[str, str, str]:
    return (entry.kind, entry.name, canonical(entry.dist))


def _entry(found: Declaration, policy: Policy) -> Entry | None:
    number, _, kind = found.group[len(policy.prefix) :].partition(".")
    if not number.isdigit() or not kind:
        return None
    match = _TARGET.match(found.target)
    entry = Entry(
        kind=kind,
        name=found.name,
        dist=found.dist,
        version=found.version,
        target=":".join(match.groups()) if match else found.target,
        api=int(number),
    )
    return _judged(entry, policy, well_formed=match is not None)


def _judged(entry: Entry, policy: Policy, *, well_formed: bool) -> Entry:
    if policy.only is not None and canonical(entry.dist) != canonical(policy.only):
        return dataclasses.replace(entry, status="disabled", reason=f"by {IN_TREE_ONLY}")
    rule = next((rule for rule in policy.rules if policy.covers(rule, entry)), None)
    if rule is not None:
        return dataclasses.replace(entry, status="disabled", reason=f"by {rule.source}")
    if entry.api != policy.api:
        return dataclasses.replace(entry, status="api", reason=f"API v{entry.api}, needs v{policy.api}")
    if entry.kind not in policy.kinds:
        return dataclasses.replace(entry, status="api", reason=f'unknown kind "{entry.kind}"')
    if not well_formed:
        return dataclasses.replace(entry, status="missing", reason="target is not module:attribute")
    if not is_present(entry.module, policy.path):
        return dataclasses.replace(entry, status="missing", reason="module missing")
    return entry
