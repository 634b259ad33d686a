"""The journal of a run: one JSON object per line, appended as the run goes."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from fxkit.files import finite, strict_json, write_text


class Journal:
    """Append records to metrics.jsonl; each carries its `step` and `kind`. `count` is how many there are."""

    def __init__(self, path: Path) -> None:
        self.path = path
        self.count = len(read_journal(path))
        self._stream = path.open("a", encoding="utf-8")

    def write(self, kind: str, step: int, values: Mapping[str, Any]) -> None:
        """Append one record; numbers that JSON cannot hold are written as null."""
        record = {"kind": kind, "step": step, **finite(values)}
        self._stream.write(strict_json(record) + "\n")
        self._stream.flush()
        self.count += 1

    def close(self) -> None:
        """Close the file."""
        self._stream.close()


def read_journal(path: Path) -> list[dict[str, Any]]:
    """Read the records; a last line that was cut off by a crash is left out."""
    records = []
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else []:
        try:
            records.append(json.loads(line))
        except json.JSONDecodeError:
            break
    return records


def rewind(path: Path, step: int, count: int | None = None) -> None:
    """Drop the records behind the first `count` and those after `step`; a resumed run writes them again."""
    kept = [record for record in read_journal(path)[:count] if record["step"] <= step]
    write_text(path, "".join(strict_json(record) + "\n" for record in kept))
