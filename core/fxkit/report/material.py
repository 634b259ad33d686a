"""Gather what a report says of a run: its folder's documents, and what its model is measured to be."""

from __future__ import annotations

import json
from pathlib import Path
from typing import TYPE_CHECKING, Any

import tomli

from fxkit.errors import FxkitError
from fxkit.inspection.response import Response, frequency_response
from fxkit.inspection.static_curve import Curve, static_curve
from fxkit.inspection.subject import Subject, describe_subject
from fxkit.report.contents import RunContents
from fxkit.runs.journal import read_journal

if TYPE_CHECKING:
    from fxkit.engine.evaluation import Evaluation
    from fxkit.experiment.model import Blueprint
    from fxkit.model.graph import Model
    from fxkit.runs.folder import RunFolder
    from fxkit.scores import Scores


def gather(
    *, folder: RunFolder, scores: Scores, evaluation: Evaluation, model: Model, experiment: Blueprint
) -> RunContents:
    """Read a run's folder and measure its model; `evaluation` is of the split that was scored.

    The model is left in the mode it was in. Raises `OSError` or `ValueError` for a damaged folder.
    """
    training = model.training
    model.eval()
    try:
        subject = Subject(source=str(folder.path), stands="as trained", experiment=experiment, model=model)
        card = describe_subject(subject)
        response, curve, unmeasured = _measured(model)
    finally:
        model.train(training)
    return RunContents(
        folder=folder,
        scores=scores,
        evaluation=evaluation,
        card=card,
        response=response,
        curve=curve,
        unmeasured=unmeasured,
        records=tuple(read_journal(folder.journal)),
        resolved=_table(folder.resolved),
        lock=_table(folder.lock),
        results=_object(folder.results),
        resolved_text=_text(folder.resolved),
        lock_text=_text(folder.lock),
    )


def _measured(model: Model) -> tuple[Response | None, Curve | None, str]:
    """Measure what can be measured; the text says why the rest cannot."""
    response = curve = None
    try:
        response = frequency_response(model)
        curve = static_curve(model)
    except FxkitError as error:
        return response, curve, str(error)
    except Exception as error:
        # A plugin may fail on probe signals alone; what the recordings showed is still worth a page.
        return response, curve, f"the model failed on the probe signal: {type(error).__name__}: {error}"
    return response, curve, ""


def _text(path: Path) -> str:
    return path.read_text(encoding="utf-8") if path.is_file() else ""


def _table(path: Path) -> dict[str, Any]:
    return tomli.loads(_text(path))


def _object(path: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_text(path) or "{}")
    return found
