"""The `metrics` callback: further metrics, measured when they are worth their time."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import attrs

from fxkit.hooks import hookimpl
from fxkit.spec import opt
from fxkit.trigger import Trigger, Triggers

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fxkit.context import BuildContext
    from fxkit.engine.objective import Term
    from fxkit.engine.session import Evaluation, Run


@attrs.frozen(kw_only=True)
class Metrics(Triggers):
    """Measure further metrics on the validation's recordings, at triggers of their own, and on the test.

    For metrics that cost more than a validation should each time. They read what the validation has played:
    the model does not run again. RUN/metrics/NAME.csv, by the callback's name, has the value of each
    recording; the means go to the journal and to TensorBoard, and each new best is told.
    """

    metrics: Mapping[str, Any] = opt(
        kind="losses", help="the metrics by name: metrics.pitch = { type = ... }; any loss is one, too"
    )
    every: int | None = opt(
        500, unit="steps", ge=0, help="measured at each validation whose step is a multiple"
    )

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong with the options."""
        if not self.metrics:
            yield "metrics", "is empty; name at least one metric"

    def build(self, ctx: BuildContext) -> Meter:
        """Build the callback; raises `AssemblyError` for a metric that the material does not suit."""
        from fxkit_callbacks._measuring import metric_terms

        return Meter(self, metric_terms(self.metrics, ctx), ctx.device)


class Meter:
    """Measure evaluations, and remember the best means."""

    def __init__(self, options: Metrics, terms: tuple[Term, ...], device: str) -> None:
        self.options = options
        self.terms = terms
        self.device = device
        self.trigger = Trigger(options)
        self.best: dict[str, tuple[float, int]] = {}
        self.measured = 0

    @hookimpl
    def fx_run_start(self, run: Run) -> None:
        """Refuse phases and metrics that there are not, and drop rows that this run will write again."""
        self.trigger.check(run)
        self._table(run).keep(lambda row: row["split"] == "val" and int(row["step"]) <= self.measured)

    @hookimpl
    def fx_validate_end(self, run: Run, step: int, evaluation: Evaluation) -> None:
        """Measure when it is due."""
        if self.trigger.due(run, step, evaluation):
            means = self._measure(run, evaluation, f"metrics.{self._name(run)}")
            self.measured = step
            if means:
                run.report(f"step {step}  {self._name(run)}  {self._told(step, means)}")

    @hookimpl
    def fx_run_end(self, run: Run, evaluation: Evaluation) -> None:
        """Measure the test."""
        self._table(run).keep(lambda row: row["split"] != evaluation.split)
        means = self._measure(run, evaluation, f"metrics.{self._name(run)}.test")
        if means:
            figures = "  ".join(f"{name} {value:.4g}" for name, value in means.items())
            run.report(f"test  {self._name(run)}  {figures}")

    def state_dict(self) -> dict[str, Any]:
        """Return the best means with their steps, and when it measured last."""
        best = {name: list(one) for name, one in self.best.items()}
        return {"best": best, "measured": self.measured, "trigger": self.trigger.state_dict()}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.best = {name: (value, step) for name, (value, step) in state["best"].items()}
        self.measured = state["measured"]
        self.trigger.load_state_dict(state["trigger"])

    def _name(self, run: Run) -> str:
        """Return what the experiment calls this callback."""
        parts = run.experiment.callbacks.items()
        return next((name for name, part in parts if part.spec is self.options), "metrics")

    def _table(self, run: Run) -> Any:
        from fxkit_callbacks._metric_table import MetricTable

        path = run.folder.path / "metrics" / f"{self._name(run)}.csv"
        return MetricTable(path, tuple(term.name for term in self.terms))

    def _measure(self, run: Run, evaluation: Evaluation, kind: str) -> dict[str, float]:
        from fxkit_callbacks._measuring import measured

        if not evaluation.examples:
            return {}
        material = run.prepared.materials[evaluation.split]
        rows = measured(self.terms, evaluation.examples, material, self.device)
        self._table(run).add(evaluation.split, evaluation.step, rows)
        means = {term.name: sum(row[term.name] for _, row in rows) / len(rows) for term in self.terms}
        run.publish(kind, evaluation.step, means)
        return means

    def _told(self, step: int, means: Mapping[str, float]) -> str:
        """Remember new bests, and return the means in words."""
        texts = []
        for term in self.terms:
            value, before = means[term.name], self.best.get(term.name)
            sign = -1.0 if term.higher_is_better else 1.0
            better = value == value if before is None else sign * value < sign * before[0]
            if better:
                self.best[term.name] = (value, step)
            note = (
                ""
                if before is None
                else f" (new best; {before[0]:.4g} at step {before[1]})"
                if better
                else (f" (best {before[0]:.4g} at step {before[1]})")
            )
            texts.append(f"{term.name} {value:.4g}{note}")
        return "  ".join(texts)
