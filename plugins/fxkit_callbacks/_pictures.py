"""All pictures of a run's state, drawn into its folder."""

from __future__ import annotations

from typing import TYPE_CHECKING

from fxkit.runs.journal import read_journal
from fxkit_callbacks._comparison_picture import comparison_picture
from fxkit_callbacks._excerpt import Excerpt, loudest
from fxkit_callbacks._figure import save
from fxkit_callbacks._history import History
from fxkit_callbacks._history_picture import history_picture
from fxkit_callbacks._loss_picture import loss_picture
from fxkit_callbacks._names import safe_names
from fxkit_callbacks._track_picture import Track, track_picture

if TYPE_CHECKING:
    from fxkit.engine.session import Evaluation, Example, Run


def draw_all(run: Run, evaluation: Evaluation, history: History, seconds: float) -> None:
    """Draw parameters, losses, and of the first example the tracks and the comparison."""
    _draw_histories(run, history)
    records = read_journal(run.folder.journal)
    if records:
        title = f"Losses of {run.experiment.run.name} up to step {run.step}"
        save(loss_picture(records, title), run.folder.plots / "losses.png")
    for example in evaluation.examples[:1]:
        excerpt = loudest(example, evaluation.sample_rate, seconds)
        if excerpt.start == excerpt.stop:
            continue
        where = f"{example.name}, {_split_name(evaluation)}"
        figures = "  ".join(f"{name} {value:.4g}" for name, value in example.metrics.items())
        picture = comparison_picture(example, excerpt, f"{where}:  {figures}")
        save(picture, run.folder.plots / "comparison.png")
        _draw_tracks(run, example, excerpt, where)


def _split_name(evaluation: Evaluation) -> str:
    return "test" if evaluation.split == "test" else f"validation at step {evaluation.step}"


def _nodes(run: Run) -> list[tuple[str, str]]:
    names = list(run.model.plan.nodes)
    return list(zip(names, safe_names(names), strict=True))


def _draw_histories(run: Run, history: History) -> None:
    for node, stem in _nodes(run):
        parameters = run.model.plan.nodes[node].parameters
        if parameters and history.steps:
            title = f"Parameters of {node} at each validation"
            picture = history_picture(node, parameters, history, title)
            save(picture, run.folder.plots / f"parameters-{stem}.png")


def _draw_tracks(run: Run, example: Example, excerpt: Excerpt, where: str) -> None:
    for node, stem in _nodes(run):
        tracks = _tracks(run, example, node)
        if tracks:
            picture = track_picture(tracks, example.target, excerpt, f"Parameters of {node} in {where}")
            save(picture, run.folder.plots / f"tracks-{stem}.png")


def _tracks(run: Run, example: Example, node: str) -> dict[str, Track]:
    found = {}
    for parameter in run.model.plan.nodes[node].parameters:
        values = example.parameters[f"{node}.{parameter.name}"]
        hop = run.experiment.run.hop if parameter.rate in ("frame", "control") else 1
        if values.shape[-1] > 1:
            found[parameter.name] = Track(parameter=parameter, values=values, hop=hop)
    return found
