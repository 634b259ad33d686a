"""A family of experiments, sixteen devices by thirty models and more, is a few lines of TOML."""

from __future__ import annotations

import pathlib

import attrs
import pytest

from fxkit.catalog import Catalog
from fxkit.context import BuildContext
from fxkit.experiment.composition import compose
from fxkit.experiment.model import Experiment
from fxkit.experiment.reader import read_experiment
from fxkit.experiment.report import Report
from fxkit.experiment.shipped import shipped_bases

CATALOG = Catalog.installed(in_tree_only=True)
MODELS = [base for base in sorted(shipped_bases()) if base.startswith("base/models/")]
SIZES = [base for base in MODELS if base.count("-")]
NETWORKS = [base for base in SIZES if "graybox" not in base and "-tf-" not in base and "-tvc-" not in base]
KNOBS = [base for base in sorted(shipped_bases()) if base.startswith("base/knobs/")]
DEVICES = [f"device-{number:02}" for number in range(1, 17)]

FAMILY = """\
fxkit = 1

[extends]
task = "base/amp.toml"
model = "base/models/lstm-32.toml"
device = "devices/device-01.toml"

[train]
steps = 3000
"""
DEVICE = """\
fxkit = 1
[data]
root = "{name}"
"""


@pytest.fixture
def family(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> pathlib.Path:
    """Write the files of a family into the working directory."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "family.toml").write_text(FAMILY)
    (tmp_path / "devices").mkdir()
    for name in DEVICES:
        (tmp_path / "devices" / f"{name}.toml").write_text(DEVICE.format(name=name))
    return tmp_path / "family.toml"


def cell(device: str, model: str, *settings: str) -> Experiment:
    """Read one experiment of the family."""
    chosen = (f"extends.device=devices/{device}.toml", f"extends.model={model}", *settings)
    return read_experiment("family.toml", overrides=chosen, catalog=CATALOG)


def test_sixteen_devices_by_thirty_models_are_at_most_sixty_lines(family: pathlib.Path) -> None:
    files = family.parent.rglob("*.toml")
    assert sum(len(file.read_text().splitlines()) for file in files) <= 60
    assert len(DEVICES) == 16
    assert len(SIZES) >= 30


def test_every_cell_of_the_family_is_another_experiment(family: pathlib.Path) -> None:
    found = set()
    for device in DEVICES:
        for model in SIZES:
            report = Report()
            settings = (f"extends.device=devices/{device}.toml", f"extends.model={model}")
            tree = compose(family, report, settings)
            assert tree is not None
            assert not report.problems
            found.add(str(tree.plain()))
    assert len(found) == len(DEVICES) * len(SIZES) >= 480


@pytest.mark.parametrize("model", MODELS)
def test_every_model_can_be_in_the_family(family: pathlib.Path, model: str) -> None:
    experiment = cell("device-07", model)
    assert experiment.data.spec.root == family.parent / "devices" / "device-07"
    assert experiment.train.steps == 3000
    assert list(experiment.callbacks) == ["checkpoint", "tensorboard", "listen", "parameters", "plots"]
    if model in SIZES:
        assert experiment.run.name == pathlib.Path(model).stem


@pytest.mark.parametrize("device", DEVICES)
def test_every_device_can_be_in_the_family(family: pathlib.Path, device: str) -> None:
    experiment = cell(device, "base/models/graybox-fuzz.toml")
    assert experiment.data.spec.root == family.parent / "devices" / device


@pytest.mark.parametrize(
    "model", [base for base in MODELS if "/tcn-" in base or "/gcn-" in base or "/nam-" in base]
)
def test_every_scored_sample_of_a_network_has_its_past(family: pathlib.Path, model: str) -> None:
    experiment = cell("device-01", model)
    plain = attrs.evolve(experiment.nodes["amp"].spec, conditioning=None)
    field = plain.traits(BuildContext(sample_rate=48000)).receptive_field
    assert experiment.data.keys.warmup == field - 1


@pytest.mark.parametrize("knobs", KNOBS)
def test_knobs_can_be_laid_over_any_network(family: pathlib.Path, knobs: str) -> None:
    for model in NETWORKS:
        parents = f'extends=["base/amp.toml", "{model}", "{knobs}"]'
        settings = (parents, "nodes.amp.conditioning.size=3")
        experiment = read_experiment("family.toml", overrides=settings, catalog=CATALOG)
        assert experiment.nodes["amp"].spec.conditioning.size == 3
        assert experiment.nodes["amp"].keys.controller.name == "knobs"
