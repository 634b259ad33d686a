"""A value of a JSON file that knows where it stands, so that what is wrong with it can be told."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

import attrs

from fxkit.errors import DataError

Value = TypeVar("Value")


@attrs.frozen
class Entry:
    """Hold a value, its file, and its path in there."""

    file: Path
    value: Any
    place: str = ""

    def fault(self, message: str) -> DataError:
        """Return the error that says what is wrong with this value."""
        return DataError([f"{self.file}: {self.place + ': ' if self.place else ''}{message}"])

    def get(self, name: str, usual: Any = None) -> Entry:
        """Return the entry called `name`; it holds `usual` where it is absent or null."""
        value = self.of(dict, "a table").get(name)
        return Entry(self.file, usual if value is None else value, f"{self.place}.{name}".lstrip("."))

    def items(self) -> tuple[Entry, ...]:
        """Return the elements of a list."""
        values = self.of(list, "a list")
        return tuple(Entry(self.file, value, f"{self.place}[{index}]") for index, value in enumerate(values))

    def of(self, kind: type[Value], wanted: str) -> Value:
        """Return the value, which has to be of `kind`."""
        # JSON's true and false are no numbers, and Python's are.
        if isinstance(self.value, kind) and isinstance(self.value, bool) == (kind is bool):
            return self.value
        found = "is missing" if self.value is None else f"is {json.dumps(self.value)[:40]}"
        raise self.fault(f"{found}, not {wanted}; the file is damaged, or of a format that is not read")

    def whole(self, usual: int | None = None) -> int:
        """Return a whole number above 0; `usual` where it is absent."""
        if self.value is None and usual is not None:
            return usual
        number = int(self.value) if isinstance(self.value, float) and self.value.is_integer() else self.value
        found = attrs.evolve(self, value=number).of(int, "a whole number")
        if found < 1:
            raise self.fault(f"is {found}; it has to be above 0")
        return found

    def number(self) -> float:
        """Return a number."""
        return float(self.of((int, float), "a number"))  # type: ignore[arg-type]

    def expect(self, allowed: tuple[Any, ...], what: str) -> None:
        """Refuse every value but those that are `allowed`; `what` names what is not supported."""
        if self.value not in allowed:
            raise self.fault(f"{json.dumps(self.value)[:60]}: {what} not supported")


def read_json(path: Path) -> Entry:
    """Read a file of JSON that holds a table.

    Raises `DataError` when it is missing, cut short, or something else.
    """
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise DataError([f"{path}: cannot be read ({error.strerror})"]) from error
    except UnicodeDecodeError as error:
        raise DataError([f"{path}: is not text; download or export it again"]) from error
    except json.JSONDecodeError as error:
        where = f"line {error.lineno}, column {error.colno}"
        raise DataError(
            [f"{path}: is no complete JSON ({error.msg} at {where}); download or export it again"]
        ) from error
    if not isinstance(document, Mapping):
        raise DataError([f"{path}: holds no table; it is no model"])
    return Entry(path, document)


def looks_like(path: Path, *words: str) -> bool:
    """Tell whether a file's text holds all of `words`, within what a model's description takes."""
    try:
        with path.open(encoding="utf-8") as stream:
            text = stream.read()
    except (OSError, UnicodeDecodeError):
        return False
    return all(word in text for word in words)
