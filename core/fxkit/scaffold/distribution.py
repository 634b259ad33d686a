"""Write the files of a new distribution that offers one plugin."""

from __future__ import annotations

import re
from pathlib import Path
from string import Template

from fxkit.errors import PluginError
from fxkit.files import write_text
from fxkit.scaffold.loss import LOSS
from fxkit.scaffold.processor import PROCESSOR

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_KINDS = {"processor": PROCESSOR, "processors": PROCESSOR, "loss": LOSS, "losses": LOSS}
_COMMON = {
    "pyproject.toml": """[build-system]
requires = ["hatchling>=1.26"]
build-backend = "hatchling.build"

[project]
name = "$dist"
version = "0.1.0"
description = "$summary, for fxkit."
readme = "README.md"
requires-python = ">=3.10"
dependencies = ["fxkit>=0.1,<2"]

# The name here is the plugin's only name: type = "$name" in an experiment file.
[project.entry-points."fxkit.v1.$kinds"]
$name = "$package.$module:$spec"

[tool.hatch.build.targets.wheel]
packages = ["$package"]
""",
    "README.md": """# $dist

$summary, for [fxkit](https://pypi.org/project/fxkit/).

    pip install -e .                     # again after a change to an entry point
    fxkit plugins show $kind $name
    pytest

`$package/$module.py` says what the plugin is: options, and what it declares. It never imports torch; `build`
imports what does the work. `tests/` holds it against a plain calculation, and against fxkit's contract tests.
""",
    "$package/__init__.py": "",
}


def scaffold(kind: str, name: str, parent: Path) -> Path:
    """Write a distribution with a plugin of `kind` called `name` into a new folder in `parent`; return it.

    Raises `PluginError` for another kind than processor and loss, a name that is not lower-case words
    joined by hyphens, and a folder that is there already.
    """
    files = _KINDS.get(kind)
    if files is None:
        raise PluginError(f'there is no pattern for "{kind}"; there is one for processor and one for loss')
    if not _NAME.fullmatch(name):
        raise PluginError(f'"{name}" cannot be a plugin\'s name; write lower-case words like soft-clip')
    words = _words(name, files["kind"], files["kinds"], files["summary"])
    folder = parent / words["dist"]
    if folder.exists():
        raise PluginError(f"{folder}: is there already; choose another name, or move it away")
    for path, text in {**_COMMON, **files["files"]}.items():
        write_text(folder / Template(path).substitute(words), Template(text).substitute(words))
    return folder


def _words(name: str, kind: str, kinds: str, summary: str) -> dict[str, str]:
    module = name.replace("-", "_")
    return {
        "name": name,
        "kind": kind,
        "kinds": kinds,
        "summary": summary,
        "dist": f"fxkit-{name}",
        "package": f"fxkit_{module}",
        "module": module,
        "spec": "".join(word.capitalize() for word in name.split("-")),
    }
