"""However a signal is cut and wherever parameters stand, every plugin keeps to what it gives."""

from __future__ import annotations

import functools

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.catalog import Catalog
from fxkit.testing import trials_of
from fxkit.testing.case import run, stirred
from fxkit.testing.check import distance
from fxkit.testing.streaming import check_streaming
from fxkit.testing.track import with_values

CATALOG = Catalog.installed(in_tree_only=True)
KINDS = ("processors", "controllers")
ENTRIES = [entry for entry in CATALOG.entries if entry.kind in KINDS]
PROCESSORS = [entry for entry in ENTRIES if entry.kind == "processors"]
SAMPLES = 700
SPLITS = st.lists(st.integers(1, 200), min_size=1, max_size=12).filter(lambda sizes: sum(sizes) <= SAMPLES)


@functools.cache
def made(entry):
    """A plugin's first example, with one channel where it takes that."""
    trials = trials_of(entry.kind, CATALOG.spec(entry))
    case = next(trial.case for trial in trials if trial.check is check_streaming)
    return case, stirred(case), case.tracks(SAMPLES)


@functools.cache
def whole(entry):
    return run(*made(entry))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
@settings(max_examples=15, deadline=None)
@given(blocks=SPLITS)
def test_a_split_of_any_sizes_gives_the_whole(entry, blocks):
    joined = run(*made(entry), blocks)
    assert distance(joined, whole(entry)[..., : joined.shape[-1]]) <= 1e-5


@pytest.mark.parametrize("entry", PROCESSORS, ids=lambda entry: entry.name)
@settings(max_examples=15, deadline=None)
@given(data=st.data())
def test_any_parameters_in_their_ranges_give_finite_audio(entry, data):
    case, module, tracks = made(entry)
    for parameter in case.parameters:
        name = f"param:{parameter.name}"
        share = data.draw(st.floats(0, 1, width=32), label=parameter.name)
        values = torch.full_like(tracks[name].values, parameter.to_physical(share))
        tracks = with_values(tracks, name, values.clamp(parameter.low, parameter.high))
    assert run(case, module, tracks).isfinite().all()
