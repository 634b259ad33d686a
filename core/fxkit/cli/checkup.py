"""The checks of `fxkit doctor`: each looks at one thing and returns a row."""

from __future__ import annotations

import importlib.metadata
import importlib.util
import json
import os
import pathlib
import platform
import subprocess
import sys
from collections.abc import Iterable, Mapping
from typing import Any, Literal

import attrs

from fxkit.catalog import Catalog

Facts = Mapping[str, Any]

# Blocks below 4 GiB then stay in the heap, which keeps its pages between steps.
_HEAP_LIMIT = 2**32
_HUGE_PAGES = pathlib.Path("/sys/kernel/mm/transparent_hugepage/enabled")


@attrs.frozen(kw_only=True)
class Row:
    """Hold what one check found: a status, what there is, and what to do where that is not right."""

    name: str
    status: Literal["ok", "warn", "fail"]
    detail: str
    fix: str = ""


def probed() -> dict[str, Facts]:
    """Import the heavy dependencies in another process; return each stage's facts, or its "error"."""
    done = subprocess.run([sys.executable, "-m", "fxkit.cli.probe"], capture_output=True, text=True)
    lines = [json.loads(line) for line in done.stdout.splitlines() if line.startswith('{"stage"')]
    found: dict[str, Facts] = {line["stage"]: line for line in lines}
    ended = done.stderr.strip().splitlines()[-1:] or [f"exit code {done.returncode}"]
    lost = {"error": f"the process ended while it was imported: {ended[0]}"}
    return {stage: found.get(stage, lost) for stage in ("soundfile", "torch", "torchaudio")}


def python() -> Row:
    """Check the interpreter against the versions that this fxkit is for."""
    from packaging.specifiers import SpecifierSet

    here = f"{platform.python_version()} at {sys.executable}"
    wanted = importlib.metadata.metadata("fxkit")["Requires-Python"]
    if SpecifierSet(wanted).contains(platform.python_version(), prereleases=True):
        return Row(name="python", status="ok", detail=here)
    fix = f"make a virtual environment with Python {wanted} and install fxkit there"
    return Row(name="python", status="fail", detail=f"{here}; fxkit needs {wanted}", fix=fix)


def torch(facts: Facts) -> Row:
    """Check that torch can be imported."""
    installed = _version("torch")
    if "error" not in facts:
        detail = f"{facts['version']}, imported in {facts['seconds']:.1f} s"
        return Row(name="torch", status="ok", detail=detail)
    what = (
        f"{installed} is installed but cannot be imported: {facts['error']}" if installed else "not installed"
    )
    return Row(name="torch", status="fail", detail=what, fix=f"pip install {_wanted('torch')}")


def torchaudio(facts: Facts) -> Row:
    """Check that torchaudio is of torch's release and can be imported beside it; some plugins need it."""
    ours, theirs = _version("torch"), _version("torchaudio")
    pair = f"pip install {_wanted('torch')} {_wanted('torchaudio')}"
    if not theirs:
        return Row(
            name="torchaudio", status="warn", detail="not installed; plugins that use it fail", fix=pair
        )
    if _release(ours) != _release(theirs):
        detail = f"{theirs} beside torch {ours}: only equal releases load together"
        return Row(name="torchaudio", status="warn", detail=detail, fix=pair)
    if "error" in facts:
        detail = f"{theirs} cannot be imported: {facts['error']}"
        fix = f"install both from one index, so that their CUDA builds agree: {pair}"
        return Row(name="torchaudio", status="warn", detail=detail, fix=fix)
    return Row(name="torchaudio", status="ok", detail=f"{theirs}, of one release with torch")


def devices(facts: Facts) -> Row:
    """List where models can be trained."""
    if "error" in facts:
        return Row(name="devices", status="fail", detail="unknown without torch", fix="mend torch first")
    return Row(name="devices", status="ok", detail=", ".join(facts["devices"]))


def threads(facts: Facts) -> Row:
    """Compare the threads that torch uses with the cores that this process may use."""
    if "error" in facts:
        return Row(name="threads", status="fail", detail="unknown without torch", fix="mend torch first")
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count() or 1
    detail = f"torch uses {facts['threads']} on {cores} cores"
    if facts["threads"] > cores:
        return Row(name="threads", status="warn", detail=detail, fix=f"set OMP_NUM_THREADS={cores}")
    busy = facts.get("load", 0.0)
    if facts["threads"] > 1 and busy > cores / 2:
        # Threads that share a core with other work spin while they wait for each other.
        detail = f"{detail}, of which other work keeps {busy:.1f} busy; steps can then be many times slower"
        return Row(name="threads", status="warn", detail=detail, fix="start fxkit with OMP_NUM_THREADS=1")
    return Row(name="threads", status="ok", detail=detail)


