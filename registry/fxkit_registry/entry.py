"""Hold what is known of one plugin before anything of it is imported."""

from __future__ import annotations

import dataclasses
from typing import Literal

Status = Literal["ok", "ambiguous", "disabled", "missing", "api"]

LOCAL = "local"


# A dataclass, since this package is for the standard library alone.
@dataclasses.dataclass(frozen=True)
class Entry:
    """Hold one declared plugin: its identity, where it points, and whether its name can be used.

    `kind` is the plural; `target` is "module:attribute" as declared; `api` is the plugin API that it
    was written for. `status` is "ok", "ambiguous" (another distribution offers the name),
    "disabled", "missing" (its module is not installed) or "api" (written for another plugin API);
    `reason` says why in a few words when it is not "ok".
    """

    kind: str
    name: str
    dist: str
    version: str
    target: str
    api: int = 1
    status: Status = "ok"
    reason: str = ""

    @property
    def qualified(self) -> str:
        """Return "dist/name", which no other distribution can share."""
        return f"{self.dist}/{self.name}"

    @property
    def origin(self) -> str:
        """Return the distribution and its version, as messages name it."""
        return f"{self.dist} {self.version}".rstrip()

    @property
    def module(self) -> str:
        """Return the module part of the target."""
        return self.target.partition(":")[0]

    @property
    def status_text(self) -> str:
        """Write status and reason as a listing shows them."""
        if self.status in ("api", "missing"):
            return self.reason
        return f"{self.status} ({self.reason})" if self.reason else self.status

    @property
    def sort_key(self) -> tuple[str, str, str, int]:
        """Return what orders entries of one kind."""
        return (self.name, canonical(self.dist), self.target, self.api)


def canonical(dist: str) -> str:
    """Return a distribution's name as indexes compare it: lower case, runs of -_. as one hyphen."""
    words = dist.lower().replace("_", "-").replace(".", "-").split("-")
    return "-".join(word for word in words if word)
