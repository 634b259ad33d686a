"""Measure what a person waits for while writing an experiment: checking it and completing lines.

Run: python tests/performance/bench_checking.py [--repeats 15] [--json]

The experiment is the shipped one with the most values, its parents included. Byte code is warm, in a
folder of the benchmark's own, as it is in an installation. Each command runs on one core, so that its
processor time is what it takes on an idle machine; the wall time beside it holds the wait for other work,
too. The budget is 300 ms of processor time; a command that loads torch fails whatever it takes. `fxkit
schema`, which imports every plugin's spec, is measured beside them and has no budget.
"""

from __future__ import annotations

import argparse
import json
import os
import resource
import statistics
import subprocess
import sys
import tempfile
import time
from typing import NamedTuple

from fxkit.cli.main import COMPLETE_VARIABLE
from fxkit.experiment.composition import compose
from fxkit.experiment.report import Report
from fxkit.experiment.shipped import shipped_experiments

BUDGET_MS = 300.0
PROGRAM = """
import sys
from fxkit.cli.main import main
code = main(sys.argv[1:])
sys.exit(99 if "torch" in sys.modules else code)
"""


class Row(NamedTuple):
    """Hold the medians of a command's times, and the processor time that it may take."""

    command: str
    cpu_ms: float
    cpu_low_ms: float
    cpu_high_ms: float
    wall_ms: float
    budget_ms: float | None


def main() -> int:
    """Print the medians; exit with 1 when one is over its budget."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--repeats", type=int, default=15, help="runs of each command")
    parser.add_argument("--json", action="store_true", help="write JSON")
    options = parser.parse_args()
    name, values = largest()
    with tempfile.TemporaryDirectory() as folder:
        environ = {key: text for key, text in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
        environ["PYTHONPYCACHEPREFIX"] = folder
        rows = [
            measured(f"fxkit check {name}", ["check", name], environ, options.repeats),
            measured("completion: --set nodes.", [], {**environ, **asking(name, "nodes.")}, options.repeats),
            measured("completion: --set train.", [], {**environ, **asking(name, "train.")}, options.repeats),
            measured("fxkit schema", ["schema"], environ, options.repeats, budget=None),
        ]
    if options.json:
        print(json.dumps({"experiment": name, "values": values, "rows": [row._asdict() for row in rows]}))
    else:
        print("\n".join([f"{name}: {values} values with those of its parents", *map(text_of, rows)]))
    return int(any(row.budget_ms is not None and row.cpu_ms > row.budget_ms for row in rows))


def largest() -> tuple[str, int]:
    """Return the shipped experiment with the most values, and how many it has."""
    counts = {}
    for name, path in shipped_experiments().items():
        tree = compose(path, Report())
        counts[name] = len(list(tree.leaves())) if tree else 0
    return max(counts.items(), key=lambda item: item[1])


def asking(name: str, typed: str) -> dict[str, str]:
    """Return the environment by which bash asks what may follow."""
    words = ("fxkit", "check", name, "--set", typed)
    return {"COMP_WORDS": "\n".join(words), "COMP_CWORD": "4", COMPLETE_VARIABLE: "bash_complete"}


def measured(
    title: str, arguments: list[str], environ: dict[str, str], repeats: int, budget: float | None = BUDGET_MS
) -> Row:
    """Run a command once to warm up and then `repeats` times."""
    command = [sys.executable, "-c", PROGRAM, *arguments]
    times = [timed(command, environ) for _ in range(repeats + 1)][1:]
    cpu, wall = ([one[index] for one in times] for index in (0, 1))
    return Row(title, statistics.median(cpu), min(cpu), max(cpu), statistics.median(wall), budget)


def timed(command: list[str], environ: dict[str, str]) -> tuple[float, float]:
    """Return the processor time and the wall time of a command in ms."""
    before, start = resource.getrusage(resource.RUSAGE_CHILDREN), time.perf_counter()
    subprocess.run(command, env=environ, check=True, capture_output=True)
    wall, after = time.perf_counter() - start, resource.getrusage(resource.RUSAGE_CHILDREN)
    cpu = after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime
    return 1000 * cpu, 1000 * wall


def text_of(row: Row) -> str:
    """Write one row for people."""
    spread = f"{row.cpu_low_ms:.0f} to {row.cpu_high_ms:.0f}"
    budget = "no budget" if row.budget_ms is None else f"budget {row.budget_ms:.0f}"
    times = f"median {row.cpu_ms:5.0f} ms CPU  ({spread}; wall {row.wall_ms:.0f})"
    return f"{row.command:28}  {times}  {budget}"


if __name__ == "__main__":
    sys.exit(main())
