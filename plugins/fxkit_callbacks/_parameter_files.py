"""Pictures and data of a run's parameters, written into its folder."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import numpy as np

from fxkit.files import write_atomically, write_text
from fxkit_callbacks._figure import save
from fxkit_callbacks._history import History
from fxkit_callbacks._history_picture import history_picture
from fxkit_callbacks._names import safe_names
from fxkit_callbacks._track_picture import Track, track_picture

if TYPE_CHECKING:
    from fxkit.engine.session import Evaluation, Example, Run
    from fxkit_callbacks._clips import Clip
    from fxkit_callbacks._excerpt import Array

_COLUMNS = ("step", "node", "parameter", "entry", "unit", "least", "median", "greatest")


def write_history(run: Run, history: History) -> None:
    """Write history.csv and draw each node's parameters over the steps."""
    if not history.steps:
        return
    write_text(_folder(run) / "history.csv", "\n".join(_lines(run, history)) + "\n")
    for node, stem in _nodes(run):
        parameters = run.model.plan.nodes[node].parameters
        if parameters:
            title = f"Parameters of {node} at each validation"
            save(history_picture(node, parameters, history, title), _folder(run) / f"{stem}.png")


def write_tracks(run: Run, clip: Clip, evaluation: Evaluation) -> None:
    """Write tracks.npz and draw each node's moving parameters in an excerpt."""
    tracks = {node: _tracks(run, clip.example, node) for node in run.model.plan.nodes}
    excerpt = clip.excerpt
    if excerpt.start == excerpt.stop or not any(tracks.values()):
        return
    arrays: dict[str, Array] = {}
    for node, stem in _nodes(run):
        for name, track in tracks[node].items():
            seconds, values = track.cut(excerpt, points=excerpt.stop)
            arrays |= {f"{node}.{name}": values, f"{node}.{name}.seconds": seconds}
        if tracks[node]:
            title = f"Parameters of {node} in {clip.example.name}, {_when(evaluation)}"
            picture = track_picture(tracks[node], clip.example.target, excerpt, title)
            save(picture, _folder(run) / f"{stem}-tracks.png")
    _write_arrays(_folder(run) / "tracks.npz", arrays)


def _folder(run: Run) -> Path:
    return run.folder.path / "parameters"


def _when(evaluation: Evaluation) -> str:
    return "test" if evaluation.split == "test" else f"validation at step {evaluation.step}"


def _nodes(run: Run) -> list[tuple[str, str]]:
    names = list(run.model.plan.nodes)
    return list(zip(names, safe_names(names), strict=True))


def _lines(run: Run, history: History) -> Iterator[str]:
    yield ",".join(_COLUMNS)
    for node, plan in run.model.plan.nodes.items():
        for parameter in plan.parameters:
            series = history.series(f"{node}.{parameter.name}")
            for step, entries in zip(history.steps, series.tolist(), strict=True):
                for number, values in enumerate(entries, start=1):
                    least, median, greatest = values if len(values) == 3 else ("", *values, "")
                    fields = (step, node, parameter.name, number, parameter.unit, least, median, greatest)
                    yield ",".join(f"{v:.7g}" if isinstance(v, float) else str(v) for v in fields)


def _tracks(run: Run, example: Example, node: str) -> dict[str, Track]:
    found = {}
    for parameter in run.model.plan.nodes[node].parameters:
        values = example.parameters[f"{node}.{parameter.name}"]
        hop = run.experiment.run.hop if parameter.rate in ("frame", "control") else 1
        if values.shape[-1] > 1:
            found[parameter.name] = Track(parameter=parameter, values=values, hop=hop)
    return found


def _write_arrays(path: Path, arrays: Mapping[str, Array]) -> None:
    stream = io.BytesIO()
    # numpy dates what it packs 1980, so that the same values give the same bytes.
    np.savez(stream, **{name: values.astype(np.float32) for name, values in arrays.items()})
    write_atomically(path, lambda target: target.write(stream.getvalue()))
