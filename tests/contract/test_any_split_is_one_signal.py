"""However a signal is cut, every processor and controller gives what the whole signal gives."""

from __future__ import annotations

import functools

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.catalog import Catalog
from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.testing.case import Case, ControllerCase, ProcessorCase, run, stirred
from fxkit.testing.check import distance

CATALOG = Catalog.installed(in_tree_only=True)
ENTRIES = [entry for entry in CATALOG.entries if entry.kind in ("processors", "controllers")]
GAIN = Parameter(name="gain", low=-12.0, high=12.0, default=3.0, unit="dB")
SAMPLES = 700
SPLITS = st.lists(st.integers(1, 200), min_size=1, max_size=12).filter(lambda sizes: sum(sizes) <= SAMPLES)


def case_of(entry) -> Case:
    spec = CATALOG.spec(entry)()
    if entry.kind == "processors":
        return ProcessorCase(spec=spec)
    features = {"f0": 2, "loudness": 1}
    ctx = BuildContext(hop=48, knobs=("drive",), features=features, parameters=(GAIN,))
    return ControllerCase(spec=spec, ctx=ctx)


@functools.cache
def whole(entry):
    case = case_of(entry)
    module, tracks = stirred(case), case.tracks(SAMPLES)
    return case, module, tracks, run(case, module, tracks)


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
@settings(max_examples=25, deadline=None)
@given(blocks=SPLITS)
def test_a_split_of_any_sizes_gives_the_whole(entry, blocks):
    case, module, tracks, expected = whole(entry)
    joined = run(case, module, tracks, blocks)
    assert distance(joined, expected[..., : joined.shape[-1]]) <= 1e-5
