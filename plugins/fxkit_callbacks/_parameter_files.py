"""Pictures and data of a run's parameters, written into its folder."""

from __future__ import annotations

import io
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from fxkit.files import write_atomically, write_text
from fxkit.parameter import Parameter
from fxkit_callbacks._course import Array, Course, Wave
from fxkit_callbacks._names import safe_names

if TYPE_CHECKING:
    from fxkit.engine.session import Evaluation, Example, Run
    from fxkit_callbacks._clips import Clip
    from fxkit_callbacks._excerpt import Excerpt
    from fxkit_callbacks._history import History

_COLUMNS = ("step", "node", "parameter", "entry", "unit", "least", "median", "greatest")
_OUTLINE_BINS = 800
_DRAW = "fxkit_callbacks._parameter_pictures:"


def write_history(owner: object, run: Run, history: History) -> None:
    """Write history.csv, and let each node's parameters be drawn over the steps."""
    if not history.steps:
        return
    write_text(_folder(run) / "history.csv", "\n".join(_lines(run, history)) + "\n")
    arrays = history.arrays()
    for node, stem in _nodes(run):
        parameters = run.model.plan.nodes[node].parameters
        if parameters:
            series = {one.name: arrays[f"{node}.{one.name}"] for one in parameters}
            title, path = f"Parameters of {node} at each validation", _folder(run) / f"{stem}.png"
            draw = f"{_DRAW}draw_history"
            run.background.call(owner, draw, path, parameters, history.steps, series, title)


def write_tracks(owner: object, run: Run, clip: Clip, evaluation: Evaluation) -> None:
    """Write tracks.npz, and let each node's moving parameters be drawn in an excerpt."""
    excerpt = clip.excerpt
    courses = {node: _courses(run, clip.example, node, excerpt) for node in run.model.plan.nodes}
    if excerpt.start == excerpt.stop or not any(courses.values()):
        return
    _write_arrays(_folder(run) / "tracks.npz", courses)
    wave = _outline(clip)
    for node, stem in _nodes(run):
        if courses[node]:
            title = f"Parameters of {node} in {clip.example.name}, {_when(evaluation)}"
            thinned = {name: course.thinned() for name, course in courses[node].items()}
            path = _folder(run) / f"{stem}-tracks.png"
            run.background.call(owner, f"{_DRAW}draw_tracks", path, thinned, wave, title)


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
            yield from _rows(node, parameter, history)


def _rows(node: str, parameter: Parameter, history: History) -> Iterator[str]:
    series = history.series(f"{node}.{parameter.name}").tolist()
    for step, entries in zip(history.steps, series, strict=True):
        for number, values in enumerate(entries, start=1):
            least, median, greatest = values if len(values) == 3 else ("", *values, "")
            fields = (step, node, parameter.name, number, parameter.unit, least, median, greatest)
            yield ",".join(f"{v:.7g}" if isinstance(v, float) else str(v) for v in fields)


def _courses(run: Run, example: Example, node: str, excerpt: Excerpt) -> dict[str, Course]:
    found = {}
    for parameter in run.model.plan.nodes[node].parameters:
        values = example.parameters[f"{node}.{parameter.name}"]
        hop = run.experiment.run.hop if parameter.rate in ("frame", "control") else 1
        if values.shape[-1] > 1:
            found[parameter.name] = course_in(parameter, values.numpy(), hop, excerpt)
    return found


def course_in(parameter: Parameter, values: Array, hop: int, excerpt: Excerpt) -> Course:
    """Return how a parameter moves in an excerpt; `values` [size, time] stand every `hop` samples from 0."""
    first = excerpt.start // hop
    last = min((excerpt.stop - 1) // hop + 1, values.shape[-1] - 1)
    seconds = np.arange(first, last + 1) * hop / excerpt.sample_rate
    return Course(parameter=parameter, seconds=seconds, values=values[:, first : last + 1])


def _outline(clip: Clip) -> Wave:
    from fxkit_signal.overview import envelope

    low, high = envelope(clip.excerpt.cut(clip.example.target)[None], _OUTLINE_BINS)
    start, stop = clip.excerpt.seconds
    return Wave(low=low, high=high, start=start, stop=stop)


def _write_arrays(path: Path, courses: Mapping[str, Mapping[str, Course]]) -> None:
    arrays: dict[str, Any] = {}
    for node, named in courses.items():
        for name, course in named.items():
            arrays[f"{node}.{name}"] = course.values.astype(np.float32)
            arrays[f"{node}.{name}.seconds"] = course.seconds
    stream = io.BytesIO()
    # numpy dates what it packs 1980, so that the same values give the same bytes.
    np.savez(stream, **arrays)
    write_atomically(path, lambda target: target.write(stream.getvalue()))
