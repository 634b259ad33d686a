"""Experiments that other distributions ship are found as fxkit's own are."""

from __future__ import annotations

import sys

import pytest

from fxkit.catalog import Catalog
from fxkit.errors import ExperimentError
from fxkit.experiment.reader import read_experiment
from fxkit.experiment.shipped import shipped_bases, shipped_experiments
from fxkit.templates.template import templates

BARK = """# Model a bark.
# For: dog.
# Cost: 3 weights.
fxkit = 1
extends = ["acme-amps/base/short.toml"]
[data]
type = "virtual-device"
[nodes.amp]
type = "gain"
controller = { type = "static" }
[model]
chain = ["amp"]
[losses.esr]
type = "esr"
"""
SHORT = 'fxkit = 1\n[train]\nsteps = 7\noptimizer = { type = "adam" }\n'


@pytest.fixture
def acme(tmp_path, monkeypatch):
    """Install a distribution "acme-amps" whose package must not be imported."""

    def install(**experiments):
        package = tmp_path / "acme_experiments"
        (package / "base").mkdir(parents=True)
        (package / "__init__.py").write_text("raise SystemExit('imported')")
        (package / "base" / "short.toml").write_text(SHORT)
        for name, text in experiments.items():
            (package / f"{name.replace('_', '-')}.toml").write_text(text)
        info = tmp_path / "acme_amps-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme-amps\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text("[fxkit.v1.experiments]\nacme = acme_experiments\n")
        monkeypatch.syspath_prepend(tmp_path)
        return package

    return install


def test_an_experiment_of_another_distribution_is_read_by_its_name(acme):
    package = acme(bark=BARK)
    assert shipped_experiments()["bark"] == package / "bark.toml"
    assert read_experiment("bark").train.steps == 7
    assert "acme_experiments" not in sys.modules


def test_it_is_a_template_too(acme):
    acme(bark=BARK)
    (bark,) = [one for one in templates() if one.name == "bark"]
    assert (bark.summary, bark.device, bark.cost) == ("Model a bark", "dog", "3 weights")


def test_two_of_one_name_need_their_distributions(acme):
    package = acme(eq=BARK)
    found = shipped_experiments()
    assert "eq" not in found
    assert found["acme-amps/eq"] == package / "eq.toml"
    assert found["fxkit/eq"].parent.name == "fxkit_configs"
    assert read_experiment("acme-amps/eq").train.steps == 7
    with pytest.raises(ExperimentError, match='write "acme-amps/eq" or "fxkit/eq"'):
        read_experiment("eq")


def test_bases_of_others_never_hide_fxkits(acme):
    before = shipped_bases()
    acme(bark=BARK)
    assert shipped_bases().items() - before.items() == {
        ("acme-amps/base/short.toml", shipped_bases()["acme-amps/base/short.toml"])
    }


@pytest.mark.parametrize("rule", ["acme-amps", "experiments:acme", "experiment:acme"])
def test_what_is_switched_off_ships_nothing(acme, monkeypatch, rule):
    acme(bark=BARK)
    monkeypatch.setenv("FXKIT_DISABLE", rule)
    assert "bark" not in shipped_experiments()


def test_an_entry_point_without_a_package_ships_nothing(acme, tmp_path):
    acme(bark=BARK)
    points = tmp_path / "acme_amps-1.0.dist-info" / "entry_points.txt"
    points.write_text("[fxkit.v1.experiments]\ngone = no_such_package\nodd = a:b\n")
    assert "bark" not in shipped_experiments()


def test_experiments_are_no_plugins(acme):
    acme(bark=BARK)
    assert [entry for entry in Catalog.installed().entries if entry.dist == "acme-amps"] == []
