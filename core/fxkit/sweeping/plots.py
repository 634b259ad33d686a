"""Draw what came of a sweep."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

from fxkit.files import write_atomically

if TYPE_CHECKING:
    from optuna import Study

# Panels of a picture of pairs become too small to read beyond.
_PAIRS = 5


def draw(study: Study, metric: str, folder: Path) -> Iterator[str]:
    """Write what the trials can show: history, parameters, importance; yields what could not be drawn."""
    import matplotlib.pyplot as plt

    plt.switch_backend("Agg")
    for name, picture in _pictures(study, metric).items():
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                picture()
                _save(folder / f"{name}.png", plt)
        except Exception as error:
            yield f"{name}.png: not drawn ({type(error).__name__}: {error})"
        finally:
            plt.close("all")


def _pictures(study: Study, metric: str) -> dict[str, Callable[[], Any]]:
    from optuna.importance import PedAnovaImportanceEvaluator
    from optuna.trial import TrialState
    from optuna.visualization import matplotlib as drawing

    done = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    varied = sorted(
        {path for one in done for path in one.params if len({t.params.get(path) for t in done}) > 1}
    )
    pictures: dict[str, Callable[[], Any]] = {}
    if done:
        pictures["history"] = lambda: drawing.plot_optimization_history(study, target_name=metric)
    if len(done) > 1 and varied:
        pictures["parameters"] = lambda: drawing.plot_slice(study, params=varied, target_name=metric)
    if len(done) > 1 and len(varied) > 1:
        evaluator = PedAnovaImportanceEvaluator()
        pictures["parallel"] = lambda: drawing.plot_parallel_coordinate(
            study, params=varied, target_name=metric
        )
        pictures["importance"] = lambda: drawing.plot_param_importances(
            study, evaluator=evaluator, params=varied, target_name=metric
        )
        pictures["contour"] = lambda: drawing.plot_contour(study, params=varied[:_PAIRS], target_name=metric)
    return pictures


def _save(path: Path, plt: Any) -> None:
    figure = plt.gcf()
    write_atomically(path, lambda stream: figure.savefig(stream, format="png", dpi=120, bbox_inches="tight"))
