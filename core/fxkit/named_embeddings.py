"""Build embeddings that are named on the command line: NAME, NAME=FILE, or NAME={...}."""

from __future__ import annotations

import json
from collections.abc import Sequence

import tomli

from fxkit.context import BuildContext
from fxkit.errors import RunError
from fxkit.experiment.lone import read_lone
from fxkit.experiment.model import Part
from fxkit.model.assembly import build_part
from fxkit.protocols import Embedding


def named_embeddings(texts: Sequence[str], ctx: BuildContext) -> dict[str, Embedding]:
    """Return name -> embedding, for "NAME", "NAME=FILE" with its weights, or "NAME=TABLE" in TOML.

    Raises `ExperimentError` for what cannot be read and `AssemblyError` for weights that are not there.
    """
    return {text.partition("=")[0].strip(): build_part(_part(text), ctx) for text in texts}


def _part(text: str) -> Part:
    name, _, given = (part.strip() for part in text.partition("="))
    if not given.startswith("{"):
        return read_lone("embeddings", name, [f"weights={json.dumps(given)}"] if given else ())
    try:
        table = tomli.loads(f"table = {given}")["table"]
    except tomli.TOMLDecodeError as error:
        raise RunError(f"--embedding {text}: no table in TOML ({error})") from error
    plugin = table.pop("type", name)
    return read_lone("embeddings", plugin, [f"{key}={json.dumps(value)}" for key, value in table.items()])
