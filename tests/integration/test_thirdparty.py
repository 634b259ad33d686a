"""Distributions of others, built as wheels, installed by pip and used by name through the real command."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import sysconfig
import venv
from collections.abc import Callable
from pathlib import Path

import jsonschema
import pytest
import tomli

pytestmark = pytest.mark.slow

SOURCES = Path(__file__).parents[1] / "thirdparty"
DISTRIBUTIONS = ("fxkit-bitcrush", "fxkit-exits", "fxkit-dangling")
Run = Callable[..., "subprocess.CompletedProcess[str]"]

EXPERIMENT = """
fxkit = 1

[run]
name = "crushed"
seed = 5
sample_rate = 16000

[data]
type = "virtual-device"
segment = 1024
train_seconds = 1.0
val_seconds = 0.5
test_seconds = 0.5

[nodes.drive]
type = "gain"
controller = { type = "static" }

[nodes.crush]
type = "bitcrush"
hold = 2
controller = { type = "static" }

[model]
chain = ["drive", "crush"]

[losses.slope]
type = "slope-l1"

[losses.huber]
type = "fxkit-bitcrush/huber"
delta = 0.5
weight = 2.0

[train]
steps = 4
batch_size = 2
optimizer = { type = "adam", lr = 0.01 }
"""


@pytest.fixture(scope="module")
def python(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """An interpreter of its own, which sees the installed fxkit and the distributions of others."""
    folder = tmp_path_factory.mktemp("thirdparty")
    venv.create(folder / "venv", with_pip=False, symlinks=os.name != "nt")
    python = folder / "venv" / ("Scripts" if os.name == "nt" else "bin") / "python"
    see_this_environment(python)
    for name in DISTRIBUTIONS:
        pip_install(python, wheel_of(SOURCES / name, folder))
    return python


def see_this_environment(python: Path) -> None:
    """Let `python` see what is installed here; addsitedir follows an editable install's own .pth."""
    query = "import sysconfig; print(sysconfig.get_path('purelib'))"
    site = subprocess.run([python, "-c", query], capture_output=True, text=True, check=True).stdout.strip()
    here = dict.fromkeys(sysconfig.get_path(name) for name in ("purelib", "platlib"))
    lines = [f"import site; site.addsitedir({path!r})" for path in here]
    Path(site, "this-environment.pth").write_text("\n".join(lines) + "\n")


def wheel_of(source: Path, folder: Path) -> Path:
    copy = shutil.copytree(source, folder / source.name, ignore=shutil.ignore_patterns("__pycache__"))
    command = [
        sys.executable,
        "-m",
        "build",
        "--no-isolation",
        "--wheel",
        "--outdir",
        str(folder / "wheels"),
        str(copy),
    ]
    subprocess.run(command, check=True, capture_output=True, text=True)
    (wheel,) = folder.joinpath("wheels").glob(f"{source.name.replace('-', '_')}-*.whl")
    return wheel


def pip_install(python: Path, wheel: Path) -> None:
    options = ["--no-deps", "--no-index", "--disable-pip-version-check", "--ignore-installed"]
    command = [sys.executable, "-m", "pip", "--python", str(python), "install", *options, str(wheel)]
    subprocess.run(command, check=True, capture_output=True, text=True)


@pytest.fixture
def fxkit(python: Path, tmp_path: Path) -> Run:
    """The command in that interpreter, in an empty folder."""

    def run(*arguments: object, **environment: str) -> subprocess.CompletedProcess[str]:
        env = {**os.environ, "COLUMNS": "200", "FXKIT_CACHE": str(tmp_path / "cache"), **environment}
        command = [str(python), "-m", "fxkit", *map(str, arguments)]
        return subprocess.run(command, cwd=tmp_path, env=env, capture_output=True, text=True, timeout=300)

    return run


def rows(listing: subprocess.CompletedProcess[str]) -> dict[str, tuple[str, str]]:
    content = json.loads(listing.stdout)["plugins"]
    return {row["qualified"]: (row["status"], row["reason"]) for row in content}


def test_installed_plugins_of_others_are_listed_broken_ones_too(fxkit: Run) -> None:
    listing = fxkit("plugins", "--json")
    assert listing.returncode == 0, listing.stderr
    found = rows(listing)
    assert found["fxkit-bitcrush/bitcrush"] == ("ok", "")
    assert found["fxkit-bitcrush/slope-l1"] == ("ok", "")
    assert found["fxkit-exits/exits"] == ("ok", "")
    assert found["fxkit-dangling/dangling"] == ("missing", "module missing")
    assert found["fxkit/lstm"] == ("ok", ""), "an environment in an environment is no clash"


