"""Every installed controller keeps every promise of the contract kit."""

from __future__ import annotations

import pathlib

import pytest

from fxkit.catalog import Catalog
from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.testing.case import ControllerCase
from fxkit.testing.imports import check_spec_is_light
from fxkit.testing.suite import CONTROLLER_CHECKS

CATALOG = Catalog.installed(in_tree_only=True)
ENTRIES = [entry for entry in CATALOG.entries if entry.kind == "controllers"]
PARAMETERS = (
    Parameter(name="tone.gain", low=-12, high=12, default=3, unit="dB"),
    Parameter(name="tone.frequency", low=20, high=20000, default=1000, unit="Hz", mapping="log"),
    Parameter(name="noise.magnitudes", low=0, high=2, default=0, mapping="exp-sigmoid", size=3, rate="frame"),
)
HOP = 48
MATERIAL = pathlib.Path(__file__).parent / "material"
# What a spec needs, and what else its options may be, where neither can be guessed.
GIVEN = {"frames": {"file": MATERIAL / "automation.csv"}}
HINTS = {
    "frames": {"file": [MATERIAL / "flat-automation.csv"]},
    "knobs-interpolation": {"grid": [{"drive": (0.0, 0.5, 1.0), "tone": (0.0, 1.0)}]},
}


def spec_of(entry):
    return CATALOG.spec(entry)(**GIVEN.get(entry.name, {}))


@pytest.mark.parametrize("check", CONTROLLER_CHECKS, ids=lambda check: check.__name__)
@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_controller_keeps_its_promises(entry, check):
    ctx = BuildContext(
        hop=HOP,
        knobs=("drive", "tone"),
        knob_settings=((0.0, 0.0), (1.0, 0.1), (0.4, 0.9)),
        features={"f0": 2, "loudness": 1},
        parameters=PARAMETERS,
    )
    ranges = {"f0": ((50.0, 1000.0), (0.0, 1.0)), "loudness": ((-80.0, 0.0),)}
    hints = HINTS.get(entry.name, {})
    check(ControllerCase(spec=spec_of(entry), ctx=ctx, feature_ranges=ranges, hints=hints))


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: entry.name)
def test_controller_is_described_without_torch(entry):
    check_spec_is_light(spec_of(entry))
