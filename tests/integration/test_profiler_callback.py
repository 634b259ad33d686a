"""What the profiler leaves behind: plain times of the parts, the dearest operations, a readable trace."""

from __future__ import annotations

import gzip
import json

import pytest
import torch

from fxkit.cli.main import main
from fxkit.runs.journal import read_journal

PROFILER = """
[callbacks.profiler]
type = "profiler"
at = [2]
steps = 2
operations = 5
"""


@pytest.fixture
def run(tmp_path, small, capsys):
    """Run the command with a profiler; return its messages and the run folder."""

    def go(extra=PROFILER, steps=12):
        (tmp_path / "p.toml").write_text(small.replace("steps = 12", f"steps = {steps}") + extra)
        assert main(["run", str(tmp_path / "p.toml"), "--out", str(tmp_path / "out")]) == 0
        return capsys.readouterr().err.splitlines(), tmp_path / "out"

    return go


def test_times_operations_and_trace_are_written(run):
    said, folder = run()
    text = (folder / "profile" / "step-000003.txt").read_text().splitlines()
    assert text[0].startswith("steps 3 to 4, timed: ")
    parts = {line.split()[0]: float(line.split()[2].rstrip("%")) for line in text[2 : text.index("")]}
    assert {"data", "forward", "losses", "backward", "optimiser", "hooks", "rest"} <= set(parts)
    assert sum(parts.values()) == pytest.approx(100, abs=0.5)
    assert parts["forward"] > 1
    assert parts["backward"] > 1
    table = text[text.index("") + 1 :]
    assert table[0] == "steps 5 to 6, recorded by torch.profiler on cpu"
    assert len(table) == 2 + 5
    shares = [float(line.split()[-1].rstrip("%")) for line in table[2:]]
    assert shares == sorted(shares, reverse=True)
    assert not [line for line in table if "fxkit: " in line]
    events = json.loads(gzip.decompress((folder / "profile" / "step-000003.json.gz").read_bytes()))[
        "traceEvents"
    ]
    names = [event.get("name") for event in events]
    assert names.count("fxkit: forward") == names.count("fxkit: optimiser") == 2
    assert [line for line in said if line.startswith("profiler: ") and line.endswith("step-000003.txt")]


def test_times_are_figures_and_add_up(run):
    _, folder = run()
    (record,) = [one for one in read_journal(folder / "metrics.jsonl") if one["kind"] == "profile"]
    assert record["step"] == 4
    parts = [value for name, value in record.items() if name.endswith(" ms") and name != "step ms"]
    assert sum(parts) == pytest.approx(record["step ms"], rel=1e-9)


def test_a_measurement_that_the_end_cuts_off_is_told_and_leaves_nothing_running(run):
    said, folder = run(steps=5)
    assert "profiler: the training ended within a measurement, which is dropped" in said
    assert not (folder / "profile").exists()
    assert not torch.autograd._profiler_enabled()


def test_several_steps_are_measured_one_after_the_other(run):
    _, folder = run(PROFILER.replace("at = [2]", "at = [1, 3, 6]"))
    assert sorted(path.name for path in (folder / "profile").glob("*.txt")) == [
        "step-000002.txt", "step-000007.txt",
    ]  # fmt: skip
