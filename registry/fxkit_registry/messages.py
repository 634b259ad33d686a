"""Write what to tell a user whose plugin name does not resolve."""

from __future__ import annotations

from collections.abc import Sequence

from fxkit_registry.entry import Entry, canonical
from fxkit_registry.suggestion import closest


def clash(name: str, entries: Sequence[Entry]) -> str:
    """Say who offers a bare name, and how to write which one is meant."""
    if len({canonical(entry.dist) for entry in entries}) == 1:
        targets = " and ".join(entry.target for entry in entries)
        return (
            f'{entries[0].origin} declares "{name}" twice ({targets}); it takes a release of it to mend that'
        )
    offers = " and ".join(entry.origin for entry in entries)
    spellings = " or ".join(f'"{entry.qualified}"' for entry in entries)
    return f'"{name}" is offered by {offers}; write {spellings}'


def unusable(entry: Entry, singular: str, api: int) -> str:
    """Say why a plugin that is installed cannot be used, and the way out."""
    what = f'{singular} "{entry.name}" of {entry.origin}'
    if entry.status == "disabled":
        return f"{what} is disabled {entry.reason}; remove it there to use it"
    if entry.status == "api" and entry.api != api:
        fix = "upgrade fxkit" if entry.api > api else f"a newer {entry.dist}, for API v{api}, is needed"
        return f"{what} targets fxkit API v{entry.api}, this is v{api}; {fix}"
    fix = f"reinstall or uninstall {entry.dist}"
    return f"{what} is not installed correctly ({entry.reason}: {entry.target}); {fix}"


def unknown(kind: str, singular: str, name: str, entries: Sequence[Entry]) -> tuple[str, tuple[str, ...]]:
    """Say that no plugin is called `name`; return also the closest spellings that would resolve."""
    dist, slash, bare = name.rpartition("/")
    usable = [entry for entry in entries if entry.status in ("ok", "ambiguous")]
    peers = [entry for entry in usable if entry.kind == kind]
    near = [
        entry
        for word in closest(bare, (entry.name for entry in peers))
        for entry in peers
        if entry.name == word
    ]
    elsewhere = sorted({entry.kind for entry in usable if entry.name == bare and entry.kind != kind})
    message = f'no {singular} "{name}"'
    if slash and canonical(dist) not in {canonical(entry.dist) for entry in entries}:
        message += f' (no distribution "{dist}" with plugins is installed)'
    if elsewhere:
        message += f'; "{bare}" is one of the {", ".join(elsewhere)}'
    spellings = [_spelling(entry, qualified=bool(slash)) for entry in near]
    if near:
        offers = zip(spellings, near, strict=True)
        message += "; closest: " + ", ".join(f'"{spelling}" ({entry.origin})' for spelling, entry in offers)
    return f"{message}. `fxkit plugins {kind}` lists all", tuple(spellings)


def _spelling(entry: Entry, *, qualified: bool) -> str:
    return entry.qualified if qualified or entry.status == "ambiguous" else entry.name
