"""Copy many stretches of float32 audio, wherever in memory each lies, in one call.

The addresses are computed for a whole batch at once, so that no Python runs per item.
"""

from __future__ import annotations

from typing import Any

import numpy as np
from numba import carray, types
from numba.core import cgutils
from numba.extending import intrinsic
from numpy.typing import NDArray

from fxkit_signal.compiled.kernel import kernel


def _to_pointer(typing: Any, address: Any) -> Any:
    """Turn an address into a pointer, in the language of LLVM."""

    def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
        return builder.inttoptr(arguments[0], cgutils.voidptr_t)

    return types.voidptr(types.int64), generate


_pointer: Any = intrinsic(_to_pointer)


@kernel()
def copy_rows(addresses: NDArray[np.int64], out: NDArray[np.float32]) -> None:
    """Fill row k of `out` [rows, samples] with the samples that begin at `addresses[k]`.

    Whoever calls keeps that memory alive and knows that each stretch lies inside it.
    """
    rows, samples = out.shape
    for row in range(rows):
        source = carray(_pointer(addresses[row]), (samples,), np.float32)
        for k in range(samples):
            out[row, k] = source[k]
