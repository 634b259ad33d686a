"""`fxkit doctor` as a person and a program see it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fxkit.cli import checkup

NAMES = ["python", "torch", "torchaudio", "devices", "threads", "soundfile", "byte code", "plugins"]


def checks(done: Any) -> dict[str, dict[str, str]]:
    content = json.loads(done.stdout)
    assert content["fxkit"] == 1
    return {row["name"]: row for row in content["checks"]}


def test_every_check_has_a_row_and_a_fix_where_it_is_not_ok(fxkit: Any) -> None:
    done = fxkit("doctor", "--json")
    rows = checks(done)
    assert [name for name in rows if name != "heap"] == NAMES
    assert all(bool(row["fix"]) == (row["status"] != "ok") for row in rows.values())
    assert done.returncode == int(any(row["status"] == "fail" for row in rows.values()))
    for word in ("WAV", "FLAC", "OGG", "MP3", "AIFF"):
        assert word in rows["soundfile"]["detail"]


def test_a_torch_that_cannot_be_imported_fails_with_the_reason(fxkit: Any, tmp_path: Path) -> None:
    fake = tmp_path / "fake"
    fake.mkdir()
    fake.joinpath("torch.py").write_text("raise OSError('libcudart.so.13: cannot open')")
    done = fxkit("doctor", PYTHONPATH=str(fake))
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    (torch,) = [line for line in lines if line.split()[1] == "torch"]
    assert torch.startswith("fail")
    assert "cannot be imported: OSError: libcudart.so.13: cannot open" in torch
    assert "fix: pip install" in lines[lines.index(torch) + 1]
    (python,) = [line for line in lines if line.split()[1] == "python"]
    assert python.startswith("ok"), "the other checks go on"


def test_a_torchaudio_of_another_release_is_a_warning_with_the_pair(monkeypatch: pytest.MonkeyPatch) -> None:
    versions = {"torch": "2.12.0+cpu", "torchaudio": "2.11.0"}
    monkeypatch.setattr(checkup, "_version", lambda dist: versions[dist])
    row = checkup.torchaudio({"error": "OSError: undefined symbol"})
    assert row.status == "warn"
    assert row.detail == "2.11.0 beside torch 2.12.0+cpu: only equal releases load together"
    assert '"torch<' in row.fix
    assert '"torchaudio<' in row.fix


def test_a_library_that_ends_the_process_costs_its_own_stage(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    tmp_path.joinpath("torch.py").write_text("import os, sys; print('aborted', file=sys.stderr); os._exit(9)")
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    facts = checkup.probed()
    assert "formats" in facts["soundfile"]
    assert facts["torch"]["error"] == "the process ended while it was imported: aborted"


def test_a_format_that_cannot_be_written_is_a_warning_and_named() -> None:
    row = checkup.soundfile({"version": "0.12", "formats": {"WAV": "", "MP3": "LibsndfileError: no encoder"}})
    assert (row.status, row.detail) == ("warn", "0.12; MP3: LibsndfileError: no encoder")
    assert checkup.soundfile({"version": "0.12", "formats": {"WAV": "broken"}}).status == "fail"


def test_more_threads_than_cores_are_a_warning() -> None:
    assert checkup.threads({"threads": 10_000}).status == "warn"
    assert checkup.threads({"threads": 1}).status == "ok"


def test_threads_on_a_busy_machine_are_a_warning_with_the_setting_that_helps(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr("os.sched_getaffinity", lambda pid: {0, 1}, raising=False)
    busy = checkup.threads({"threads": 2, "load": 1.5})
    assert busy.status == "warn"
    assert "OMP_NUM_THREADS=1" in busy.fix
    assert checkup.threads({"threads": 2, "load": 0.4}).status == "ok"
    assert checkup.threads({"threads": 1, "load": 1.5}).status == "ok"


def test_a_torch_without_byte_code_is_a_warning_with_the_command(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(sys, "pycache_prefix", str(tmp_path))
    monkeypatch.setenv("PYTHONDONTWRITEBYTECODE", "1")
    row = checkup.bytecode()
    assert row.status == "warn"
    assert "PYTHONDONTWRITEBYTECODE=1" in row.detail
    assert "-m compileall" in row.fix


def test_broken_plugins_and_stray_rules_are_warnings(fxkit: Any) -> None:
    row = checks(fxkit("doctor", "--json", FXKIT_DISABLE="no-such-dist"))["plugins"]
    assert row["status"] == "warn"
    assert 'FXKIT_DISABLE names "no-such-dist"' in row["detail"]


@pytest.mark.skipif(sys.platform != "linux", reason="glibc is Linux's")
def test_the_heap_settings_are_heeded_by_this_c_library() -> None:
    """Blocks that glibc gives to mmap by default come from the heap under the settings."""
    row = checkup.heap()
    if row is None or row.status == "ok":
        pytest.skip("no glibc here, or its settings are in force")
    settings = dict(word.split("=", 1) for word in row.fix.split() if "=" in word)
    assert mapped_blocks({}) == 1
    assert mapped_blocks(settings) == 0


def mapped_blocks(environment: dict[str, str]) -> int:
    """Count the blocks that mmap serves after one of 64 MiB is asked for; -1 where libc cannot say."""
    program = """
import ctypes
libc = ctypes.CDLL(None)
class Info(ctypes.Structure):
    _fields_ = [(name, ctypes.c_size_t) for name in
                "arena ordblks smblks hblks hblkhd usmblks fsmblks uordblks fordblks keepcost".split()]
libc.mallinfo2.restype, libc.malloc.restype, libc.malloc.argtypes = Info, ctypes.c_void_p, [ctypes.c_size_t]
before = libc.mallinfo2().hblks
libc.malloc(64 << 20)
print(libc.mallinfo2().hblks - before)
"""
    done = subprocess.run(
        [sys.executable, "-c", program], env=environment, capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def test_settings_in_force_are_ok(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("GLIBC_TUNABLES", "glibc.malloc.mmap_threshold=4294967296")
    row = checkup.heap()
    assert row is None or row.status == "ok"


def test_huge_pages_are_asked_for_only_where_glibc_and_kernel_have_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    switch = tmp_path / "enabled"
    monkeypatch.setattr(checkup, "_HUGE_PAGES", switch)
    assert "hugetlb" not in checkup.heap_settings("2.36")
    switch.write_text("always [madvise] never\n")
    assert "hugetlb=1 THP_MEM_ALLOC_ENABLE=1" in checkup.heap_settings("2.36")
    assert "hugetlb" not in checkup.heap_settings("2.31")
    switch.write_text("always madvise [never]\n")
    assert "THP" not in checkup.heap_settings("2.36")
