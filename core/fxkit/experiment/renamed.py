"""Name the spellings that fxkit has given up, and what is written instead.

Files that have them are an error which says so; `fxkit migrate` rewrites them.
"""

from __future__ import annotations

import attrs

FIX = "`fxkit migrate FILE` rewrites it"


@attrs.frozen(kw_only=True)
class OldOption:
    """Hold an option that plugins of a kind no longer have, and what replaces it."""

    kind: str
    plugins: tuple[str, ...]
    name: str
    now: str


@attrs.frozen(kw_only=True)
class OldPlugin:
    """Hold the name of a plugin that is no longer there, and the names of those that do its work."""

    kind: str
    name: str
    now: tuple[str, ...]


CONDITIONS = OldOption(
    kind="processors",
    plugins=("lstm", "tcn"),
    name="conditions",
    now='conditioning = { type = "concat", size = N }',
)
PARAMETER_PLOTS = OldPlugin(
    kind="callbacks", name="parameter-plots", now=("training-plots", "parameter-tracks")
)
OLD_OPTIONS = (CONDITIONS,)
OLD_PLUGINS = (PARAMETER_PLOTS,)


def old_option(kind: str, plugin: str, name: str) -> str:
    """Return what to write instead of an option, as the end of a message; "" for one that never was."""
    for old in OLD_OPTIONS:
        if old.kind == kind and plugin in old.plugins and old.name == name:
            return f"; it is {old.now} now. {FIX}"
    return ""


def old_plugin(kind: str, name: str) -> str:
    """Return which plugins to name instead, as a message; "" for a plugin that never was."""
    for old in OLD_PLUGINS:
        if old.kind == kind and name.removeprefix("fxkit/") == old.name:
            now = " and ".join(f'"{one}"' for one in old.now)
            return f'"{old.name}" is {now} now. {FIX}'
    return ""
