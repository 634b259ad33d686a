"""Tell a tensor from the same one after a change in place."""

from __future__ import annotations

from torch import Tensor


def edition(tensor: Tensor) -> int:
    """Count the changes of a tensor in place; a `Memo` of it needs this beside the tensor."""
    return -1 if tensor.is_inference() else tensor._version
