"""Import a plugin's target, and turn whatever goes wrong into one line that names the place."""

from __future__ import annotations

import importlib
import os
import sys

from fxkit_registry.entry import LOCAL, Entry
from fxkit_registry.failure import LoadFailure


def load(entry: Entry) -> object:
    """Import `entry`'s module and return its target.

    Raises `LoadFailure` for anything that the import raises, `SystemExit` included; only the user's
    own interrupt passes through.
    """
    module, _, attribute = entry.target.partition(":")
    try:
        found: object = importlib.import_module(module)
        for name in attribute.split("."):
            found = getattr(found, name)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise LoadFailure(entry, reason(error, module), _fix(entry, error), error) from error
    return found


def reason(error: BaseException, module: str = "") -> str:
    """Write an exception as one line: its type, its message and file:line where that is known.

    The place is the last line of the package that `module` belongs to, else the last line at all.
    """
    text = " ".join(str(error.msg if isinstance(error, SyntaxError) else error).split())
    place = _place(error, module.partition(".")[0])
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    return f"{what} ({place})" if place else what


def _place(error: BaseException, package: str) -> str:
    if isinstance(error, SyntaxError) and error.filename:
        return f"{_shortened(error.filename)}:{error.lineno}"
    frames = [frame for frame in _frames(error) if os.path.isabs(frame[0]) and frame[0] != __file__]
    frames = [frame for frame in frames if f"{os.sep}importlib{os.sep}" not in frame[0]]
    own = [frame for frame in frames if _shortened(frame[0]).split(os.sep)[0] in (package, f"{package}.py")]
    if not frames:
        return ""
    file, line = (own or frames)[-1]
    return f"{_shortened(file)}:{line}"


def _frames(error: BaseException) -> list[tuple[str, int]]:
    frames = []
    step = error.__traceback__
    while step is not None:
        frames.append((step.tb_frame.f_code.co_filename, step.tb_lineno))
        step = step.tb_next
    return frames


def _shortened(file: str) -> str:
    """Return a file's path from the folder that it was imported from."""
    roots = [entry for entry in sys.path if entry and file.startswith(os.path.join(entry, ""))]
    return os.path.relpath(file, max(roots, key=len)) if roots else file


def _fix(entry: Entry, error: BaseException) -> str:
    if entry.dist == LOCAL:
        return f"Correct {entry.target}"
    if isinstance(error, ModuleNotFoundError) and error.name:
        top = error.name.partition(".")[0]
        if top == entry.module.partition(".")[0]:
            return f"Reinstall {entry.dist}, or uninstall it; its code is not all there"
        return f'Install what provides the module "{top}", or do without this plugin'
    if isinstance(error, AttributeError):
        return f"Update or reinstall {entry.dist}; its entry point names something that its code lacks"
    return f'Update {entry.dist}, or uninstall it: "pip uninstall {entry.dist}"'
