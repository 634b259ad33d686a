"""Every installed processor keeps every promise of the contract kit."""

from __future__ import annotations

from typing import Any

import pytest

from fxkit.catalog import Catalog
from fxkit.testing import trials_of

CATALOG = Catalog.installed(in_tree_only=True)
ENTRIES = [entry for entry in CATALOG.entries if entry.kind == "processors"]
# Variants whose declarations differ from those of the defaults.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "static-mlp-nonlinearity": [{"start": "identity", "activation": "sine"}],
    "lstm": [{"conditions": 2, "layers": 2}, {"skip": False}],
    "tcn": [{"conditions": 2}, {"causal": False}, {"blocks": 3, "kernel": 4, "growth": 2, "residual": False}],
}


def _trials(entry: Any) -> list[Any]:
    spec = CATALOG.spec(entry)
    examples = [spec(**options) for options in ({}, *VARIANTS[entry.name])] if entry.name in VARIANTS else []
    return [
        pytest.param(trial, id=f"{entry.name}-{trial}")
        for trial in trials_of(entry.kind, *(examples or [spec]))
    ]


@pytest.mark.parametrize("trial", [param for entry in ENTRIES for param in _trials(entry)])
def test_processor_keeps_its_promises(trial):
    trial()
