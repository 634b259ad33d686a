"""Compile all kernels alike: without Python's lock, cached on disk where a folder can be written."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeVar

from numba import njit

Function = TypeVar("Function", bound=Callable[..., Any])


def kernel(*relaxed: str) -> Callable[[Function], Function]:
    """Compile a kernel; `relaxed` names what LLVM may do to its arithmetic.

    "contract" fuses products and sums, "reassoc" reorders sums, "nsz" ignores the sign of zero, "arcp"
    divides by reciprocals: with all of them infinities and NaN keep their meaning.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "fastmath": set(relaxed)}
    compiler: Any = njit

    def compiled(function: Function) -> Function:
        try:
            cached: Function = compiler(cache=True, **options)(function)
        except RuntimeError:
            # Neither beside the sources nor below the home can anything be written: compiled per process.
            cached = compiler(**options)(function)
        return cached

    return compiled
