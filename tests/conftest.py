"""Tests run many small blocks, for which threads cost more than they give."""

from __future__ import annotations

import os

import pytest
import torch


@pytest.fixture(autouse=True, scope="session")
def one_thread():
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(before)


@pytest.fixture(autouse=True, scope="session")
def own_cache(tmp_path_factory):
    """Keep what the tests extract and decode out of the user's cache."""
    before = os.environ.get("FXKIT_CACHE")
    os.environ["FXKIT_CACHE"] = str(tmp_path_factory.mktemp("cache"))
    yield
    if before is None:
        del os.environ["FXKIT_CACHE"]
    else:
        os.environ["FXKIT_CACHE"] = before
