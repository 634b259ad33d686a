"""Hold what is being brought over: the account of the sources, and the new file."""

from __future__ import annotations

import math
from typing import Any

import attrs

from fxkit.kinds import kind_named
from fxkit.migration.entry import Entry
from fxkit.migration.ledger import Ledger
from fxkit.migration.mapping import class_rule
from fxkit.migration.rules import apply
from fxkit.migration.sketch import Sketch

EPOCHS_NEEDED = "counts epochs, and fxkit steps; say --steps-per-epoch N"


@attrs.define(kw_only=True)
class Work:
    """Bring sources over piece by piece; `steps_per_epoch` is None when nobody knows."""

    steps_per_epoch: int | None = None
    ledger: Ledger = attrs.field(factory=Ledger)
    sketch: Sketch = attrs.field(factory=Sketch)

    def part(
        self, role: str, name: Entry | None, given: Entry | None, table: str, known_as: str = ""
    ) -> dict[str, Any] | None:
        """Return the table that a class with its keys becomes; None, noted, when it has no counterpart.

        `known_as` is the class where the source has another word for it, or none.
        """
        path = known_as or str(name.value if name else "")
        rule = class_rule(role, path)
        short = path.rpartition(".")[2]
        if rule is None or not rule.plugin:
            kind = kind_named(role)
            why = rule.why if rule else f"no {kind.singular if kind else role} stands for {short}"
            self.ledger.missing(name, why, table)
            self.ledger.missing(given, f"belongs to {short}, which has no counterpart", table)
            return None
        self.ledger.mapped(name, f"{table}.type", rule.plugin)
        options = apply(rule.keys, given, self.ledger, table, rule.defaults)
        self.rate(given.get("sample_rate") if given else None)
        return {"type": rule.plugin, **rule.implied, **options}

    def classed(self, role: str, entry: Entry, table: str) -> dict[str, Any] | None:
        """Do so for `class_path` and `init_args`, or for the name of a class alone."""
        name = entry.get("class_path") or entry
        if name.is_table:
            self.ledger.missing(entry, "names no class_path", table)
            return None
        return self.part(role, name, entry.get("init_args"), table)

    def rate(self, entry: Entry | None) -> None:
        """Take a sample rate, in Hz; all must agree."""
        if entry is None or self.ledger.knows(entry):
            return
        run = self.sketch.tables.setdefault("run", {})
        value = entry.plain()
        if value is None:
            self.ledger.unneeded(entry, "null leaves it open")
        elif type(value) not in (int, float):
            self.ledger.missing(entry, "a number is expected", "run")
        elif run.setdefault("sample_rate", round(value)) == value:
            self.ledger.mapped(entry, "run.sample_rate", "Hz")
        else:
            self.ledger.missing(entry, f"everything runs at run.sample_rate = {run['sample_rate']} Hz", "run")

    def number(self, entry: Entry | None, default: float, table: str) -> float:
        """Return a number, `default` when there is no entry; anything else has no counterpart."""
        if entry is None:
            return default
        value = entry.plain()
        if type(value) in (int, float) and math.isfinite(value):
            return float(value)
        if not self.ledger.knows(entry):
            self.ledger.missing(entry, "a number is expected", table)
        return default

    def whole(self, entry: Entry | None, default: int, table: str) -> int:
        """Do so for a whole number above 0."""
        if entry is not None and type(entry.plain()) is int and entry.plain() > 0:
            return int(entry.plain())
        if entry is not None and entry.plain() is not None and not self.ledger.knows(entry):
            self.ledger.missing(entry, "a whole number above 0 is expected", table)
        return default

    def given(self, entry: Entry | None, target: str, note: str = "") -> None:
        """Note that a key went to `target`, unless it was found to be of no use."""
        if entry is not None and entry.plain() is None and not self.ledger.knows(entry):
            self.ledger.unneeded(entry, "null leaves it open")
        elif entry is not None and not all(map(self.ledger.knows, entry.leaves())):
            self.ledger.mapped(entry, target, note)

    def epochs(self, entry: Entry | None, target: str) -> int | None:
        """Return epochs in steps, and note them; None, noted, when an epoch is of unknown length."""
        if entry is None:
            return None
        value = entry.plain()
        if value is None or value == -1:
            self.ledger.unneeded(entry, "leaves it open")
            return None
        table = target.rpartition(".")[0]
        if self.steps_per_epoch is None or type(value) not in (int, float):
            self.ledger.missing(entry, EPOCHS_NEEDED, table)
            return None
        steps: int = max(1, round(value * self.steps_per_epoch))
        self.ledger.mapped(entry, target, f"{value} epochs of {self.steps_per_epoch} steps")
        return steps

    def share(self, entry: Entry | None, whole: float | None, target: str) -> float | None:
        """Return a learning rate as a share of the first one, and note it."""
        if entry is None:
            return None
        value = entry.plain()
        table = target.rpartition(".")[0]
        if not isinstance(value, (int, float)) or not whole or not 0 <= value / whole < 1:
            self.ledger.missing(entry, "is no share of the learning rate", table)
            return None
        self.ledger.mapped(entry, target, f"as a share of {whole:g}")
        return float(f"{value / whole:.12g}")


def half_life(gamma: float, steps: int) -> int:
    """Return the steps after which `gamma` per `steps` has halved a value; at least 1."""
    return max(1, round(steps * math.log(0.5) / math.log(gamma)))
