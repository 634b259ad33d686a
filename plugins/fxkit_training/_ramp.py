"""What ramps share: where they stand between their beginning and their end."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, TypeVar

import attrs

from fxkit.spec import opt

Spec = TypeVar("Spec")


@attrs.frozen(kw_only=True)
class Moving:
    """Move a weight from `start` to `final`, over a stretch of the training given in shares or in steps."""

    start: float = opt(0.0, ge=0, help="weight before it moves")
    final: float = opt(1.0, ge=0, help="weight in the end, and in validations")
    begin: float = opt(0.0, ge=0, lt=1, help="share of the training after which it begins to move")
    end: float = opt(1.0, gt=0, le=1, help="share of the training after which it has arrived")
    after: int = opt(0, unit="steps", ge=0, help="steps before it moves, beside over")
    over: int | None = opt(
        None, unit="steps", ge=1, help="steps that the move takes, in place of begin and end"
    )

    def problems(self) -> Iterator[tuple[str, str]]:
        """Yield what is wrong between the options."""
        if self.over is None and self.after:
            yield "after", "counts steps; say with over = 1000 how many the move takes, or use begin"
        if self.over is None and self.end <= self.begin:
            yield "end", f"{self.end:g} is not behind begin = {self.begin:g}"
        for name, default in (("begin", 0.0), ("end", 1.0)) if self.over is not None else ():
            if getattr(self, name) != default:
                yield (
                    name,
                    "has no effect beside over, which counts steps; use after, or remove one of the two",
                )

    def moved(self, step: int, share: float) -> float:
        """Return how much of the move is done, 0 to 1, in step `step` (from 0) at `share` of the training."""
        if self.over is not None:
            return _within((step - self.after) / self.over)
        return _within((share - self.begin) / (self.end - self.begin))

    def between(self, part: float) -> float:
        """Return the weight that lies `part` of the way from `start` to `final`; exact at both ends."""
        return self.final if part == 1.0 else self.start + (self.final - self.start) * part


def _within(part: float) -> float:
    return min(1.0, max(0.0, part))


def checked(spec: Spec) -> Spec:
    """Return a spec whose options fit together; raises `ValueError` where they do not."""
    wrong: Any = spec
    for name, text in wrong.problems():
        raise ValueError(f"{name} {text}")
    return spec
