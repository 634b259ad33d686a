"""Every installed loss keeps every promise of the contract kit."""

from __future__ import annotations

import pytest

from fxkit.catalog import Catalog
from fxkit.context import BuildContext
from fxkit.testing.imports import check_spec_is_light
from fxkit.testing.loss import LossCase
from fxkit.testing.suite import LOSS_CHECKS

CATALOG = Catalog.installed(in_tree_only=True)
ENTRIES = [entry for entry in CATALOG.entries if entry.kind == "losses"]
HINTS = {"multi-resolution-stft": {"win_lengths": [(512, 512, 512)], "hop_sizes": [(64, 64, 64)]}}


@pytest.mark.parametrize("check", LOSS_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_loss_keeps_its_promises(entry, channels, check):
    ctx = BuildContext(target_channels=channels)
    check(LossCase(spec=CATALOG.spec(entry)(), ctx=ctx, hints=HINTS.get(entry.name, {})))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_loss_is_described_without_torch(entry):
    check_spec_is_light(CATALOG.spec(entry)())
