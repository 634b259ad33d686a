"""Every installed processor keeps every promise of the contract kit."""

from __future__ import annotations

from typing import Any

import pytest

from fxkit.catalog import Catalog
from fxkit.testing import trials_of

CATALOG = Catalog.installed(in_tree_only=True)
ENTRIES = [entry for entry in CATALOG.entries if entry.kind == "processors"]


def _trials(entry: Any) -> list[Any]:
    trials = trials_of(entry.kind, CATALOG.spec(entry))
    return [pytest.param(trial, id=f"{entry.name}-{trial}") for trial in trials]


@pytest.mark.parametrize("trial", [param for entry in ENTRIES for param in _trials(entry)])
def test_processor_keeps_its_promises(trial):
    trial()
