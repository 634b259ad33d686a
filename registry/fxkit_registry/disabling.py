"""Decide which plugins are switched off, and by what, before anything is imported."""

from __future__ import annotations

import dataclasses
from collections.abc import Iterable, Mapping, Sequence

from fxkit_registry.entry import canonical

VARIABLE = "FXKIT_DISABLE"
FILE = "[plugins] disable"
IN_TREE_ONLY = "--no-plugins"


@dataclasses.dataclass(frozen=True)
class Rule:
    """Switch off a distribution ("dist") or one plugin ("kind:name"); `source` is who said so."""

    pattern: str
    source: str

    def covers(self, kinds: Sequence[str], name: str, dist: str) -> bool:
        """Tell whether the rule switches this plugin off; `kinds` are the spellings of its kind."""
        kind, colon, wanted = self.pattern.partition(":")
        if not colon:
            return canonical(self.pattern) == canonical(dist)
        return kind.strip() in kinds and wanted.strip() in (name, f"{dist}/{name}")


def gather(disable: Iterable[str], environ: Mapping[str, str]) -> tuple[Rule, ...]:
    """Collect the rules of the environment and of the experiment file."""
    words = (word.strip() for word in environ.get(VARIABLE, "").split(","))
    return (
        *(Rule(word, VARIABLE) for word in words if word),
        *(Rule(word.strip(), FILE) for word in disable),
    )
