"""Read the options of one plugin that stands in no file: chosen by name, set on the command line."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fxkit.catalog import Catalog
from fxkit.experiment.model import Part
from fxkit.experiment.overrides import override
from fxkit.experiment.plugins import Plugins
from fxkit.experiment.report import Report
from fxkit.experiment.structure import Structure
from fxkit.experiment.tables import NoKeys
from fxkit.experiment.tree import Source, plant
from fxkit.kinds import kind_named


def read_lone(kind: str, name: str, settings: Sequence[str] = (), catalog: Catalog | None = None) -> Part:
    """Return the part that a plugin of `kind` (plural) becomes with `settings`, "option=value" each.

    Raises `ExperimentError` with everything that is wrong with name and settings.
    """
    found = kind_named(kind)
    place = found.singular if found else kind
    report = Report()
    tree = plant({place: {"type": name}}, Source(file=f"{place} {name}", folder=Path.cwd()), {})
    tree = override(tree, [f"{place}.{text}" for text in settings], report)
    table = tree.get(place)
    structure = Structure(report, Plugins(catalog or Catalog.installed(), report))
    part = structure.part(table, kind, NoKeys) if table else None
    report.raise_if_any()
    assert part is not None
    return part
