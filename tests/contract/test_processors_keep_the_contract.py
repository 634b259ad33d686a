"""Every installed processor keeps every promise of the contract kit."""

from __future__ import annotations

from typing import Any

import pytest

from fxkit.catalog import Catalog
from fxkit.context import BuildContext
from fxkit.testing.case import ProcessorCase
from fxkit.testing.imports import check_spec_is_light
from fxkit.testing.suite import PROCESSOR_CHECKS

CATALOG = Catalog.installed(in_tree_only=True)
ENTRIES = [entry for entry in CATALOG.entries if entry.kind == "processors"]
# Variants whose declarations differ from those of the defaults.
VARIANTS: dict[str, list[dict[str, Any]]] = {
    "static-mlp-nonlinearity": [{"start": "identity", "activation": "sine"}],
    "lstm": [{"conditions": 2, "layers": 2}, {"skip": False}],
    "tcn": [{"conditions": 2}, {"causal": False}, {"blocks": 3, "kernel": 4, "growth": 2, "residual": False}],
}
CASES = [
    (entry, options, channels)
    for entry in ENTRIES
    for options in ({}, *VARIANTS.get(entry.name, []))
    for channels in (1, 2)
]


def _name(case: Any) -> str:
    entry, options, channels = case
    settings = ",".join(f"{name}={value}" for name, value in options.items())
    return f"{entry.name}[{settings}]x{channels}"


@pytest.mark.parametrize("check", PROCESSOR_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("case", CASES, ids=_name)
def test_processor_keeps_its_promises(case, check):
    entry, options, channels = case
    ctx = BuildContext(hop=48, seed=3, channels=channels, target_channels=channels)
    check(ProcessorCase(spec=CATALOG.spec(entry)(**options), ctx=ctx))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_processor_is_described_without_torch(entry):
    check_spec_is_light(CATALOG.spec(entry)())
