"""Write trained models for use elsewhere."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from fxkit.context import BuildContext
from fxkit.errors import RunError
from fxkit.experiment.lone import read_lone
from fxkit.model.assembly import build_part
from fxkit.protocols import Exporter
from fxkit.trained import load


def export_run(
    run: Path,
    exporter: str,
    *,
    out: Path | None = None,
    settings: Sequence[str] = (),
    allow_local: bool = False,
) -> tuple[Path, ...]:
    """Write the model of a run folder by the plugin `exporter`, and return the files.

    `out` is the folder, exports/NAME by default; `settings` are the exporter's options, "option=value" each.
    Raises `RunError` for a folder that holds something already, and what the exporter cannot write.
    """
    write: Exporter = build_part(read_lone("exporters", exporter, settings), BuildContext())
    folder = out or Path("exports") / run.resolve().name
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise RunError(f"{folder}: exists already; choose another --out")
    trained = load(run, device="cpu", allow_local=allow_local)
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(Path(file) for file in write(trained.model, str(folder)))
