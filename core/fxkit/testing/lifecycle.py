"""Checks of what stands beside a model: callbacks, in a run of a few steps."""

from __future__ import annotations

import contextlib
import io
import sys
import tempfile
from pathlib import Path
from typing import Any

import attrs
import torch

from fxkit.errors import FxkitError
from fxkit.hooks import PROJECT, hook_names, state_of
from fxkit.spec import describe
from fxkit.testing.check import promise
from fxkit.testing.plain import PlainCase
from fxkit.testing.small_run import small_run


def check_hooks(case: PlainCase) -> None:
    """Check that the callback implements at least one hook, and none that does not exist."""
    callback = case.build()
    marked = [name for name in dir(callback) if hasattr(getattr(callback, name, None), f"{PROJECT}_impl")]
    unknown = sorted(name for name in marked if name not in hook_names())
    promise(not unknown, case, f"implements {', '.join(unknown)}, which is no hook")
    unmarked = [name for name in hook_names() if hasattr(callback, name) and name not in marked]
    promise(not unmarked, case, f"has {', '.join(unmarked)} without @fxkit.hookimpl, so it is never called")
    promise(bool(marked), case, "implements no hook")


def check_callback_watches(case: PlainCase) -> str | None:
    """Check that a run of a few steps with the callback ends well and learns the same as without it.

    A callback whose object has `changes_training = True` may change what is learned.
    """
    with tempfile.TemporaryDirectory() as alone, tempfile.TemporaryDirectory() as watched:
        try:
            found = small_run(Path(watched), callbacks={"subject": case.spec})
        except FxkitError as error:
            return f"it declines a small model: {str(error).splitlines()[0]}"
        expected = small_run(Path(alone))
    if found.steps == expected.steps and not getattr(case.build(), "changes_training", False):
        text = f"changes what is learned: {dict(found.test)}, without it {dict(expected.test)}"
        promise(found.test == expected.test, case, text)
    return None


def check_callback_state(case: PlainCase) -> str | None:
    """Check that the callback's state is saved as tensors and plain values, and loads into a new one."""
    callback = case.build()
    state = state_of(callback)
    if not state:
        return "it keeps no state"
    buffer = io.BytesIO()
    torch.save(state, buffer)
    buffer.seek(0)
    other = case.build()
    other.load_state_dict(torch.load(buffer, weights_only=True))
    promise(state_of(other) == state, case, "has another state once it is loaded")
    return None


def check_callback_options(case: PlainCase) -> None:
    """Check that the plugin's code reads each option of the callback, at its start or in a short run."""
    read: set[str] = set()
    # One that declines the small model has read its options before.
    with tempfile.TemporaryDirectory() as folder, contextlib.suppress(FxkitError):
        small_run(Path(folder), callbacks={"subject": watched(case.spec, read)})
    unread = [option.name for option in describe(type(case.spec)).options if option.name not in read]
    promise(not unread, case, f"never reads the option {', '.join(unread)}")


def watched(spec: Any, read: set[str]) -> Any:
    """Return the same spec, which notes what code of its own package reads of it."""
    kind = type(spec)
    package = kind.__module__.partition(".")[0]

    def watch(self: Any, name: str) -> Any:
        reader = sys._getframe(1)
        module = reader.f_globals.get("__name__", "")
        # What all callbacks declare about when they act is read for them.
        theirs = module.partition(".")[0] == package or module == "fxkit.trigger"
        # Methods that attrs writes read every option.
        if theirs and not reader.f_code.co_filename.startswith("<attrs"):
            read.add(name)
        return object.__getattribute__(self, name)

    body = {"__getattribute__": watch, "__module__": kind.__module__, "__doc__": kind.__doc__}
    twin = attrs.frozen(kw_only=True)(type(kind.__name__, (kind,), body))
    return twin(**{field.name: getattr(spec, field.name) for field in attrs.fields(kind)})
