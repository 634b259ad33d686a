from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
import tomli

SOURCES = Path(__file__).parents[1] / "unit" / "migration" / "sources"
CHAIN = ("nablafx-data.yaml", "nablafx-chain.yaml", "nablafx-trainer.yaml")
OLD = """# mine
fxkit = 1

[data]
type = "virtual-device"

[nodes.amp]
type = "lstm"   # small
conditions = 0

[model]
chain = ["amp"]

[losses.error]
type = "esr"

[train]
optimizer = { type = "adam" }

[callbacks.plots]
type = "parameter-plots"
"""


@pytest.fixture
def sources(fxkit):
    for path in SOURCES.iterdir():
        shutil.copy(path, fxkit.folder)
    return fxkit


def test_a_chain_of_nablafx_becomes_one_file_that_checks(sources):
    done = sources("migrate", *CHAIN, "--out", "pedal.toml")
    assert done.returncode == 0, done.stderr
    assert "pedal.toml: written from nablafx: " in done.stdout
    assert "no counterpart" not in done.stdout
    assert sources("check", "pedal.toml").returncode == 0


def test_what_has_no_counterpart_is_listed_with_its_line_and_the_code_is_1(sources):
    done = sources("migrate", "stable-model.json", "stable-data.json", "stable.ini")
    assert done.returncode == 1
    assert "stable-model.json:7" in done.stdout
    assert 'model.encoder.type = "oobleck"' in done.stdout
    assert "to mend before it runs" in done.stdout
    text = (sources.folder / "little-vae.toml").read_text()
    assert "# [nodes]\n# No counterpart: stable-model.json:2 model_type" in text


def test_json_has_every_key_in_one_of_three_states(sources):
    done = sources("migrate", "nam-data.json", "nam-wavenet.json", "nam-learning.json", "--check", "--json")
    assert done.returncode == 1
    told = json.loads(done.stdout)
    assert told["from"] == "nam"
    assert told["file"] is None
    assert {key["state"] for key in told["keys"]} == {"mapped", "missing", "unneeded"}
    assert len({(key["file"], key["key"]) for key in told["keys"]}) == len(told["keys"])
    assert tomli.loads(told["text"])["nodes"]["amp"]["type"] == "wavenet"
    assert not list(sources.folder.glob("*.toml"))


def test_epochs_are_turned_into_steps(sources):
    files = ("nam-data.json", "nam-wavenet.json", "nam-learning.json")
    done = sources("migrate", *files, "--steps-per-epoch", 9, "--out", "amp.toml")
    assert done.returncode == 1
    assert tomli.loads((sources.folder / "amp.toml").read_text())["train"]["steps"] == 270


def test_nothing_is_written_over(sources):
    (sources.folder / "pedal.toml").write_text("mine")
    done = sources("migrate", *CHAIN, "--out", "pedal.toml")
    assert done.returncode == 4
    assert done.stderr.strip() == "pedal.toml: exists; name another file by --out"
    assert (sources.folder / "pedal.toml").read_text() == "mine"
    done = sources("migrate", "nam-lstm.json", "--out", "nam-lstm.json")
    assert "is one of the sources" in done.stderr


def test_an_old_file_is_an_error_until_it_is_rewritten_in_place(fxkit):
    path = fxkit.write("old.toml", OLD)
    done = fxkit("check", path.name)
    assert done.returncode == 2
    assert "old.toml:9:1" in done.stderr
    assert "old.toml:21:8" in done.stderr
    assert done.stderr.count("`fxkit migrate FILE` rewrites it") == 2
    assert fxkit("migrate", path.name, "--check").returncode == 1
    assert path.read_text() == OLD
    done = fxkit("migrate", path.name)
    assert done.returncode == 0, done.stderr
    assert "old.toml:9  nodes.amp: conditions = 0 is now nothing" in done.stdout
    assert "old.toml: written, as it was: old.toml.bak" in done.stdout
    assert fxkit("check", path.name).returncode == 0
    assert (fxkit.folder / "old.toml.bak").read_text() == OLD
    assert 'type = "lstm"   # small' in path.read_text()
    again = fxkit("migrate", path.name, "--check", "--json")
    assert again.returncode == 0
    assert json.loads(again.stdout)["files"] == [{"file": "old.toml", "changes": [], "copy": None}]


def test_a_second_copy_does_not_replace_the_first(fxkit):
    path = fxkit.write("old.toml", OLD)
    fxkit.write("old.toml.bak", "first")
    assert fxkit("migrate", path.name).returncode == 0
    assert (fxkit.folder / "old.toml.bak").read_text() == "first"
    assert (fxkit.folder / "old.toml.bak-2").read_text() == OLD


def test_an_old_file_can_be_written_elsewhere(fxkit):
    path = fxkit.write("old.toml", OLD)
    assert fxkit("migrate", path.name, "--out", "new.toml").returncode == 0
    assert path.read_text() == OLD
    assert fxkit("check", "new.toml").returncode == 0


def test_a_newer_file_is_refused_in_one_line(fxkit):
    fxkit.write("new.toml", "fxkit = 9\n[odd]\na = 1\n")
    done = fxkit("migrate", "new.toml")
    assert done.returncode == 2
    assert done.stderr == (
        "new.toml:1:9  fxkit: format 9 is newer than 1, the newest that this fxkit reads;"
        " pip install -U fxkit\n"
    )


def test_what_is_of_no_program_is_refused(fxkit):
    fxkit.write("a.json", '{"a": 1}')
    done = fxkit("migrate", "a.json")
    assert done.returncode == 2
    assert done.stderr.startswith("a.json  not a file of nam, stable-audio-tools, nablafx")
    assert fxkit("migrate").returncode == 2


def test_migrating_imports_nothing_heavy(sources):
    program = (
        "import sys; from fxkit.cli.main import main; code = main(sys.argv[1:]);"
        " print(code, [name for name in ('torch', 'numpy', 'scipy', 'soundfile') if name in sys.modules])"
    )
    done = subprocess.run(
        [sys.executable, "-c", program, "migrate", *CHAIN],
        cwd=sources.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    assert done.stdout.splitlines()[-1] == "0 []"
