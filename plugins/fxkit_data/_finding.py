"""Say what is wrong with one file, and what to do about it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

import attrs


@attrs.frozen(kw_only=True)
class Finding:
    """Hold one thing that the gate saw in a file.

    `check` is the short name that the table shows and that `accept` takes. `refused` tells whether
    the material may not be trained on as it is; otherwise it is a remark.
    """

    check: str
    file: Path
    what: str
    fix: str = ""
    refused: bool = True

    @property
    def line(self) -> str:
        """Return the finding as the one line of an error."""
        return f"{self.file}: {self.what}; {self.fix}" if self.fix else f"{self.file}: {self.what}"


def accepting(findings: Iterable[Finding], accept: Iterable[str]) -> tuple[Finding, ...]:
    """Turn the refusals of the checks named in `accept` into remarks."""
    accepted = frozenset(accept)
    return tuple(
        attrs.evolve(finding, refused=finding.refused and finding.check not in accepted)
        for finding in findings
    )


def refusals(findings: Iterable[Finding]) -> list[str]:
    """Return the lines of what is refused."""
    return [finding.line for finding in findings if finding.refused]
