"""Listing, showing, checking and helping load no torch, nor anything else that is heavy."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from fxkit.cli.main import COMMANDS

HEAVY = (
    "torch",
    "torchaudio",
    "numpy",
    "scipy",
    "numba",
    "matplotlib",
    "tensorboard",
    "soundfile",
    "auraloss",
)
PROGRAM = """
import json, sys
from fxkit.cli.main import main
code = main(sys.argv[1:])
print(json.dumps({"code": code, "modules": sorted(sys.modules)}), file=sys.stderr)
"""


def modules_of(*arguments: str, folder: Path) -> list[str]:
    done = subprocess.run(
        [sys.executable, "-c", PROGRAM, *arguments],
        cwd=folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    report = json.loads(done.stderr.splitlines()[-1])
    assert report["code"] == 0, done.stderr
    assert done.stdout
    return report["modules"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("--help",),
        ("--version",),
        *((name, "--help") for name in COMMANDS),
        ("plugins",),
        ("plugins", "losses", "--json"),
        ("plugins", "--check", "--no-plugins"),
        ("schema",),
        ("completion", "bash"),
        ("plugins", "show", "processor", "lstm"),
        ("plugins", "show", "controller", "static", "--json"),
        ("plugins", "show", "dataset", "virtual-device"),
        ("plugins", "show", "loss", "multi-resolution-stft"),
    ],
    ids=" ".join,
)
def test_nothing_heavy_is_imported(arguments: tuple[str, ...], tmp_path: Path) -> None:
    assert not set(HEAVY) & set(modules_of(*arguments, folder=tmp_path))


def test_checking_an_experiment_imports_nothing_heavy(small: str, tmp_path: Path) -> None:
    tmp_path.joinpath("small.toml").write_text(small)
    assert not set(HEAVY) & set(modules_of("check", "small.toml", folder=tmp_path))


@pytest.mark.parametrize(
    "words", [("show", "small.toml", "--origins"), ("fill", "small.toml", "--flat"), ("fill", "small.toml")]
)
def test_looking_at_an_experiment_imports_nothing_heavy(
    words: tuple[str, ...], small: str, tmp_path: Path
) -> None:
    tmp_path.joinpath("small.toml").write_text(small)
    assert not set(HEAVY) & set(modules_of("config", *words, folder=tmp_path))


def test_help_imports_no_command_and_no_plugin(tmp_path: Path) -> None:
    modules = modules_of("--help", folder=tmp_path)
    commands = {entry.target.partition(":")[0] for entry in COMMANDS.values()}
    assert not commands & set(modules)
    assert not [name for name in modules if name.startswith("fxkit_")]


def test_listing_imports_no_plugin(tmp_path: Path) -> None:
    modules = modules_of("plugins", folder=tmp_path)
    assert {name.partition(".")[0] for name in modules if name.startswith("fxkit_")} == {"fxkit_registry"}


def test_the_package_exports_what_it_can_resolve() -> None:
    import fxkit

    assert sorted(fxkit.__all__) == sorted(["__version__", *fxkit._HOMES])
    assert all(getattr(fxkit, name) is not None for name in fxkit.__all__)
