"""Check that describing a plugin is cheap: its spec module must not load torch."""

from __future__ import annotations

import subprocess
import sys

from fxkit.testing.check import promise

_PROBE = """
import importlib, sys
from fxkit.context import BuildContext
from fxkit.spec import describe
spec = getattr(importlib.import_module({module!r}), {name!r})
describe(spec)
made, ctx = spec(), BuildContext()
for method in ("parameters", "traits"):
    getattr(made, method, lambda ctx: None)(ctx)
sys.exit(", ".join(name for name in ("torch", "scipy", "numba") if name in sys.modules) or 0)
"""


def check_spec_is_light(spec: object) -> None:
    """Check in a new process that importing and describing the spec loads no torch, scipy or numba."""
    kind = type(spec)
    code = _PROBE.format(module=kind.__module__, name=kind.__qualname__)
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    promise(done.returncode == 0, spec, f"loads or raises when described: {done.stderr.strip()}")
