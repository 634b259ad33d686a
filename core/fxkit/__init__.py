"""fxkit: learn models of sound with differentiable signal processing.

Importing this package loads neither torch nor any plugin; names resolve when they are used.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from fxkit.api import Trained, export, import_model, load, run
    from fxkit.builder import Model, node
    from fxkit.context import BuildContext
    from fxkit.errors import DataError, ExperimentError, FxkitError, PluginError, RunError
    from fxkit.hooks import hookimpl
    from fxkit.parameter import Parameter
    from fxkit.spec import opt
    from fxkit.traits import ControlTraits, LossTraits, Traits
    from fxkit.trigger import Trigger, Triggers
    from fxkit.values import Batch, ControlInputs, Output, Recording

__version__ = "0.1.0"

_HOMES = {
    "BuildContext": "fxkit.context",
    "Batch": "fxkit.values",
    "ControlInputs": "fxkit.values",
    "ControlTraits": "fxkit.traits",
    "DataError": "fxkit.errors",
    "ExperimentError": "fxkit.errors",
    "FxkitError": "fxkit.errors",
    "LossTraits": "fxkit.traits",
    "Model": "fxkit.builder",
    "Output": "fxkit.values",
    "Parameter": "fxkit.parameter",
    "PluginError": "fxkit.errors",
    "Recording": "fxkit.values",
    "RunError": "fxkit.errors",
    "Trained": "fxkit.api",
    "Traits": "fxkit.traits",
    "Trigger": "fxkit.trigger",
    "Triggers": "fxkit.trigger",
    "export": "fxkit.api",
    "hookimpl": "fxkit.hooks",
    "import_model": "fxkit.api",
    "load": "fxkit.api",
    "node": "fxkit.builder",
    "opt": "fxkit.spec",
    "run": "fxkit.api",
}

# Written out: type checkers and linters read what a package exports from the text alone.
__all__ = [
    "Batch",
    "BuildContext",
    "ControlInputs",
    "ControlTraits",
    "DataError",
    "ExperimentError",
    "FxkitError",
    "LossTraits",
    "Model",
    "Output",
    "Parameter",
    "PluginError",
    "Recording",
    "RunError",
    "Trained",
    "Traits",
    "Trigger",
    "Triggers",
    "__version__",
    "export",
    "hookimpl",
    "import_model",
    "load",
    "node",
    "opt",
    "run",
]


def __getattr__(name: str) -> Any:
    if name not in _HOMES:
        raise AttributeError(f"module 'fxkit' has no attribute {name!r}")
    return getattr(importlib.import_module(_HOMES[name]), name)


def __dir__() -> list[str]:
    return __all__
