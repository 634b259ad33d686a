"""Tests run many small blocks, for which threads cost more than they give."""

from __future__ import annotations

import os

import pytest

if "PYTEST_XDIST_WORKER" in os.environ:
    # There are as many of these processes as cores; with threads each they would wait for each other.
    os.environ.setdefault("OMP_NUM_THREADS", "1")

import torch


def pytest_xdist_auto_num_workers(config: pytest.Config) -> int:
    """Spread the whole suite over the cores; a few tests are faster in one process."""
    whole = config.args_source is pytest.Config.ArgsSource.TESTPATHS and not config.option.keyword
    if not whole:
        config.option.dist = "no"
    return (os.cpu_count() or 1) if whole else 0


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
