"""What the figures come to, in a sentence that needs no knowledge of them."""

from __future__ import annotations

import math
from collections.abc import Sequence

import attrs

from fxkit.report.contents import Contents, RunContents
from fxkit.report.figures import BASELINES, Difference, differences, limits_of, limits_text, number, plugin_of
from fxkit.report.records import of_kind
from fxkit.scores import Interval

# An error that is so many times as large as another is clearly larger, limits or not.
_CLEARLY = 2.0
# What a model of a device has to beat.
_RIVALS = {"filter": "a linear filter", "gain": "the input at another level"}


@attrs.frozen
class Verdict:
    """Hold a run's verdict: the line to read first, and what it stands on."""

    line: str
    reason: str


def main_metric(run: RunContents) -> str:
    """Return the figure that tells most: the plain ESR, else what the best weights were chosen by."""
    metrics = [name for name in run.scores.metrics if name != "loss"]
    plain = [name for name in metrics if _is_plain_esr(run, name)]
    best = str(run.resolved.get("train", {}).get("best", ""))
    chosen = [*sorted(plain, key=lambda name: plugin_of(run, name)[2]), *(n for n in metrics if n == best)]
    return next(iter([*chosen, *metrics, "loss"]))


def _is_plain_esr(run: RunContents, name: str) -> bool:
    plugin, options, _ = plugin_of(run, name)
    return plugin == "esr" and not options.get("pre_emphasis")


def verdicts(contents: Contents) -> tuple[Verdict, ...]:
    """Return a verdict for each run that has figures."""
    return tuple(_verdict(run) for run in contents.runs if run.scores.metrics)


def _verdict(run: RunContents) -> Verdict:
    name = main_metric(run)
    figure = limits_of(run, name)
    limits = limits_text(figure)
    stands = f"{name} {number(figure.value)}" + (f" (95 % limits {limits})" if limits else "")
    others = {
        baseline: metrics[name]
        for baseline, metrics in run.scores.baselines.items()
        if metrics.get(name) is not None
    }
    higher = name in run.scores.higher
    decibels = _is_plain_esr(run, name) and math.isfinite(figure.value)
    line = _esr_line(figure, others) if decibels else _plain_line(name, figure, others, higher)
    return Verdict(f"{line} {_upside_down(run)}".strip(), f"{stands}; {_listed(others)}")


def _upside_down(run: RunContents) -> str:
    told = of_kind(run.records, "polarity")
    inverted = bool(told) and told[-1].get("inverted") is True
    return "Its output is upside down: it fits the target better with its sign turned." if inverted else ""


def _listed(others: dict[str, float]) -> str:
    order = [name for name in BASELINES if name in others]
    return ", ".join(f"{BASELINES[name]} {number(others[name])}" for name in order) or "no baselines"


def _esr_line(figure: Interval, others: dict[str, float]) -> str:
    said = f"What the model gets wrong is {_level(figure.value)} than the sound itself."
    names = {"filter": "the best linear filter", "input": "the untouched input"}
    levels = [f"{_level(others[key])} with {name}" for key, name in names.items() if key in others]
    compared = f"It would be {' and '.join(levels)}." if levels else ""
    return " ".join(part for part in (said, compared, _esr_conclusion(figure, others)) if part)


def _esr_conclusion(figure: Interval, others: dict[str, float]) -> str:
    worst = figure.value if figure.high is None else figure.high
    if figure.value >= 1:
        return "Silence would score as well: the model has not learnt the sound."
    rivals = [name for name in _RIVALS if name in others]
    if not rivals:
        return ""
    best = min(rivals, key=lambda name: others[name])
    if figure.value >= others[best]:
        return f"So {_RIVALS[best]} does as well: the model has not learnt what makes this device special."
    if worst * _CLEARLY <= others[best]:
        return "So the model has learnt what no linear filter can do."
    return f"So the model is little better than {_RIVALS[best]}."


def _level(esr: float) -> str:
    level = -10 * math.log10(max(esr, 1e-30))
    return f"{level:.1f} dB quieter" if level >= 0 else f"{-level:.1f} dB louder"


def _plain_line(name: str, figure: Interval, others: dict[str, float], higher: bool) -> str:
    finite = {key: value for key, value in others.items() if math.isfinite(value)}
    if not finite:
        return f"The model reaches {name} {number(figure.value)}; {_direction(higher)} is better."
    best = (max if higher else min)(finite, key=lambda key: finite[key])
    ahead = figure.value > finite[best] if higher else figure.value < finite[best]
    beside = f"{BASELINES.get(best, best)} reaches {number(finite[best])}"
    verdict = "better than" if ahead else "no better than"
    return (
        f"The model reaches {name} {number(figure.value)} ({_direction(higher)} is better): {verdict}"
        f" anything that needs no model; {beside}."
    )


def _direction(higher: bool) -> str:
    return "more" if higher else "less"


def comparison_line(contents: Contents, names: Sequence[str]) -> str:
    """Say which run is better in the figure that tells most; empty for one run."""
    metric = main_metric(contents.runs[0])
    told = [one for one in differences(contents, names) if one.metric == metric]
    return " ".join(_difference_line(contents, names, one) for one in told)


def _difference_line(contents: Contents, names: Sequence[str], one: Difference) -> str:
    clear = one.verdict in ("better", "worse")
    said = f"is {one.verdict} than {names[0]}" if clear else f"is not clearly better or worse than {names[0]}"
    limits = f" (95 % limits {one.limits})" if one.limits else ""
    return f"{one.run} {said}{_louder(contents, names, one)}: {one.metric} differs by {one.text}{limits}."


def _louder(contents: Contents, names: Sequence[str], one: Difference) -> str:
    """Tell a difference of the plain ESR in dB of the error."""
    first, other = contents.runs[0], contents.runs[names.index(one.run)]
    values = (first.scores.metrics[one.metric].value, other.scores.metrics[one.metric].value)
    if not _is_plain_esr(first, one.metric) or not all(value > 0 for value in values):
        return ""
    level = 10 * math.log10(values[1] / values[0])
    return f", its error {abs(level):.1f} dB {'louder' if level > 0 else 'quieter'}"