def soundfile(facts: Facts) -> Row:
    """Check that each audio format can be written and read."""
    fix = "pip install --upgrade soundfile (its wheels hold a libsndfile with every format)"
    if "error" in facts:
        detail = f"cannot be imported: {facts['error']}"
        return Row(name="soundfile", status="fail", detail=detail, fix=fix)
    formats: Mapping[str, str] = facts["formats"]
    wrong = [f"{name}: {reason}" for name, reason in formats.items() if reason]
    if wrong:
        status: Literal["warn", "fail"] = "fail" if formats["WAV"] else "warn"
        return Row(name="soundfile", status=status, detail=f"{facts['version']}; {'; '.join(wrong)}", fix=fix)
    detail = f"{facts['version']} reads and writes {', '.join(formats)}"
    return Row(name="soundfile", status="ok", detail=detail)


def bytecode() -> Row:
    """Check that torch's modules are compiled; an import costs more than twice as much where they are not."""
    spec = importlib.util.find_spec("torch")
    if spec is None or spec.origin is None:
        return Row(name="byte code", status="ok", detail="torch is not installed")
    if os.path.exists(importlib.util.cache_from_source(spec.origin)):
        return Row(name="byte code", status="ok", detail="torch is compiled")
    variable = os.environ.get("PYTHONDONTWRITEBYTECODE", "")
    why = (
        f"PYTHONDONTWRITEBYTECODE={variable} keeps Python from it"
        if variable
        else "its folder cannot be written to"
    )
    fix = f"{sys.executable} -m compileall -q {os.path.dirname(spec.origin)}"
    detail = f"torch is not compiled, so each import takes more than twice as long; {why}"
    return Row(name="byte code", status="warn", detail=detail, fix=fix)


def heap() -> Row | None:
    """Check that glibc keeps freed blocks and uses huge pages; None where there is no glibc."""
    library, version = platform.libc_ver()
    if library != "glibc" or "malloc" in os.environ.get("LD_PRELOAD", ""):
        return None
    if "malloc.mmap_threshold" in os.environ.get("GLIBC_TUNABLES", ""):
        return Row(name="heap", status="ok", detail=f"GLIBC_TUNABLES={os.environ['GLIBC_TUNABLES']}")
    detail = (
        "large blocks go back to the kernel at each step; kept, training steps run up to 1.7 times as fast"
    )
    fix = f"start fxkit with {heap_settings(version)}"
    return Row(name="heap", status="warn", detail=detail, fix=fix)


def heap_settings(glibc: str) -> str:
    """Return the environment under which glibc and torch keep large blocks, in huge pages if there are any.

    glibc knows the thresholds as tunables since 2.26, and huge pages for the heap since 2.35.
    """
    huge = _HUGE_PAGES.exists() and "[never]" not in _HUGE_PAGES.read_text()
    names = {"mmap_threshold": _HEAP_LIMIT, "trim_threshold": _HEAP_LIMIT}
    if huge and tuple(map(int, glibc.split(".")[:2])) >= (2, 35):
        names["hugetlb"] = 1
    tunables = ":".join(f"glibc.malloc.{name}={value}" for name, value in names.items())
    return f"GLIBC_TUNABLES={tunables}" + (" THP_MEM_ALLOC_ENABLE=1" if huge else "")


def plugins(catalog: Catalog, rows: Iterable[Mapping[str, Any]]) -> Row:
    """Count the plugins, and name those that cannot be used; `rows` are those of `fxkit plugins --check`."""
    rows = list(rows)
    wrong = [
        f"{row['qualified']} ({row['status']})"
        for row in rows
        if row["status"] in ("broken", "missing", "api")
    ]
    stray = [f'{rule.source} names "{rule.pattern}"' for rule in catalog.registry.unused]
    detail = f"{len(rows) - len(wrong)} can be loaded"
    if wrong:
        detail += f"; {len(wrong)} cannot: {', '.join(wrong)}"
    if stray:
        detail += f"; {', '.join(stray)}, which matches nothing installed"
    if wrong or stray:
        fix = "fxkit plugins --check says why" if wrong else f"correct {catalog.registry.unused[0].source}"
        return Row(name="plugins", status="warn", detail=detail, fix=fix)
    return Row(name="plugins", status="ok", detail=detail)


def _version(dist: str) -> str:
    try:
        return importlib.metadata.version(dist)
    except importlib.metadata.PackageNotFoundError:
        return ""


def _release(version: str) -> list[str]:
    return version.partition("+")[0].split(".")[:2]


def _wanted(dist: str) -> str:
    """Return the requirement that fxkit has of a distribution, quoted for a shell."""
    from packaging.requirements import Requirement

    requirements = map(Requirement, importlib.metadata.requires("fxkit") or ())
    return f'"{next((str(item) for item in requirements if item.name == dist), dist)}"'
