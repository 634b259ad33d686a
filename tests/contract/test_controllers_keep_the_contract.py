"""Every installed controller keeps every promise of the contract kit."""

from __future__ import annotations

import pytest

from fxkit.catalog import Catalog
from fxkit.testing import trials_of

CATALOG = Catalog.installed(in_tree_only=True)
TRIALS = [
    pytest.param(trial, id=f"{entry.name}-{trial}")
    for entry in CATALOG.entries
    if entry.kind == "controllers"
    for trial in trials_of(entry.kind, CATALOG.spec(entry))
]


@pytest.mark.parametrize("trial", TRIALS)
def test_controller_keeps_its_promises(trial):
    trial()
