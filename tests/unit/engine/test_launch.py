"""A worker finds its place in the environment, and its run folder after a restart."""

from __future__ import annotations

import attrs
import pytest

from fxkit.engine.distributed import worker_device
from fxkit.errors import RunError
from fxkit.launch import Launch, launched
from fxkit.runs.folder import create_folder
from fxkit.runs.launches import forget, recalled, remember

ENVIRONMENT = {
    "RANK": "5", "WORLD_SIZE": "8", "LOCAL_RANK": "1", "LOCAL_WORLD_SIZE": "4",
    "MASTER_ADDR": "node1", "MASTER_PORT": "29500",
    "TORCHELASTIC_RUN_ID": "job", "TORCHELASTIC_RESTART_COUNT": "2", "TORCHELASTIC_ERROR_FILE": "/x/e.json",
}  # fmt: skip


def test_without_a_launcher_there_is_no_place():
    assert launched({}) is None
    assert launched({"RANK": "0", "WORLD_SIZE": "2"}) is None


def test_torchrun_gives_the_place():
    place = launched(ENVIRONMENT)
    assert (place.rank, place.size, place.local_rank, place.local_size, place.restarts) == (5, 8, 1, 4, 2)
    assert place.key == "job"
    assert str(place.error_file) == "/x/e.json"
    assert not place.leads
    assert launched({**ENVIRONMENT, "RANK": "0"}).leads


def test_a_launch_without_a_name_is_told_from_others_by_what_started_it():
    first = launched({**ENVIRONMENT, "TORCHELASTIC_RUN_ID": "none"})
    again = launched({**ENVIRONMENT, "TORCHELASTIC_RUN_ID": "none", "TORCHELASTIC_RESTART_COUNT": "3"})
    assert first.key == again.key != "none"


@pytest.fixture
def launch(tmp_path, monkeypatch):
    monkeypatch.setenv("FXKIT_CACHE", str(tmp_path / "cache"))
    return Launch(size=2, key="job")


def test_a_restarted_launch_finds_its_run_folder(launch, tmp_path):
    folder = create_folder(tmp_path / "run")
    folder.resolved.write_text("fxkit = 1\n")
    remember(launch, folder)
    again = attrs.evolve(launch, restarts=1)
    assert recalled(launch) is None
    assert recalled(again) == folder.path
    assert recalled(attrs.evolve(again, key="other")) is None
    forget(launch)
    assert recalled(again) is None


def test_a_run_folder_that_is_gone_is_not_found(launch, tmp_path):
    remember(launch, create_folder(tmp_path / "run"))
    assert recalled(attrs.evolve(launch, restarts=1)) is None


def test_one_gpu_for_several_workers_is_refused():
    with pytest.raises(RunError, match='use "cuda" or "auto"'):
        worker_device(Launch(size=2), "cuda:1")
    assert worker_device(Launch(size=2), "cpu") == "cpu"
    assert worker_device(Launch(), "cuda:1") == "cuda:1"


def test_more_workers_than_gpus_are_refused(monkeypatch):
    monkeypatch.setattr("torch.cuda.device_count", lambda: 1)
    with pytest.raises(RunError, match="2 workers on this node, which has 1 GPUs"):
        worker_device(Launch(size=2, local_rank=1, local_size=2), "cuda")
