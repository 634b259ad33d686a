"""Know how much memory there is, measure what a step takes, and recognise its lack."""

from __future__ import annotations

import os
import resource
import sys
from collections.abc import Callable
from pathlib import Path

import torch

_CPU_MESSAGES = ("can't allocate memory", "not enough memory", "cannot allocate memory", "out of memory")
_LIMITS = ("/sys/fs/cgroup/memory.max", "/sys/fs/cgroup/memory/memory.limit_in_bytes")
_USED = ("/sys/fs/cgroup/memory.current", "/sys/fs/cgroup/memory/memory.usage_in_bytes")
_RECLAIMABLE = ("/sys/fs/cgroup/memory.stat", "/sys/fs/cgroup/memory/memory.stat")


def is_lack(error: BaseException) -> bool:
    """Tell whether an error says that memory ran out, on whatever device."""
    if isinstance(error, (torch.OutOfMemoryError, MemoryError)):
        return True
    text = str(error).lower()
    return isinstance(error, RuntimeError) and any(message in text for message in _CPU_MESSAGES)


def free_memory(device: str = "cpu") -> int:
    """Return the bytes that can still be allocated on a device; on the CPU without swapping."""
    kind = torch.device(device)
    if kind.type == "cuda":
        free, _ = torch.cuda.mem_get_info(kind)
        held = torch.cuda.memory_reserved(kind) - torch.cuda.memory_allocated(kind)
        return int(free + held)
    return min(_machine_free(), _group_free())


def _machine_free() -> int:
    """Return what the system calls available: free, or holding files that can be read again."""
    try:
        lines = Path("/proc/meminfo").read_text().splitlines()
    except OSError:
        return int(os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE") // 2)
    values = dict(line.split(":", 1) for line in lines)
    return int(values["MemAvailable"].split()[0]) * 1024


def _group_free() -> int:
    """Return what is left below the limit of the control group (a container's, a batch system's)."""
    for limit, used, stat in zip(_LIMITS, _USED, _RECLAIMABLE, strict=True):
        try:
            allowed, taken = Path(limit).read_text().strip(), int(Path(used).read_text())
            files = dict(line.split() for line in Path(stat).read_text().splitlines())
        except (OSError, ValueError):
            continue
        if allowed != "max":
            return int(allowed) - taken + int(files.get("inactive_file", 0))
    return sys.maxsize


class Meter:
    """Measure by how many bytes the peak of some work lies above what was in use at the beginning.

    On the CPU it is the growth of resident memory.
    """

    def __init__(self, device: str = "cpu") -> None:
        self._device = torch.device(device)
        self._before = self._in_use()

    def _in_use(self) -> int:
        if self._device.type == "cuda":
            return int(torch.cuda.memory_allocated(self._device))
        return _resident(reset=True)

    def peak(self, work: Callable[[], object]) -> int:
        """Run `work` and return its peak."""
        if self._device.type == "cuda":
            torch.cuda.reset_peak_memory_stats(self._device)
            work()
            torch.cuda.synchronize(self._device)
            return int(torch.cuda.max_memory_allocated(self._device) - self._before)
        _resident(reset=True)
        work()
        return max(0, _resident() - self._before)


def _resident(reset: bool = False) -> int:
    """Return the peak of resident memory; `reset` lets it begin anew at what is in use."""
    try:
        if reset:
            Path("/proc/self/clear_refs").write_text("5")
        lines = Path("/proc/self/status").read_text().splitlines()
        return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024
    except (OSError, StopIteration):
        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak if sys.platform == "darwin" else peak * 1024


def in_words(size: float) -> str:
    """Write a number of bytes for people."""
    for unit in ("B", "kB", "MB"):
        if size < 1000:
            return f"{size:.3g} {unit}"
        size /= 1000
    return f"{size:.3g} GB"
