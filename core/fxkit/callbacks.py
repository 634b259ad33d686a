"""Run callbacks through pluggy: file order, and for each its own answer to an error."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any

import pluggy

from fxkit.callback_guard import CallbackError, Guard, OnError
from fxkit.errors import RunError
from fxkit.hook_trace import HookTrace
from fxkit.hooks import PROJECT, Hooks, hook_arguments, implementations, state_of

if TYPE_CHECKING:
    from fxkit.engine.session import Run

__all__ = ["Callbacks", "OnError"]


class Callbacks:
    """Hold the callbacks of one run; `hook` calls them all, in the order in which they were added.

    With a `trace` the time that each takes in each hook is measured.
    """

    def __init__(self, report: Callable[[str], None], trace: HookTrace | None = None) -> None:
        self._report = report
        self._trace = trace
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(Hooks)
        self._guards: dict[str, Guard] = {}

    @property
    def hook(self) -> Any:
        """Return pluggy's hook caller."""
        return self._manager.hook

    def implement(self, hook: str) -> bool:
        """Tell whether any callback implements a hook."""
        return bool(getattr(self._manager.hook, hook).get_hookimpls())

    def add_all(self, callbacks: Mapping[str, tuple[Any, OnError]]) -> None:
        """Register callbacks given in file order.

        Raises `RunError` for a hook or an argument that does not exist, and for one that wants to be called
        out of order.
        """
        for name, (callback, on_error) in callbacks.items():
            self._guards[name] = Guard(name, callback, on_error, self._report)
        holders = {name: self._holder(self._guards[name]) for name in callbacks}
        # pluggy calls the last registered first.
        for name in reversed(holders):
            self._manager.register(holders[name], name=name)

    def _holder(self, guard: Guard) -> Any:
        try:
            methods = implementations(guard.callback)
        except TypeError as error:
            raise RunError(f"{guard.path}: {error}") from None
        holder = type(f"Guarded_{type(guard.callback).__name__}", (), {})()
        for hook, (method, names) in methods.items():
            timed = self._trace.timed(guard.name, hook, method) if self._trace else method
            setattr(holder, hook, _guarded(guard, hook, timed, names))
        return holder

    def wanted_nodes(self, run: Run, split: str) -> Callable[[str], bool]:
        """Return what tells by a recording's name whether a callback needs the audio behind its nodes."""
        chosen: set[str] = set()
        for guard in self._guards.values():
            if guard.disabled or "nodes" not in getattr(guard.callback, "needs", ()):
                continue
            choose = getattr(guard.callback, "nodes_of", None)
            if choose is None:
                return lambda recording: True
            chosen.update(guard.call("nodes_of", None, choose, run=run, split=split) or ())
        return chosen.__contains__

    def state_dict(self) -> dict[str, Any]:
        """Return callback name -> its state."""
        return {
            name: guard.call("state_dict", None, state_of, callback=guard.callback) or {}
            for name, guard in self._guards.items()
        }

    def load_state_dict(self, states: Mapping[str, Any]) -> None:
        """Give each callback that keeps state its own back."""
        for name, guard in self._guards.items():
            if states.get(name):
                guard.call("load_state_dict", None, guard.callback.load_state_dict, state=states[name])

    def close(self, run: Run) -> None:
        """Close all callbacks, and tell what failed how often and, with a trace, who took how long."""
        self.hook.fx_close(run=run)
        failures = {name: guard.counts() for name, guard in self._guards.items() if guard.failures}
        if failures:
            run.journal.write("callback-errors", run.step, failures)
        for line in (line for guard in self._guards.values() for line in guard.totals()):
            run.report(line)
        if self._trace:
            run.journal.write("hooks", run.step, self._trace.record())
            for line in self._trace.table():
                run.report(line)

    @property
    def times(self) -> dict[str, Any] | None:
        """Return how long the hooks took so far, as the journal will have it; None without a trace."""
        return self._trace.record() if self._trace else None

    @property
    def late_errors(self) -> tuple[CallbackError, ...]:
        """Return what callbacks with `on_error = "raise"` raised when the run had ended already."""
        return tuple(guard.late for guard in self._guards.values() if guard.late is not None)


def _guarded(
    guard: Guard, hook: str, method: Callable[..., Any], names: tuple[str, ...]
) -> Callable[..., Any]:
    """Return what takes all arguments of a hook, and gives the callback's method those that it takes."""
    declared = getattr(Hooks, hook)

    # functools.wraps lends the declared signature, from which pluggy learns the arguments to pass.
    @functools.wraps(declared)
    def call(*values: Any) -> Any:
        given = dict(zip(arguments, values, strict=True))
        step = given["step"] if "step" in given else given["run"].step
        return guard.call(hook, step, method, **{name: given[name] for name in names})

    arguments = hook_arguments(hook)
    return pluggy.HookimplMarker(PROJECT)(call)
