"""The figures of evaluated runs: values with their intervals, baselines, and differences between runs."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import attrs

from fxkit.files import finite, strict_json

# The weighted total of the losses, among the metrics.
TOTAL = "loss"
# With fewer recordings, limits for others would hold much less often than they say.
FEWEST = 5


@attrs.frozen
class Interval:
    """Hold a figure and the limits between which it lies with 95 % confidence.

    `low` and `high` are None where there is too little material to tell.
    """

    value: float
    low: float | None = None
    high: float | None = None

    @property
    def known(self) -> bool:
        """Tell whether there are limits."""
        return self.low is not None and self.high is not None

    @property
    def sign(self) -> int:
        """Return 1 or -1 where zero lies below or above both limits, else 0."""
        if self.low is None or self.high is None:
            return 0
        return int(self.low > 0) - int(self.high < 0)


@attrs.frozen(kw_only=True)
class Scores:
    """Hold what a run's model reaches on a split.

    `metrics` metric -> mean over the recordings, "loss" being the weighted total; the limits are for other
    recordings of the kind. `stretches` metric -> the same mean, with limits for other stretches of
    time of these same recordings; empty where there are recordings enough. `recordings` name -> metric ->
    value; `digests` name -> SHA-256 of its content, or the name where that is not known. `baselines`
    name -> metric -> mean. Of the metrics in `higher`, more is better. `sets` embedding -> distances
    between the sets of outputs and targets.
    """

    run: str
    split: str
    metrics: Mapping[str, Interval]
    recordings: Mapping[str, Mapping[str, float]]
    baselines: Mapping[str, Mapping[str, float]]
    higher: frozenset[str] = frozenset()
    sets: Mapping[str, Any] = attrs.field(factory=dict)
    stretches: Mapping[str, Interval] = attrs.field(factory=dict)
    digests: Mapping[str, str] = attrs.field(factory=dict)

    @property
    def means(self) -> dict[str, float]:
        """Return metric -> mean over the recordings."""
        return {name: interval.value for name, interval in self.metrics.items()}

    def document(self) -> dict[str, Any]:
        """Return the scores as JSON holds them; a figure that is not finite is None."""
        document = {
            "run": self.run,
            "split": self.split,
            "metrics": self.means,
            "intervals": limits(self.metrics),
            "stretches": limits(self.stretches),
            "recordings": self.recordings,
            "baselines": self.baselines,
            "higher_is_better": sorted(self.higher),
            "sets": self.sets,
            "digests": self.digests,
        }
        plain: dict[str, Any] = finite(document)
        return plain

    def to_json(self) -> str:
        """Write the scores on one line of strict JSON."""
        return strict_json(self.document())


@attrs.frozen(kw_only=True)
class Comparison:
    """Hold several runs on the same recordings.

    `differences` run -> metric -> its mean less that of the first run, paired by recordings (or, where
    `over` is "stretches", stretch of time by stretch of time). `notes` say what could not be compared.
    """

    runs: tuple[Scores, ...]
    differences: Mapping[str, Mapping[str, Interval]]
    over: str = "recordings"
    notes: tuple[str, ...] = ()

    def document(self) -> dict[str, Any]:
        """Return the comparison as JSON holds it; a figure that is not finite is None."""
        differences = {
            run: {name: attrs.asdict(one) for name, one in figures.items()}
            for run, figures in self.differences.items()
        }
        return {
            "runs": [run.document() for run in self.runs],
            "differences": finite(differences),
            "over": self.over,
            "notes": list(self.notes),
        }

    def to_json(self) -> str:
        """Write the comparison on one line of strict JSON."""
        return strict_json(self.document())


def limits(figures: Mapping[str, Interval]) -> dict[str, list[float]]:
    """Return name -> [low, high] of the figures that have limits."""
    return {
        name: [interval.low, interval.high]
        for name, interval in figures.items()
        if interval.low is not None and interval.high is not None
    }
