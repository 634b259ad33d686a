"""Every installed loss, dataset, feature, callback, optimiser and schedule keeps its kind's promises."""

from __future__ import annotations

import pytest

from fxkit.catalog import Catalog
from fxkit.testing import trials_of

CATALOG = Catalog.installed(in_tree_only=True)
TRIALS = [
    pytest.param(trial, id=f"{entry.kind}-{entry.name}-{trial}")
    for entry in CATALOG.entries
    if entry.kind not in ("processors", "controllers")
    for trial in trials_of(entry.kind, CATALOG.spec(entry))
]


@pytest.mark.parametrize("trial", TRIALS)
def test_plugin_keeps_its_promises(trial):
    trial()
