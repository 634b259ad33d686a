"""List the checks of the contract kit from what their code says of them."""

from __future__ import annotations

from fxkit.kinds import KINDS, Kind
from fxkit.testing.check import Check, details, summary, title
from fxkit.testing.suite import CASE_CHECKS, PLUGIN_CHECKS, SPEC_CHECKS
from fxkit_docs.markdown import table


def contract_checks() -> str:
    """Show every check by kind; what is the same for all kinds comes first."""
    shared = f"### Every plugin\n\n{_table(SPEC_CHECKS)}"
    return "\n\n".join([shared, *(_of_kind(kind) for kind in KINDS)])


def _of_kind(kind: Kind) -> str:
    checks = (*CASE_CHECKS.get(kind.name, ()), *PLUGIN_CHECKS.get(kind.name, ()))
    return f"### {kind.name.capitalize()}\n\n{_table(checks)}"


def _table(checks: tuple[Check, ...]) -> str:
    rows = [(title(check), " ".join(filter(None, (summary(check), details(check))))) for check in checks]
    return table(("Check", "What is proved"), rows)
