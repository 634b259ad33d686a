"""`fxkit plugins new` writes a distribution that installs and passes its tests untouched."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest
import tomli

from fxkit.errors import PluginError
from fxkit.scaffold.distribution import scaffold


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "name"), [("processor", "soft-clip"), ("loss", "cubed")])
def test_what_is_written_installs_and_passes_untouched(fxkit, kind, name):
    done = fxkit("plugins", "new", kind, name)
    assert (done.returncode, done.stdout) == (0, f"wrote fxkit-{name}\n"), done.stderr
    folder, site = fxkit.folder / f"fxkit-{name}", fxkit.folder / "site"
    pip = ["pip", "install", "-q", "--no-deps", "--no-build-isolation", "--no-index", "--target"]
    subprocess.run([sys.executable, "-m", *pip, site, folder], check=True, timeout=120)
    environment = {**os.environ, "PYTHONPATH": str(site)}
    tests = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests"]
    done = subprocess.run(tests, cwd=folder, env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stdout
    shown = fxkit("plugins", "show", kind, name, PYTHONPATH=str(site))
    assert f"of fxkit-{name} 0.1.0" in shown.stdout


@pytest.mark.parametrize("kind", ["processor", "loss"])
def test_what_is_written_is_lint_clean(tmp_path, kind):
    folder = scaffold(kind, "my-own-2", tmp_path)
    check = ["check", "--select", "E,F,I,B,UP", "--line-length=110"]
    for words in (check, ["format", "--check", "--line-length=110"]):
        command = [sys.executable, "-m", "ruff", words[0], "--isolated", *words[1:], folder]
        done = subprocess.run(command, capture_output=True, text=True)
        assert done.returncode == 0, done.stdout + done.stderr


def test_the_name_is_that_of_the_entry_point_and_of_the_folder(tmp_path):
    folder = scaffold("losses", "my-own-2", tmp_path)
    project = tomli.loads((folder / "pyproject.toml").read_text())["project"]
    assert (folder.name, project["name"]) == ("fxkit-my-own-2", "fxkit-my-own-2")
    assert project["entry-points"] == {"fxkit.v1.losses": {"my-own-2": "fxkit_my_own_2.my_own_2:MyOwn2"}}


@pytest.mark.parametrize("name", ["Soft", "soft_clip", "2soft", "soft--clip", "../soft", ""])
def test_a_name_that_cannot_be_one_is_refused(tmp_path, name):
    with pytest.raises(PluginError, match="cannot be a plugin's name"):
        scaffold("processor", name, tmp_path)
    assert list(tmp_path.iterdir()) == []


def test_a_kind_without_a_pattern_and_a_folder_that_is_there_are_refused(tmp_path):
    with pytest.raises(PluginError, match='no pattern for "dataset"'):
        scaffold("dataset", "mine", tmp_path)
    scaffold("loss", "mine", tmp_path)
    with pytest.raises(PluginError, match="fxkit-mine: is there already"):
        scaffold("loss", "mine", tmp_path)


@pytest.mark.parametrize(
    "words", [["new"], ["new", "loss"], ["new", "loss", "a", "b"], ["new", "loss", "a", "--json"]]
)
def test_the_command_wants_a_kind_and_a_name(fxkit, words):
    done = fxkit("plugins", *words)
    assert (done.returncode, "new takes a kind and a name" in done.stderr) == (2, True)
