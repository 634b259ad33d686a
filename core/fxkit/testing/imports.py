"""Check that describing a plugin is cheap: its spec module must not load torch."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

from fxkit.testing.check import promise

_PROBE = """
import importlib, inspect, sys
from fxkit.context import BuildContext
from fxkit.spec import describe
spec = getattr(importlib.import_module({module!r}), {name!r})
made, ctx = None, BuildContext(channels=2, target_channels=2)
if not any(option.required for option in describe(spec).options):
    made = spec()
elif hasattr(spec, "examples") and not inspect.signature(spec.examples).parameters:
    made = next(iter(spec.examples()))
for method in ("parameters", "traits", "dims", "joined"):
    describe = getattr(made, method, lambda ctx: None)
    describe(ctx, (2, 3)) if "widths" in inspect.signature(describe).parameters else describe(ctx)
sys.exit(", ".join(name for name in ("torch", "scipy", "numba") if name in sys.modules) or 0)
"""


def check_light_import(case: Any) -> str | None:
    """Check that importing and describing the spec loads no torch, scipy or numba, in a new process."""
    kind = type(case.spec)
    if getattr(sys.modules.get(kind.__module__), kind.__qualname__, None) is not kind:
        return "it is a plain callable; what it imports is its own affair"
    code = _PROBE.format(module=kind.__module__, name=kind.__qualname__)
    command = [sys.executable, "-c", code]
    # What this process has put on its path since it started, such as a folder of tests.
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=environment)
    said = done.stderr.strip().splitlines()
    promise(
        done.returncode == 0, case, f"loads or raises when described: {said[-1] if said else done.returncode}"
    )
    return None
