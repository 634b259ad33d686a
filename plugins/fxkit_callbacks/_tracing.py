"""Time steps plainly and by torch.profiler, and write what was found for people and for trace viewers."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import attrs
from torch.profiler import ProfilerActivity, profile

from fxkit.engine.laps import MARK
from fxkit.files import write_atomically, write_text

if TYPE_CHECKING:
    from fxkit.engine.session import Run

_LONGEST_NAME = 60


@attrs.frozen
class Timed:
    """Hold where the time of `steps` steps up to step `last` went: part -> seconds."""

    last: int
    steps: int
    seconds: Mapping[str, float]

    @property
    def milliseconds(self) -> float:
        """Return the time of one step."""
        return 1000 * sum(self.seconds.values()) / self.steps

    def figures(self) -> dict[str, float]:
        """Return the milliseconds per step, of all and of each part."""
        parts = {f"{part} ms": 1000 * seconds / self.steps for part, seconds in self.seconds.items()}
        return {"step ms": self.milliseconds, **parts}

    def lines(self) -> Iterator[str]:
        """Yield a table of the parts, dearest first."""
        yield f"steps {self.last - self.steps + 1} to {self.last}, timed: {self.milliseconds:.3f} ms per step"
        yield f"{'part':<12}{'ms per step':>14}{'share':>10}"
        whole = sum(self.seconds.values()) or 1.0
        for part, seconds in sorted(self.seconds.items(), key=lambda item: -item[1]):
            yield f"{part:<12}{1000 * seconds / self.steps:>14.3f}{seconds / whole:>10.1%}"


class Tracing:
    """Record operations by torch.profiler from now on."""

    def __init__(self, device: str) -> None:
        self._cuda = device.startswith("cuda")
        activities = [ProfilerActivity.CPU, *([ProfilerActivity.CUDA] if self._cuda else [])]
        self._profile: Any = profile(activities=activities, acc_events=True)
        self._profile.start()

    def stop(self) -> None:
        """End the recording."""
        self._profile.stop()

    def lines(self, steps: int, count: int) -> Iterator[str]:
        """Yield a table of the operations that took the most time themselves, less what they call."""
        rows = [row for row in self._profile.key_averages() if not row.key.startswith(MARK)]
        costs = sorted(((self._own(row), row) for row in rows), key=lambda pair: -pair[0])
        whole = sum(cost for cost, _ in costs) or 1.0
        yield f"{'operation':<{_LONGEST_NAME}}{'calls per step':>16}{'own ms per step':>18}{'share':>9}"
        for cost, row in costs[:count]:
            calls, own = row.count / steps, cost / 1000 / steps
            yield f"{row.key[:_LONGEST_NAME]:<{_LONGEST_NAME}}{calls:>16.1f}{own:>18.3f}{cost / whole:>9.1%}"

    def _own(self, row: Any) -> float:
        return float(row.self_device_time_total if self._cuda else row.self_cpu_time_total)

    def trace(self) -> bytes:
        """Return the trace, compressed JSON."""
        with tempfile.TemporaryDirectory() as folder:
            path = Path(folder) / "trace.json.gz"
            self._profile.export_chrome_trace(str(path))
            return path.read_bytes()


def write(run: Run, step: int, timed: Timed | None, tracing: Tracing, count: int) -> None:
    """Write RUN/profile/step-NNNNNN.txt and .json.gz, named after the first step that was timed."""
    steps = timed.steps if timed else 1
    name = f"step-{step - 2 * steps + 1:06d}"
    lines = [*(timed.lines() if timed else ()), ""]
    lines += [f"steps {step - steps + 1} to {step}, recorded by torch.profiler on {run.prepared.device}"]
    table: Sequence[str] = [*lines, *tracing.lines(steps, count)]
    content = tracing.trace()
    write_atomically(run.folder.profile / f"{name}.json.gz", lambda stream: stream.write(content))
    write_text(run.folder.profile / f"{name}.txt", "\n".join(table) + "\n")
    run.report(
        f"profiler: {timed.milliseconds if timed else 0:.3f} ms per step; see {run.folder.profile / name}.txt"
    )
