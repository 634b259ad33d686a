"""Tell whether a module is installed, without executing anything of it."""

from __future__ import annotations

import importlib.machinery
import sys
from collections.abc import Sequence


def is_present(module: str, path: Sequence[str] | None = None) -> bool:
    """Tell whether the top-level package of `module` can be found on `path` or by the interpreter.

    Only the top level is looked up: to look further, Python executes the package.
    """
    top = module.partition(".")[0]
    if top in sys.modules:
        return True
    if path is not None and importlib.machinery.PathFinder.find_spec(top, list(path)):
        return True
    return any(finder.find_spec(top, None) for finder in sys.meta_path)
