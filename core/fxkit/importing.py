"""Take over models that other programs trained, as run folders that every command reads."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import attrs
import torch

from fxkit.catalog import Catalog
from fxkit.context import BuildContext
from fxkit.errors import DataError, PluginError
from fxkit.experiment.document import FORMAT
from fxkit.experiment.lone import read_lone
from fxkit.experiment.model import Blueprint
from fxkit.experiment.reader import read_blueprint
from fxkit.experiment.resolved import dump_toml, resolve_model
from fxkit.files import write_text
from fxkit.model.assembly import build_model, build_part, model_context
from fxkit.model.graph import Model
from fxkit.protocols import Importer
from fxkit.runs import checkpoint
from fxkit.runs.folder import RunFolder, create_folder, free_path
from fxkit.runs.lock import surroundings, write_lock
from fxkit.runs.shape import Shape
from fxkit.spec import describe
from fxkit.values import Imported


@attrs.frozen(kw_only=True, eq=False)
class Assembled:
    """Hold an imported model, built, with its weights in place."""

    blueprint: Blueprint
    model: Model
    shape: Shape


def import_file(
    path: Path, *, out: Path | None = None, importer: str | None = None, settings: Sequence[str] = ()
) -> RunFolder:
    """Read a model that another program trained, and write it as a run folder.

    `out` is the folder, runs/NAME-DATE-TIME by default; `importer` the plugin that reads the file, found
    from the file itself by default; `settings` its options, "option=value" each. Raises `DataError` that
    names the file and what in it cannot be read.
    """
    if not path.is_file():
        raise DataError([f"{path}: no such file"])
    catalog = Catalog.installed()
    name = importer or importer_of(path, catalog)
    read: Importer = build_part(read_lone("importers", name, settings, catalog), BuildContext())
    imported = read(path)
    name_of_run = _run_name(path)
    assembled = assemble(imported, path, name_of_run)
    folder = create_folder(free_path(name_of_run, out))
    _write(folder, assembled, {"file": path.name, "importer": name, **imported.about})
    return folder


def importer_of(path: Path, catalog: Catalog) -> str:
    """Return the name of the first installed importer that reads a file; raises `DataError` for none."""
    tried = []
    for name, reader in _readers(catalog):
        if reader.reads(path):
            return name
        tried.append(name)
    known = ", ".join(tried) or "none is installed"
    raise DataError([f"{path}: of no format that an importer reads ({known}); name one with --as"])


def _readers(catalog: Catalog) -> Iterator[tuple[str, Importer]]:
    for entry in catalog.entries:
        if entry.kind != "importers" or entry.status not in ("ok", "ambiguous"):
            continue
        try:
            spec = catalog.spec(entry)
        except PluginError:
            continue
        if not any(option.required for option in describe(spec).options):
            yield entry.qualified, spec().build(BuildContext())


def _run_name(path: Path) -> str:
    """Return a file's name as that of a run, which cannot start with a dot or hold a slash."""
    return re.sub(r"[^\w.-]+", "-", path.stem).strip(".-") or "model"


def assemble(imported: Imported, path: Path, name: str = "model") -> Assembled:
    """Build an imported model and put its weights in; `path` is the file that messages name.

    Raises `ExperimentError` for tables that make no model, `RunError` for weights that do not fit.
    """
    document = {
        "fxkit": FORMAT,
        "run": {"name": name, "sample_rate": imported.sample_rate},
        "model": {"chain": list(imported.chain)},
        "nodes": {node: dict(table) for node, table in imported.nodes.items()},
    }
    blueprint = read_blueprint(document, str(path))
    shape = Shape(channels=1, target_channels=1, knobs=dict(imported.knobs))
    with torch.random.fork_rng():
        model = build_model(blueprint, model_context(blueprint, **shape.facts()))
    for node, weights in imported.weights.items():
        checkpoint.load_weights(model.node(node), dict(weights), path)
    return Assembled(blueprint=blueprint, model=model.eval().requires_grad_(False), shape=shape)


def _write(folder: RunFolder, assembled: Assembled, about: Mapping[str, Any]) -> None:
    resolved = resolve_model(assembled.blueprint)
    lock = surroundings(resolved, assembled.blueprint.model_parts())
    write_text(folder.resolved, dump_toml(resolved))
    write_lock(folder, {**lock, "imported": _told(about)}, assembled.shape, {})
    checkpoint.save(folder.best, {"step": 0, "model": assembled.model.state_dict()})


def _told(value: Any) -> Any:
    """Return plain values without null, which TOML has not."""
    if isinstance(value, Mapping):
        return {str(name): _told(item) for name, item in value.items() if item is not None}
    if isinstance(value, (list, tuple)):
        return [_told(item) for item in value if item is not None]
    return value
