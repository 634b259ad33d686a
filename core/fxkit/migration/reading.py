"""Read JSON, YAML and INI files with the line of every value."""

from __future__ import annotations

import json
import pathlib
import re
from collections.abc import Callable, Mapping
from typing import Any

import attrs

from fxkit.errors import ExperimentError, Problem
from fxkit.experiment.shipped import shown
from fxkit.migration.entry import Entry

_DECODER = json.JSONDecoder()
_SPACE = re.compile(r"[ \t\r\n]*")
_WORD = re.compile(r"[^\s,\]}\[{:\"]+")
_NUMBER = re.compile(r"-?(0|[1-9]\d*)(\.\d+)?([eE][+-]?\d+)?")
# YAML 1.1 wants a point in every float; the programs read here take 1e-3, as JSON does.
_YAML_FLOAT = re.compile(r"[+-]?(\d+\.?\d*|\.\d+)[eE][+-]?\d+")
_INI_PAIR = re.compile(r"([^=:\s][^=:]*?)\s*[=:]\s*(.*)")


def read_source(path: pathlib.Path) -> Entry:
    """Read a file by its suffix: .json, .yaml, .yml or .ini.

    Raises `ExperimentError` for a file that cannot be read, with the line at fault.
    """
    file = shown(path)
    read = _READERS.get(path.suffix.lower())
    if read is None:
        known = ", ".join([*_READERS, ".toml"])
        raise _fault(file, 0, f"not a kind of file that experiments are brought over from; there are {known}")
    try:
        text = path.read_bytes().decode("utf-8-sig")
    except UnicodeDecodeError as error:
        raise _fault(file, 0, "not UTF-8 text") from error
    except OSError as error:
        raise _fault(file, 0, f"cannot be read: {error.strerror}") from error
    try:
        found = read(text, file)
    except RecursionError as error:
        raise _fault(file, 0, "is nested too deeply") from error
    if not found.is_table:
        raise _fault(file, found.line, "holds no table of settings")
    return found


def _fault(file: str, line: int, message: str) -> ExperimentError:
    return ExperimentError([Problem(file=file, line=line, column=1 if line else 0, path="", message=message)])


def _joined(key: str, name: str) -> str:
    return f"{key}.{name}" if key else name


@attrs.define
class _Json:
    text: str
    file: str
    at: int = 0

    def document(self) -> Entry:
        self.skip()
        found = self.value("")
        self.skip()
        if self.at < len(self.text):
            raise self.fault("not JSON: something stands behind the end")
        return found

    def fault(self, message: str) -> ExperimentError:
        return _fault(self.file, self.line, message)

    @property
    def line(self) -> int:
        return self.text.count("\n", 0, self.at) + 1

    def skip(self) -> None:
        found = _SPACE.match(self.text, self.at)
        self.at = found.end() if found else self.at

    def sees(self, sign: str) -> bool:
        return self.text.startswith(sign, self.at)

    def expect(self, sign: str) -> None:
        if not self.sees(sign):
            raise self.fault(f"not JSON: expected {sign}")
        self.at += 1
        self.skip()

    def value(self, key: str) -> Entry:
        line = self.line
        read: Callable[[str], Any] = (
            self.table if self.sees("{") else self.array if self.sees("[") else self.scalar
        )
        return Entry(read(key), self.file, line, key)

    def table(self, key: str) -> Mapping[str, Entry]:
        self.expect("{")
        found: dict[str, Entry] = {}
        while not self.sees("}"):
            if found:
                self.expect(",")
            name = self.string()
            if name in found:
                raise self.fault(f'"{name}" is given for the second time')
            self.skip()
            self.expect(":")
            found[name] = self.value(_joined(key, name))
            self.skip()
        self.expect_end("}")
        return found

    def array(self, key: str) -> tuple[Entry, ...]:
        self.expect("[")
        found: list[Entry] = []
        while not self.sees("]"):
            if found:
                self.expect(",")
            found.append(self.value(f"{key}[{len(found)}]"))
            self.skip()
        self.expect_end("]")
        return tuple(found)

    def expect_end(self, sign: str) -> None:
        if not self.sees(sign):
            raise self.fault(f"not JSON: expected {sign}")
        self.at += 1

    def string(self) -> str:
        if not self.sees('"'):
            raise self.fault("not JSON: expected text in double quotes")
        try:
            found, self.at = _DECODER.raw_decode(self.text, self.at)
        except json.JSONDecodeError as error:
            raise self.fault(f"not JSON: {error.msg}") from error
        return str(found)

    def scalar(self, key: str) -> Any:
        if self.sees('"'):
            return self.string()
        found = _WORD.match(self.text, self.at)
        word = found[0] if found else ""
        if word not in _JSON_WORDS and not _NUMBER.fullmatch(word):
            raise self.fault(
                f"not JSON: a value is expected, not {word or self.text[self.at : self.at + 1]!r}"
            )
        self.at += len(word)
        return _JSON_WORDS[word] if word in _JSON_WORDS else json.loads(word)


