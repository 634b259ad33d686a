"""One line of pytest that puts a plugin through every check of its kind."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fxkit.catalog import Catalog
from fxkit.context import BuildContext
from fxkit.kinds import KINDS, kind_named
from fxkit.testing.suite import Trial, trials


def contract_tests(
    kind: str,
    *plugins: Any,
    hints: Mapping[str, Sequence[Any]] | None = None,
    ctx: BuildContext | None = None,
) -> Callable[[Trial], None]:
    """Return a test function for pytest, parametrized by the checks of a plugin.

    `kind` is "processor", "loss", ...; `plugins` is a spec class, or the name of an installed plugin,
    or examples of one spec class to check instead of those that its `examples()` returns. `hints`
    gives values to try for options whose type suggests none, {"mode": ["soft"]}; `ctx` other
    surroundings. Raises `ValueError` for an unknown kind, `PluginError` for an unknown name.
    """
    import pytest

    found = trials_of(kind, *plugins, hints=hints, ctx=ctx)

    @pytest.mark.parametrize("trial", found, ids=str)
    def test_contract(trial: Trial) -> None:
        trial()

    return test_contract


def trials_of(
    kind: str,
    *plugins: Any,
    hints: Mapping[str, Sequence[Any]] | None = None,
    ctx: BuildContext | None = None,
) -> list[Trial]:
    """Return the checks of a plugin that is given as for `contract_tests`, ready to be called."""
    known = kind_named(kind)
    if known is None:
        raise ValueError(
            f'no kind of plugin is called "{kind}"; there are {", ".join(k.name for k in KINDS)}'
        )
    if not plugins:
        raise ValueError("name a plugin, or give its spec")
    first = plugins[0]
    if isinstance(first, str):
        catalog = Catalog.installed()
        first = catalog.spec(catalog.find(known.name, first))
    examples = () if isinstance(first, type) else plugins
    spec = first if isinstance(first, type) else type(first)
    return list(trials(known.name, spec, examples=examples, hints=hints, ctx=ctx))