def test_check_says_why_one_cannot_be_used(fxkit: Run) -> None:
    listing = fxkit("plugins", "processors", "--check", "--json")
    assert listing.returncode == 0, listing.stderr
    found = rows(listing)
    assert found["fxkit-bitcrush/bitcrush"] == ("ok", "")
    status, reason = found["fxkit-exits/exits"]
    assert status == "broken"
    assert reason.startswith("SystemExit: this module is a script (fxkit_exits.py:5). Update fxkit-exits")


@pytest.mark.parametrize(
    ("kind", "name", "words"),
    [
        ("processor", "bitcrush", ("hold", "[1, 1024]", "bits", "1 to 16", "straight through  true")),
        ("loss", "slope-l1", ("order", "[1, 4]", "[losses.slope_l1]")),
        ("loss", "huber", ("delta", "torch.nn:HuberLoss", "[losses.huber]")),
    ],
)
def test_show_describes_them_like_any_other(fxkit: Run, kind: str, name: str, words: tuple[str, ...]) -> None:
    shown = fxkit("plugins", "show", kind, name)
    assert shown.returncode == 0, shown.stderr
    for word in words:
        assert word in shown.stdout


def test_an_experiment_trains_with_them_beside_broken_ones(fxkit: Run, tmp_path: Path) -> None:
    tmp_path.joinpath("crushed.toml").write_text(EXPERIMENT)
    assert fxkit("check", "crushed.toml").returncode == 0
    run = fxkit("run", "crushed.toml", "--out", "run", "--json")
    assert run.returncode == 0, run.stderr
    result = json.loads(run.stdout.splitlines()[-1])
    assert {"slope", "huber"} <= result["test"].keys()
    lock = (tmp_path / result["run"] / "lock.toml").read_text()
    assert "fxkit-bitcrush" in lock
    assert "fxkit-exits" not in lock, "only what the file names takes part"


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            '"bitcrush"',
            '"exits"',
            ("nodes.crush", "fxkit-exits 0.2.0", "SystemExit: this module is a script"),
        ),
        ('"slope-l1"', '"dangling"', ("losses.slope.type", "fxkit-dangling 0.3.0", "module missing")),
        ('"bitcrush"', '"bitcrash"', ("nodes.crush.type", '"bitcrush"', "fxkit-bitcrush 0.1.0")),
    ],
)
def test_naming_a_broken_one_is_an_error_of_that_experiment(
    fxkit: Run, tmp_path: Path, old: str, new: str, words: tuple[str, ...]
) -> None:
    tmp_path.joinpath("crushed.toml").write_text(EXPERIMENT.replace(old, new))
    checked = fxkit("check", "crushed.toml")
    assert checked.returncode == 2
    assert "Traceback" not in checked.stderr
    for word in ("crushed.toml:", *words):
        assert word in checked.stderr


def test_a_disabled_one_says_so_where_it_is_named(fxkit: Run, tmp_path: Path) -> None:
    tmp_path.joinpath("crushed.toml").write_text(EXPERIMENT)
    checked = fxkit("check", "crushed.toml", FXKIT_DISABLE="fxkit-bitcrush")
    assert checked.returncode == 2
    assert checked.stderr.count("is disabled by FXKIT_DISABLE") == 3


def test_installing_them_adds_their_branches_to_the_schema(fxkit: Run) -> None:
    whole, own = fxkit("schema"), fxkit("schema", FXKIT_DISABLE="fxkit-bitcrush")
    assert whole.returncode == 0, whole.stderr
    assert "left out: processors fxkit-exits/exits:" in whole.stderr
    with_them, without = (jsonschema.Draft7Validator(json.loads(one.stdout)) for one in (whole, own))
    document = tomli.loads(EXPERIMENT)
    assert list(with_them.iter_errors(document)) == []
    assert {error.absolute_path[1] for error in without.iter_errors(document)} == {"crush", "slope", "huber"}
    document["nodes"]["crush"].update(type="fxkit-bitcrush/bitcrush", hold=0)
    (wrong,) = with_them.iter_errors(document)
    assert list(wrong.absolute_path) == ["nodes", "crush"]


def test_they_keep_the_contract_by_their_own_tests(python: Path) -> None:
    tests = python.parents[2] / "fxkit-bitcrush" / "tests"
    command = [
        str(python),
        "-m",
        "pytest",
        "-q",
        "-p",
        "no:cacheprovider",
        "--rootdir",
        str(tests),
        str(tests),
    ]
    done = subprocess.run(command, cwd=tests, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
