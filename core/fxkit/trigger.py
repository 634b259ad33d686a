"""When a callback acts: at multiples of a step, at given steps, in given phases, at a new best."""

from __future__ import annotations

import difflib
import math
from collections.abc import Iterable, Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import attrs

from fxkit.errors import RunError
from fxkit.spec import opt

if TYPE_CHECKING:
    from fxkit.engine.session import Evaluation, Run


@attrs.frozen(kw_only=True)
class Triggers:
    """Declare when a callback acts; be the base of the specs of callbacks that act now and then.

    A callback acts when `every`, `at` or `improves` says so, in the phases that `phases` names. Without
    `every`, `at` and `improves` it acts each time that it could. A spec may declare `every` again with a
    default of its own; `every = 0` then leaves it to the others. `on_steps` says that it acts on training
    steps, which need not be validations.
    """

    on_steps: ClassVar[bool] = False

    every: int | None = opt(
        None,
        unit="steps",
        ge=0,
        help="act at steps that are multiples of this; 0: only where `at` or `improves` says so",
    )
    at: tuple[int, ...] = opt((), unit="steps", ge=1, help="act at these steps, too")
    phases: tuple[str, ...] = opt(
        (), refers="phase", help="act in these [[phase]]s only, by name; in all when empty"
    )
    improves: str | None = opt(
        None,
        refers="metric",
        help='act at each new best validation of this loss or metric, too; "loss" is the total',
    )

    def missed(self, validate_every: int, steps: int | None) -> Iterator[tuple[str, str]]:
        """Yield (option, what is wrong with it) for when this seldom or never acts.

        `steps` is how long the training is at most, None where time alone limits it. Needs no torch.
        """
        grid = 1 if self.on_steps else validate_every
        every = self.every if self.every is not None else grid
        together = math.lcm(every, grid)
        if every and steps is not None and together > steps and steps % every:
            yield "every", f"{every} falls on no {_moments(grid)} within the {steps} steps of this training"
        elif every and together != max(every, grid) and every != steps:
            yield (
                "every",
                f"{every} and train.validate_every = {grid} meet at multiples of {together} only;"
                f" make it a multiple of {grid}",
            )
        late = [step for step in self.at if steps is not None and step > steps]
        if late:
            yield "at", f"{_listed(late)} is behind the end of this training of {steps} steps"
        odd = [step for step in self.at if step % grid and step not in (*late, steps)]
        if odd:
            yield "at", f"{_listed(odd)} is no multiple of train.validate_every = {grid}: no validation there"


def _moments(grid: int) -> str:
    return "step" if grid == 1 else f"multiple of train.validate_every = {grid}"


def _listed(steps: Iterable[int]) -> str:
    return ", ".join(map(str, steps))


class Trigger:
    """Decide when a callback acts, by its options.

    Most callbacks act on validations. One that acts on steps says so by `on_steps`, here or in its spec: then
    `every` and `at` need not fall on validations, and a new best counts at the end of its step. Its state
    belongs to the callback's own: `state_dict` and `load_state_dict` keep the best value so far across a
    resume.
    """

    def __init__(self, options: Triggers, *, on_steps: bool = False) -> None:
        self.options = options
        self.on_steps = on_steps or options.on_steps
        self.best: float | None = None
        self._improved_at = 0
        self._higher = False

    def check(self, run: Run) -> None:
        """Call this in `fx_run_start`: refuse names that do not exist.

        Raises `RunError` for a phase or a metric that the run does not have.
        """
        path, options = path_of(run, self.options), self.options
        phases = [] if not options.phases else [stage.name for stage in run.course.stages]
        for name in options.phases:
            _require(f"{path}.phases", "phase", name, phases if run.experiment.phases else ())
        if options.improves is not None:
            self._higher = more_is_better(run, options.improves, f"{path}.improves")

    def due(self, run: Run, step: int, evaluation: Evaluation | None = None) -> bool:
        """Tell whether to act at `step`; give the validation's `evaluation` where there is one."""
        if evaluation is not None:
            self._observe(step, evaluation)
        counted = self._counted(step) or (self.options.improves is not None and self._improved_at == step)
        return counted and (not self.options.phases or run.course.stage.name in self.options.phases)

    def may_be_due(self, run: Run, step: int) -> bool:
        """Tell, before the validation at `step` is made, whether it may be one to act on."""
        in_phase = not self.options.phases or run.course.stage.name in self.options.phases
        return in_phase and (self._counted(step) or self.options.improves is not None)

    def state_dict(self) -> dict[str, Any]:
        """Return the best value so far and its step."""
        return {"best": self.best, "improved_at": self._improved_at}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.best, self._improved_at = state["best"], state["improved_at"]

    def _observe(self, step: int, evaluation: Evaluation) -> None:
        value = evaluation.metrics.get(self.options.improves or "", math.nan)
        better = self.best is None or (value > self.best if self._higher else value < self.best)
        if math.isfinite(value) and better:
            self.best, self._improved_at = value, step

    def _counted(self, step: int) -> bool:
        options = self.options
        if step in options.at:
            return True
        if options.every is None:
            return not options.at and options.improves is None
        return options.every > 0 and step % options.every == 0


def more_is_better(run: Run, metric: str, path: str) -> bool:
    """Tell whether more of a validation metric is better; `path` names the option that asks for it.

    Raises `RunError` when no validation of the run has it.
    """
    terms = {term.name: bool(getattr(term, "higher_is_better", False)) for term in run.prepared.terms}
    _require(path, "loss or metric", metric, (*terms, "loss"))
    return terms.get(metric, False)


def path_of(run: Run, options: Triggers) -> str:
    """Return the callback's place in the file."""
    parts = getattr(run.experiment, "callbacks", {}).values()
    named = type(options).__name__
    return next((part.path for part in parts if part.spec is options), f"callbacks ({named})")


def _require(path: str, what: str, name: str, available: Iterable[str]) -> None:
    names = list(available)
    if name in names:
        return
    near = difflib.get_close_matches(name, names, n=1)
    hint = f'; did you mean "{near[0]}"?' if near else ""
    listed = f"there are: {', '.join(names)}" if names else f"this experiment has no {what}"
    raise RunError(f'{path}: no {what} "{name}"; {listed}{hint}')
