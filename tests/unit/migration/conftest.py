from __future__ import annotations

import pathlib

import pytest

from fxkit.migration.bringing import bring

SOURCES = pathlib.Path(__file__).parent / "sources"
SETS = {
    "nablafx-chain": ("nablafx-data.yaml", "nablafx-chain.yaml", "nablafx-trainer.yaml"),
    "nablafx-tcn": ("nablafx-data.yaml", "nablafx-tcn.yaml", "nablafx-trainer.yaml"),
    "nablafx-saved": ("nablafx-saved.yaml",),
    "nam-wavenet": ("nam-data.json", "nam-wavenet.json", "nam-learning.json"),
    "nam-lstm": ("nam-data.json", "nam-lstm.json", "nam-learning.json"),
    "stable": ("stable-model.json", "stable-data.json", "stable.ini"),
}


@pytest.fixture
def brought():
    """Bring one of the sets of sources over."""

    def call(name, **options):
        return bring([SOURCES / file for file in SETS[name]], **options)

    return call


@pytest.fixture
def sets():
    return {name: [SOURCES / file for file in files] for name, files in SETS.items()}
