"""The record of a trial in its run folder: which values it has, and what came of them."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path

import attrs

from fxkit.files import finite, write_text

NAME = "trial.json"


@attrs.frozen(kw_only=True)
class Record:
    """Hold what `trial.json` says; `state` is running, complete, pruned, failed or waiting."""

    sweep: str
    trial: int
    attempt: int
    parameters: Mapping[str, str]
    metric: str
    state: str = "running"
    value: float | None = None
    error: str = ""

    def write(self, folder: Path) -> None:
        """Put the record into a run folder."""
        plain = finite({"fxkit": 1, **attrs.asdict(self)})
        write_text(folder / NAME, json.dumps(plain, allow_nan=False, ensure_ascii=False, indent=2) + "\n")
