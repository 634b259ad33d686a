"""Choose what is heard of a split: the same parts of the same recordings every time."""

from __future__ import annotations

import difflib
import re
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import attrs

from fxkit.errors import RunError
from fxkit_callbacks._excerpt import Excerpt, loudest
from fxkit_callbacks._names import safe_names

if TYPE_CHECKING:
    from fxkit.engine.session import Evaluation, Example, Run

_PLACE = re.compile(r"(?P<name>.*)@\s*(?P<seconds>\d+(\.\d+)?)\s*")
_HEARD = ("val", "test")


@attrs.frozen(kw_only=True, eq=False)
class Clip:
    """Hold an excerpt of an evaluated recording; `stem` names its files."""

    stem: str
    example: Example
    excerpt: Excerpt


@attrs.frozen(kw_only=True, eq=False)
class Clips:
    """Choose clips by what the data are, never by what the model makes of them.

    Each of `named` is a recording, or "RECORDING @ SECONDS" for the clip that starts there; of a split that
    has none of them the first `count` recordings are taken. A clip without a place is the loudest part of
    its recording, at most `seconds` long, and lies in what is scored.
    """

    seconds: float
    count: int
    named: tuple[str, ...] = ()
    _found: dict[tuple[str, int], Excerpt] = attrs.field(factory=dict, init=False)

    def check(self, run: Run, path: str) -> None:
        """Raise `RunError` for a named recording that is in neither the validation nor the test split."""
        materials = run.prepared.materials
        held = [one.name for split in _HEARD if split in materials for one in materials[split].recordings]
        for text in self.named:
            name, _ = _placed(text, held)
            if name not in held:
                near = difflib.get_close_matches(name, held, n=1, cutoff=0.4)
                hint = f'; did you mean "{near[0]}"?' if near else ""
                raise RunError(f'{path}.clips: no recording "{name}" is validated or tested on{hint}')

    def names(self, held: Sequence[str]) -> tuple[str, ...]:
        """Return which of the recordings that a split holds are heard."""
        return tuple(held[index] for index, _ in self._places(held))

    def of(self, evaluation: Evaluation) -> Iterator[Clip]:
        """Yield the clips of an evaluated split."""
        examples = evaluation.examples
        places = self._places([example.name for example in examples])
        stems = safe_names(examples[index].name for index, _ in places)
        for stem, (index, start) in zip(stems, places, strict=True):
            excerpt = self._excerpt(evaluation, index, start)
            yield Clip(stem=stem, example=examples[index], excerpt=excerpt)

    def _places(self, held: Sequence[str]) -> list[tuple[int, float | None]]:
        """Return the chosen recordings by number, each with the second to start at, if one is given."""
        places = [_placed(text, held) for text in self.named]
        named = [(held.index(name), start) for name, start in places if name in held]
        return named or [(index, None) for index in range(min(self.count, len(held)))]

    def _excerpt(self, evaluation: Evaluation, index: int, start: float | None) -> Excerpt:
        example, rate = evaluation.examples[index], evaluation.sample_rate
        if start is not None:
            first, stop = (round(second * rate) for second in (start, start + self.seconds))
            end = example.target.shape[-1]
            return Excerpt(start=min(first, end), stop=min(stop, end), sample_rate=rate)
        key = (evaluation.split, index)
        if key not in self._found:
            self._found[key] = loudest(example, rate, self.seconds)
        return self._found[key]


def _placed(text: str, held: Sequence[str]) -> tuple[str, float | None]:
    match = None if text in held else _PLACE.fullmatch(text)
    return (match["name"].strip(), float(match["seconds"])) if match else (text, None)
