"""Remember what constants were turned into, so that a stream of short blocks does it once."""

from __future__ import annotations

from collections.abc import Callable
from typing import Generic, TypeVar

import torch

Result = TypeVar("Result")


class Memo(Generic[Result]):
    """Hold the last result of a function and the very objects that it was made of.

    Where gradients are recorded or a graph is traced, nothing is remembered: the result is part of
    the graph. Objects are compared by identity, and tensors by how often they were changed in place,
    which only tensors made in inference mode do not count.
    """

    def __init__(self) -> None:
        self._last: tuple[tuple[object, ...], tuple[int, ...], Result] | None = None

    def __call__(self, make: Callable[[], Result], *of: object) -> Result:
        """Return `make()`, or what it returned last time when it was of the same objects."""
        if torch.is_grad_enabled() or torch.compiler.is_compiling():
            return make()
        # Read once: another thread may put its own result there meanwhile.
        last, changes = self._last, tuple(map(_changes, of))
        if last is not None and last[1] == changes and all(map(_same, last[0], of)):
            return last[2]
        result = make()
        self._last = (of, changes, result)
        return result


def _changes(one: object) -> int:
    return one._version if isinstance(one, torch.Tensor) and not one.is_inference() else 0


def _same(one: object, other: object) -> bool:
    return one is other or (isinstance(one, (int, tuple)) and one == other)
