"""Run callbacks through pluggy: file order, and for each its own answer to an error."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING, Any, Literal

import attrs
import pluggy

from fxkit.hooks import PROJECT, Hooks, hook_names, state_of

if TYPE_CHECKING:
    from fxkit.engine.session import Run

OnError = Literal["raise", "warn", "disable"]


@attrs.define
class _Guarded:
    """Wrap one callback so that an error in it does what its `on_error` says."""

    name: str
    callback: Any
    on_error: OnError
    report: Callable[[str], None]
    disabled: bool = False

    def call(self, hook: Callable[..., Any], **arguments: Any) -> Any:
        """Call one hook of the callback."""
        if self.disabled:
            return None
        try:
            return hook(**arguments)
        except Exception as error:
            if self.on_error == "raise":
                raise
            self.disabled = self.on_error == "disable"
            end = "; it is disabled for the rest of the run" if self.disabled else ""
            self.report(f"callbacks.{self.name}: {type(error).__name__}: {error}{end}")
            return None


class Callbacks:
    """Hold the callbacks of one run; `hook` calls them all, in the order in which they were added."""

    def __init__(self, report: Callable[[str], None]) -> None:
        self._report = report
        self._manager = pluggy.PluginManager(PROJECT)
        self._manager.add_hookspecs(Hooks)
        self._named: dict[str, Any] = {}
        self._guards: list[_Guarded] = []

    @property
    def hook(self) -> Any:
        """Return pluggy's hook caller."""
        return self._manager.hook

    def implement(self, hook: str) -> bool:
        """Tell whether any callback implements a hook."""
        return bool(getattr(self._manager.hook, hook).get_hookimpls())

    def add_all(self, callbacks: Mapping[str, tuple[Any, OnError]]) -> None:
        """Register callbacks given in file order.

        Raises `pluggy.PluginValidationError` when a hook's name or arguments do not exist.
        """
        # pluggy calls the last registered first.
        for name, (callback, on_error) in reversed(list(callbacks.items())):
            guard = _Guarded(name, callback, on_error, self._report)
            self._guards.append(guard)
            self._manager.register(_guarded_hooks(guard), name=name)
        self._manager.check_pending()
        self._named.update({name: callback for name, (callback, _) in callbacks.items()})

    def wanted_nodes(self, run: Run, split: str) -> Callable[[str], bool]:
        """Return what tells by a recording's name whether a callback needs the audio behind its nodes."""
        chosen: set[str] = set()
        for guard in self._guards:
            if guard.disabled or "nodes" not in getattr(guard.callback, "needs", ()):
                continue
            choose = getattr(guard.callback, "nodes_of", None)
            if choose is None:
                return lambda recording: True
            chosen.update(guard.call(choose, run=run, split=split) or ())
        return chosen.__contains__

    def state_dict(self) -> dict[str, Any]:
        """Return callback name -> its state."""
        return {name: state_of(callback) for name, callback in self._named.items()}

    def load_state_dict(self, states: Mapping[str, Any]) -> None:
        """Give each callback that keeps state its own back."""
        for name, callback in self._named.items():
            if states.get(name):
                callback.load_state_dict(states[name])


def _guarded_hooks(guard: _Guarded) -> Any:
    callback = guard.callback
    holder = type(f"Guarded_{type(callback).__name__}", (), {})()
    marked = {
        attribute: method
        for attribute in dir(callback)
        if attribute.startswith("fx_") or attribute in hook_names()
        for method in [getattr(callback, attribute)]
        if callable(method) and hasattr(method, f"{PROJECT}_impl")
    }
    for attribute, method in marked.items():
        setattr(holder, attribute, _forward(guard, method))
    return holder


def _forward(guard: _Guarded, method: Callable[..., Any]) -> Callable[..., Any]:
    # functools.wraps keeps the signature, from which pluggy learns the arguments to pass.
    @functools.wraps(method)
    def forward(*args: Any, **kwargs: Any) -> Any:
        names = pluggy_arguments(method)
        return guard.call(method, **dict(zip(names, args, strict=True)), **kwargs)

    return forward


def pluggy_arguments(method: Callable[..., Any]) -> tuple[str, ...]:
    """Return the names of the arguments that a hook implementation takes."""
    code = getattr(method, "__func__", method).__code__
    names = code.co_varnames[: code.co_argcount]
    return names[1:] if hasattr(method, "__self__") else names
