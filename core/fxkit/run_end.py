"""The end of a run: choose its weights, score them, and leave figures and a report in its folder."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs

from fxkit.engine.evaluation import Evaluation
from fxkit.engine.loop import evaluate_split
from fxkit.engine.session import Run
from fxkit.engine.setup import count_weights
from fxkit.files import finite, strict_json, write_text
from fxkit.report.contents import Contents
from fxkit.report.material import gather
from fxkit.report.report import write_report
from fxkit.runs import checkpoint
from fxkit.runs.progress import figures
from fxkit.scores import Scores
from fxkit.scoring import score


@attrs.frozen(kw_only=True)
class RunResult:
    """Hold what a finished run is worth.

    `test` metric name -> value on the test split; `baselines` name -> the same metrics; `best` the
    step whose weights were kept (None for the last ones); `stopped` the reason for an early end;
    `polarity` how the outputs agree with the targets of the test split, None where nothing entered the
    model. `scores` holds the limits of the figures and those of each recording.
    """

    run: Path
    steps: int
    test: Mapping[str, float]
    baselines: Mapping[str, Mapping[str, float]]
    best: int | None
    stopped: str | None
    seconds: float
    weights: int
    device: str
    polarity: Mapping[str, Any] | None
    scores: Scores

    def to_json(self) -> str:
        """Write the result on one line of strict JSON; a figure that is not finite is null."""
        plain = attrs.asdict(self, filter=attrs.filters.exclude("scores"))
        scored = self.scores.document()
        more = {name: scored[name] for name in ("intervals", "recordings", "higher_is_better")}
        return strict_json(finite({**plain, "run": str(self.run), **more}))


def finish(run: Run, began: float) -> RunResult:
    """Score the weights that the run ends with on its test split, once, and write results and report.

    `began` is when the run did, by `time.monotonic`. A report that cannot be written is a warning.
    """
    best = _use_best(run)
    evaluation = evaluate_split(run, "test")
    if not evaluation.examples:
        run.report("the test split is empty: nothing to score")
    scores = _scored(run, evaluation)
    turned = run.look_at_polarity(evaluation, last=True)
    run.callbacks.hook.fx_run_end(run=run, evaluation=evaluation)
    result = RunResult(
        run=run.folder.path,
        steps=run.step,
        test=evaluation.metrics,
        baselines=scores.baselines,
        best=best,
        stopped=run.stopped,
        seconds=round(time.monotonic() - began, 3),
        weights=count_weights(run.model),
        device=run.prepared.device,
        polarity=None if turned is None else turned.record(),
        scores=scores,
    )
    write_text(run.folder.results, result.to_json() + "\n")
    run.report(f"test  {figures(evaluation.metrics)}")
    _report(run, scores, evaluation)
    return result


def _scored(run: Run, evaluation: Evaluation) -> Scores:
    prepared = run.prepared
    materials = prepared.materials
    return score(
        str(run.folder.path),
        evaluation,
        prepared.terms,
        materials["test"],
        materials["train"],
        prepared.device,
    )


def _report(run: Run, scores: Scores, evaluation: Evaluation) -> None:
    if not evaluation.examples:
        return
    # What was trained is saved; a page about it that cannot be written is no reason to fail.
    try:
        contents = gather(
            folder=run.folder,
            scores=scores,
            evaluation=evaluation,
            model=run.model,
            experiment=run.experiment,
        )
        if run.callbacks.times:
            # The journal gets them when the run is closed, after this page.
            hooks = {"kind": "hooks", "step": run.step, **run.callbacks.times}
            contents = attrs.evolve(contents, records=(*contents.records, hooks))
        write_report(run.folder.report, Contents(runs=(contents,)))
    except Exception as error:
        run.report(f"warning: {run.folder.report}: not written ({type(error).__name__}: {error})")


def _use_best(run: Run) -> int | None:
    if run.experiment.train.keep != "best" or run.best is None:
        return None
    kept = checkpoint.load(run.folder.best, run.prepared.device)
    if kept["step"] != run.best.step:
        # An older state was put back as last.pt: these weights belong to steps that were given up.
        run.report(
            f"{run.folder.best}: of step {kept['step']}, not {run.best.step}; the last weights are used"
        )
        return None
    checkpoint.load_weights(run.model, kept["model"], run.folder.best)
    return run.best.step