_JSON_WORDS: Mapping[str, Any] = {"true": True, "false": False, "null": None}


def _read_json(text: str, file: str) -> Entry:
    return _Json(text, file).document()


def _read_yaml(text: str, file: str) -> Entry:
    try:
        import yaml
    except ModuleNotFoundError as error:
        raise _fault(file, 0, 'YAML is read by PyYAML; pip install "fxkit[migrate]"') from error
    try:
        loader = yaml.SafeLoader(text)
        node = loader.get_single_node()
        return Entry({}, file, 1, "") if node is None else _from_yaml(node, loader, file, "")
    except yaml.YAMLError as error:
        mark = getattr(error, "problem_mark", None)
        problem = getattr(error, "problem", None) or str(error)
        raise _fault(file, mark.line + 1 if mark else 0, f"not YAML: {problem}") from error


def _from_yaml(node: Any, loader: Any, file: str, key: str) -> Entry:
    line = node.start_mark.line + 1
    if node.id == "mapping":
        loader.flatten_mapping(node)
        found: dict[str, Entry] = {}
        for name, inner in node.value:
            # A merged mapping comes first, so that the keys beside it win.
            found[str(name.value)] = _from_yaml(inner, loader, file, _joined(key, str(name.value)))
        return Entry(found, file, line, key)
    if node.id == "sequence":
        inner = (_from_yaml(one, loader, file, f"{key}[{i}]") for i, one in enumerate(node.value))
        return Entry(tuple(inner), file, line, key)
    if node.style is None and _YAML_FLOAT.fullmatch(node.value):
        return Entry(float(node.value), file, line, key)
    value = loader.construct_object(node)
    plain = value if isinstance(value, (bool, int, float, str, type(None))) else str(value)
    return Entry(plain, file, line, key)


def _read_ini(text: str, file: str) -> Entry:
    sections: dict[str, Entry] = {}
    current: dict[str, Entry] = {}
    name = ""
    for number, raw in enumerate(text.splitlines(), 1):
        line = raw.strip()
        if not line or line[0] in "#;":
            continue
        if line.startswith("[") and line.endswith("]"):
            name, current = line[1:-1].strip(), {}
            sections[name] = Entry(current, file, number, name)
            continue
        pair = _INI_PAIR.fullmatch(line)
        if pair is None or not name:
            raise _fault(file, number, "not INI: expected [SECTION] or key = value")
        current[pair[1]] = Entry(_ini_value(pair[2]), file, number, f"{name}.{pair[1]}")
    return Entry(sections, file, 1, "")


def _ini_value(text: str) -> Any:
    if len(text) > 1 and text[0] == text[-1] and text[0] in "\"'":
        return text[1:-1]
    words: Mapping[str, Any] = {"true": True, "false": False, "none": None}
    if text.lower() in words:
        return words[text.lower()]
    for number in (int, float):
        try:
            return number(text)
        except ValueError:
            continue
    return text


_READERS: Mapping[str, Callable[[str, str], Entry]] = {
    ".json": _read_json,
    ".yaml": _read_yaml,
    ".yml": _read_yaml,
    ".ini": _read_ini,
}
