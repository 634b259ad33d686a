"""A catalog of small specs, so that messages do not change when plugins do."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest

from fxkit.catalog import Catalog
from fxkit.experiment.model import Experiment
from fxkit.experiment.reader import read_experiment
from fxkit.kinds import KINDS
from fxkit_registry import Entry, Registry

FOLDER = pathlib.Path(__file__).parent

_PLUGINS = {
    "processors": {
        "gain": "Gain",
        "parametric-eq": "ParametricEQ",
        "tcn": "TCN",
        "compressor": "Compressor",
        "harmonic": "Harmonic",
        "raises": "Raises",
        "picky": "Picky",
        "crashing": "Crashing",
        "mistyped": "Mistyped",
        "complaining": "Complaining",
        "untyped": "Untyped",
        "greedy": "Greedy",
        "wrapped": "Wrapped",
        "rack": "Rack",
        "filter": "Filter",
        "mover": "Mover",
        "coder": "Coder",
        "long": "Long",
        "late": "Late",
    },
    "controllers": {"static": "Static", "lstm-control": "LSTMControl", "ddsp-decoder": "DDSPDecoder"},
    "losses": {
        "l1": "Plain",
        "esr": "ESR",
        "multi-resolution-stft": "Spectral",
        "kl": "KL",
        "accuracy": "Accuracy",
    },
    "ramps": {"linear": "LinearRamp"},
    "datasets": {"virtual-device": "VirtualDevice", "paired-audio": "PairedAudio"},
    "callbacks": {
        "audio-samples": "AudioSamples",
        "tensorboard": "Plain",
        "stop": "Stop",
        "listen": "Listen",
        "save": "Save",
        "table": "Table",
        "watch": "Watch",
    },
    "optimizers": {"adamw": "AdamW"},
    "schedules": {"cosine": "Cosine"},
    "features": {"f0": "F0", "wild": "Wild"},
}
_STRANGERS = (
    Entry(
        "processors", "lstm", "fxkit", "0.1.0", "golden_specs:TCN", status="ambiguous", reason="also acme-fx"
    ),
    Entry(
        "processors", "lstm", "acme-fx", "1.2.0", "golden_specs:TCN", status="ambiguous", reason="also fxkit"
    ),
    Entry("callbacks", "fad", "fxkit-fad", "0.4.1", "golden_broken:FAD"),
    Entry(
        "processors", "comp", "fxcomp", "0.3", "fxcomp:Comp", api=0, status="api", reason="API v0, needs v1"
    ),
    Entry("losses", "mel", "fxkit-mel", "0.2", "fxkit_mel:Mel", status="missing", reason="module missing"),
)


@pytest.fixture
def catalog(monkeypatch: pytest.MonkeyPatch) -> Catalog:
    """Return a catalog of the specs in plugins/golden_specs.py and of some that cannot be used."""
    monkeypatch.syspath_prepend(FOLDER / "plugins")
    own = [
        Entry(kind, name, "fxkit", "0.1.0", f"golden_specs:{target}")
        for kind, plugins in _PLUGINS.items()
        for name, target in plugins.items()
    ]
    return Catalog(registry=Registry((*own, *_STRANGERS), {kind.name: kind.singular for kind in KINDS}))


@pytest.fixture
def write(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that writes files into the working directory."""
    monkeypatch.chdir(tmp_path)

    def write(**files: str) -> None:
        for name, text in files.items():
            path = tmp_path / f"{name.replace('__', '/')}.toml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, encoding="utf-8")

    return write


@pytest.fixture
def read(catalog: Catalog) -> Any:
    """Return a function that reads an experiment with the catalog of test plugins."""

    def read(source: Any, *overrides: str, **options: Any) -> Experiment:
        return read_experiment(source, overrides=overrides, catalog=catalog, **options)

    return read
