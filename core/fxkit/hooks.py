"""The life-cycle hooks that callbacks implement; each takes any subset of the arguments shown."""

from __future__ import annotations

import difflib
import inspect
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import pluggy

if TYPE_CHECKING:
    import torch

    from fxkit.engine.session import Evaluation, Run

PROJECT = "fxkit"
hookspec = pluggy.HookspecMarker(PROJECT)
hookimpl = pluggy.HookimplMarker(PROJECT)


class Hooks:
    """Declare every hook.

    A callback is any object with methods of these names marked `@fxkit.hookimpl`. It may also have
    `state_dict()` and `load_state_dict(state)`: its state is then part of every checkpoint.

    With `needs = ("nodes",)` evaluations keep the audio behind every node (`Example.nodes`); a method
    `nodes_of(run, split)` may limit that to the recordings whose names it returns, to save memory.
    """

    @hookspec
    def fx_run_start(self, run: Run) -> None:
        """Act before the first step; the model, data and run folder are ready."""

    @hookspec
    def fx_gradients(self, run: Run, step: int) -> None:
        """Act in step `step` between backward pass and update: gradients are complete and not yet clipped.

        With data-parallel workers the gradients are those that all share. In a step of turns, weights that
        do not learn in it have none. Without a callback that implements this hook it costs nothing.
        """

    @hookspec
    def fx_step_end(self, run: Run, step: int, losses: Mapping[str, float]) -> None:
        """Act after optimiser step `step` (from 1); `losses` are the raw terms and "total"."""

    @hookspec(firstresult=True)
    def fx_validation_weights(self, run: Run, step: int) -> Mapping[str, torch.Tensor] | None:
        """Return weights, by name, to validate and keep as best in place of the trained ones, or None."""

    @hookspec
    def fx_validate_end(self, run: Run, step: int, evaluation: Evaluation) -> None:
        """Act after a validation; metrics, audio and parameter tracks come from that one pass."""

    @hookspec
    def fx_figures(self, run: Run, step: int, name: str, values: Mapping[str, float]) -> None:
        """Take figures that a callback publishes by `run.publish(name, step, values)`: write or show them."""

    @hookspec(firstresult=True)
    def fx_should_stop(self, run: Run, step: int) -> str | None:
        """Return a reason to end the training now, or None."""

    @hookspec
    def fx_run_end(self, run: Run, evaluation: Evaluation) -> None:
        """Act after the last step with the evaluation of the test split."""

    @hookspec
    def fx_exception(self, run: Run, error: BaseException) -> None:
        """Act when the run ends by an error or an interrupt."""

    @hookspec
    def fx_close(self, run: Run) -> None:
        """Release what is open; always called, last."""


def hook_names() -> tuple[str, ...]:
    """Return the names of all hooks, in the order of a run."""
    return tuple(name for name in vars(Hooks) if name.startswith("fx_"))


def hook_arguments(hook: str) -> tuple[str, ...]:
    """Return the names of the arguments that a hook offers."""
    return _arguments(getattr(Hooks, hook))[1:]


def implementations(callback: Any) -> dict[str, tuple[Callable[..., Any], tuple[str, ...]]]:
    """Return hook -> the callback's method and the arguments that it takes, in the order of a run.

    Raises `TypeError` for a hook or an argument that does not exist, for a hook without `@hookimpl`, and
    for one that wants to be called out of the file's order.
    """
    named = [name for name in dir(callback) if name.startswith("fx_")]
    names = [name for name in named if name in hook_names() or _is_marked(callback, name)]
    for name in names:
        _check(name, getattr(callback, name))
    methods = {name: getattr(callback, name) for name in hook_names() if name in names}
    return {name: (method, _own_arguments(method)) for name, method in methods.items()}


def _is_marked(callback: Any, name: str) -> bool:
    return hasattr(getattr(callback, name), f"{PROJECT}_impl")


def _check(name: str, method: Callable[..., Any]) -> None:
    if name not in hook_names():
        raise TypeError(f"{name} is no hook{_near(name, hook_names())}")
    marks = getattr(method, f"{PROJECT}_impl", None)
    if marks is None:
        raise TypeError(f"{name} is not marked @fxkit.hookimpl, so it would never be called")
    if any(marks[one] for one in ("hookwrapper", "wrapper", "tryfirst", "trylast")):
        raise TypeError(f"{name}: callbacks are called in the order of the file; write @fxkit.hookimpl alone")
    for argument in _own_arguments(method):
        if argument not in hook_arguments(name):
            offered = ", ".join(hook_arguments(name))
            raise TypeError(f"{name} has no argument {argument}; it may take {offered}")


def _own_arguments(method: Callable[..., Any]) -> tuple[str, ...]:
    names = _arguments(getattr(method, "__func__", method))
    return names[1:] if hasattr(method, "__self__") else names


def _arguments(function: Any) -> tuple[str, ...]:
    code = inspect.unwrap(function).__code__
    return tuple(code.co_varnames[: code.co_argcount + code.co_kwonlyargcount])


def _near(name: str, known: Sequence[str]) -> str:
    found = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {found[0]}?" if found else ""


def state_of(callback: Any) -> dict[str, Any]:
    """Return a callback's state, empty when it has none."""
    return callback.state_dict() if hasattr(callback, "state_dict") else {}
