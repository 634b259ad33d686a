"""What a sweep varies: values listed for a path of the experiment, or a range to draw them from."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from typing import TYPE_CHECKING, Any, ClassVar

import attrs
import click

if TYPE_CHECKING:
    from optuna import Trial
    from optuna.distributions import BaseDistribution

_NUMBER = r"[+-]?(?:\d[\d_]*\.?\d*|\.\d+)(?:[eE][+-]?\d+)?"
_RANGE = re.compile(rf"\s*({_NUMBER})\s*\.\.\s*({_NUMBER})\s*(?::(.*))?")
_CLOSING = {"[": "]", "{": "}", "(": ")"}


@attrs.frozen
class Choices:
    """Hold the values of a path, each as TOML writes it."""

    path: str
    values: tuple[str, ...]
    is_range: ClassVar[bool] = False

    def probes(self) -> tuple[str, ...]:
        """Return the values to check before anything runs: all of them."""
        return self.values

    def text(self, value: Any) -> str:
        """Return the TOML of a value that was drawn."""
        return str(value)

    def distribution(self) -> BaseDistribution:
        """Return what Optuna draws from."""
        from optuna.distributions import CategoricalDistribution

        return CategoricalDistribution(self.values)

    def drawn(self, trial: Trial) -> str:
        """Return the TOML of a trial's value."""
        return self.text(trial.suggest_categorical(self.path, self.values))

    def document(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return {"path": self.path, "values": list(self.values)}


@attrs.frozen
class Range:
    """Hold the limits of a path's values; whole numbers where `whole`, even in logarithms where `log`."""

    path: str
    low: float
    high: float
    whole: bool
    log: bool = False
    step: float | None = None
    is_range: ClassVar[bool] = True

    def probes(self) -> tuple[str, ...]:
        """Return the values to check before anything runs: both ends."""
        return self.text(self.low), self.text(self.high)

    def text(self, value: Any) -> str:
        """Return the TOML of a value that was drawn."""
        return str(int(value)) if self.whole else repr(float(value))

    def distribution(self) -> BaseDistribution:
        """Return what Optuna draws from."""
        from optuna.distributions import FloatDistribution, IntDistribution

        if self.whole:
            return IntDistribution(int(self.low), int(self.high), log=self.log, step=int(self.step or 1))
        return FloatDistribution(self.low, self.high, log=self.log, step=self.step)

    def drawn(self, trial: Trial) -> str:
        """Return the TOML of a trial's value."""
        if self.whole:
            low, high, step = int(self.low), int(self.high), int(self.step or 1)
            return self.text(trial.suggest_int(self.path, low, high, log=self.log, step=step))
        return self.text(trial.suggest_float(self.path, self.low, self.high, log=self.log, step=self.step))

    def document(self) -> dict[str, Any]:
        """Return it as JSON holds it."""
        return attrs.asdict(self)


Axis = Choices | Range


def axis_of(document: Mapping[str, Any]) -> Axis:
    """Return the axis that `document()` wrote."""
    if "values" in document:
        return Choices(document["path"], tuple(document["values"]))
    return Range(**document)


def read_axes(grids: tuple[str, ...], params: tuple[str, ...]) -> tuple[Axis, ...]:
    """Read what --grid and --param say.

    Raises `click.UsageError` with the spelling that is right; for a path that is named twice, too.
    """
    axes = [*(_choices(text, "--grid") for text in grids), *(_param(text) for text in params)]
    paths = [axis.path for axis in axes]
    twice = next((path for path in paths if paths.count(path) > 1), None)
    if twice is not None:
        raise click.UsageError(f"{twice} is varied twice; list all of its values in one option")
    if not axes:
        raise click.UsageError(
            "nothing to vary; add --grid train.optimizer.lr=1e-3,3e-3 or --param PATH=LOW..HIGH"
        )
    return tuple(axes)


def _param(text: str) -> Axis:
    path, _, value = text.partition("=")
    found = _RANGE.fullmatch(value)
    return _choices(text, "--param") if found is None else _range(path.strip(), found, text)


def _range(path: str, found: re.Match[str], text: str) -> Range:
    ends = [found[1].replace("_", ""), found[2].replace("_", "")]
    low, high = map(float, ends)
    log, step = _manner(found[3], text)
    whole = all(re.fullmatch(r"[+-]?\d+", one) for one in ends) and (step is None or step == int(step))
    if low >= high:
        raise click.UsageError(f"--param {text}: the low end comes first, LOW..HIGH")
    if log and low <= 0:
        raise click.UsageError(f"--param {text}: logarithms need a low end above 0")
    if log and step is not None:
        raise click.UsageError(f"--param {text}: log and step exclude each other")
    return Range(path, low, high, bool(whole), log, step)


def _manner(text: str | None, whole: str) -> tuple[bool, float | None]:
    if text is None:
        return False, None
    if text == "log":
        return True, None
    step = re.fullmatch(rf"step=({_NUMBER})", text)
    if step is None or float(step[1]) <= 0:
        raise click.UsageError(f'--param {whole}: ":{text}" is none of :log and :step=NUMBER')
    return False, float(step[1])


def _choices(text: str, option: str) -> Choices:
    path, equals, listed = text.partition("=")
    values = tuple(value.strip() for value in split_values(listed))
    if not equals or not path.strip() or not all(values):
        raise click.UsageError(f"{option} {text}: expected PATH=VALUE,VALUE, such as nodes.amp.hidden=16,32")
    twice = next((value for value in values if values.count(value) > 1), None)
    if twice is not None:
        raise click.UsageError(f"{option} {text}: {twice} stands there twice")
    return Choices(path.strip(), values)


def split_values(text: str) -> Iterator[str]:
    """Split at the commas that stand in no quotes and no brackets."""
    open_, quote, start = [], "", 0
    for index, sign in enumerate(text):
        if quote:
            quote = "" if sign == quote else quote
        elif sign in "\"'":
            quote = sign
        elif sign in _CLOSING:
            open_.append(_CLOSING[sign])
        elif open_ and sign == open_[-1]:
            open_.pop()
        elif sign == "," and not open_:
            yield text[start:index]
            start = index + 1
    yield text[start:]


def written(values: Mapping[str, str]) -> str:
    """Write values for people: "lr=0.001  hidden=16", each path as short as it stays clear."""
    short = short_paths(list(values))
    return "  ".join(f"{short[path]}={value}" for path, value in values.items())


def short_paths(paths: list[str]) -> dict[str, str]:
    """Return path -> its last parts, as few as tell it from the others."""
    found: dict[str, str] = {}
    for path in paths:
        parts = path.split(".")
        ends = (".".join(parts[-count:]) for count in range(1, len(parts) + 1))
        found[path] = next(
            (end for end in ends if sum(one == end or one.endswith(f".{end}") for one in paths) == 1), path
        )
    return found


def canonical(value: Any) -> str:
    """Return one text for equal plain values."""
    return json.dumps(value, sort_keys=True)
