"""Measure the CPU time of `fxkit plugins` over an idle interpreter's, with many installed distributions.

Run: python tests/performance/bench_listing.py [--distributions 500] [--repeats 15] [--json]

Time is user plus system time of the child process. Byte code is warm, in a folder of the benchmark's
own, for both commands alike. The budget is 150 ms at 500 distributions.
"""

from __future__ import annotations

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import tempfile

BUDGET_MS = 150.0
COMMANDS = {
    "python -c pass": ["-c", "pass"],
    "fxkit plugins": ["-m", "fxkit", "plugins"],
    "fxkit --help": ["-m", "fxkit", "--help"],
}


def main() -> int:
    """Print the medians and their difference; exit with 1 when listing is over the budget."""
    options = _options()
    with tempfile.TemporaryDirectory() as folder:
        installed = pathlib.Path(folder, "installed")
        for number in range(options.distributions):
            _distribution(installed, number)
        environ = _environment(folder, installed)
        times = {
            name: [_cpu_ms(args, environ) for _ in range(options.repeats + 1)][1:]
            for name, args in COMMANDS.items()
        }
        rows = _listed(environ)
    medians = {name: statistics.median(values) for name, values in times.items()}
    over = {name: median - medians["python -c pass"] for name, median in medians.items()}
    result = {
        "distributions": options.distributions,
        "rows": rows,
        "cpu_ms": medians,
        "over_idle_ms": over,
        "budget_ms": BUDGET_MS,
    }
    print(json.dumps(result) if options.json else _text(result, times))
    return int(over["fxkit plugins"] > BUDGET_MS)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "--distributions", type=int, default=500, help="fake distributions to add to the path"
    )
    parser.add_argument("--repeats", type=int, default=15, help="runs of each command")
    parser.add_argument("--json", action="store_true", help="write JSON")
    return parser.parse_args()


def _distribution(installed: pathlib.Path, number: int) -> None:
    """Write one dist-info folder; every third declares scripts, every fiftieth an fxkit plugin."""
    folder = installed / f"fake_{number:04d}-1.{number}.dist-info"
    folder.mkdir(parents=True)
    identity = f"Metadata-Version: 2.1\nName: fake-{number:04d}\nVersion: 1.{number}\n"
    requires = "".join(f"Requires-Dist: other-{index}>=1\n" for index in range(20))
    folder.joinpath("METADATA").write_text(f"{identity}{requires}\n{'Words. ' * 500}\n")
    folder.joinpath("RECORD").write_text("".join(f"fake_{number}/module_{i}.py,,\n" for i in range(50)))
    points = f"[console_scripts]\nfake-{number} = fake_{number}:main\n" if number % 3 == 0 else ""
    if number % 50 == 0:
        points += f"\n[fxkit.v1.processors]\nfake-{number} = fake_{number}.spec:Spec\n"
    if points:
        folder.joinpath("entry_points.txt").write_text(points)


def _environment(folder: str, installed: pathlib.Path) -> dict[str, str]:
    environ = {key: value for key, value in os.environ.items() if key != "PYTHONDONTWRITEBYTECODE"}
    return {
        **environ,
        "PYTHONPATH": str(installed),
        "PYTHONPYCACHEPREFIX": str(pathlib.Path(folder, "bytecode")),
    }


def _cpu_ms(args: list[str], environ: dict[str, str]) -> float:
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *args], env=environ, check=True, stdout=subprocess.DEVNULL)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return 1000 * (after.ru_utime - before.ru_utime + after.ru_stime - before.ru_stime)


def _listed(environ: dict[str, str]) -> int:
    command = [sys.executable, "-m", "fxkit", "plugins", "--json"]
    listing = subprocess.run(command, env=environ, check=True, capture_output=True).stdout
    return len(json.loads(listing)["plugins"])


def _text(result: dict[str, object], times: dict[str, list[float]]) -> str:
    lines = [
        f"{result['distributions']} distributions beside the installed ones, {result['rows']} plugins listed"
    ]
    for name, values in times.items():
        over = statistics.median(values) - statistics.median(times["python -c pass"])
        spread = f"{min(values):.1f} to {max(values):.1f}"
        lines.append(
            f"{name:16}  median {statistics.median(values):6.1f} ms CPU  ({spread})  over idle {over:6.1f} ms"
        )
    return "\n".join([*lines, f"budget of `fxkit plugins` over idle: {BUDGET_MS:.0f} ms"])


if __name__ == "__main__":
    sys.exit(main())
