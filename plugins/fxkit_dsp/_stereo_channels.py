"""Say in one line that a processor cannot work with the channels that enter it."""

from __future__ import annotations

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError


def require_channels(name: str, ctx: BuildContext, *allowed: int) -> None:
    """Raise `AssemblyError` when `ctx.channels` is not one of those allowed."""
    if ctx.channels not in allowed:
        counts = " or ".join(map(str, allowed))
        raise AssemblyError(name, f"works on {counts} channels, and {ctx.channels} enter it here")
