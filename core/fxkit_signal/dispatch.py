"""Choose between the compiled kernels and plain torch operations."""

from __future__ import annotations

import importlib.util
from functools import cache

import torch
from torch import Tensor


@cache
def has_compiler() -> bool:
    """Tell whether numba is installed, without importing it."""
    return importlib.util.find_spec("numba") is not None


def compiled_for(*tensors: Tensor | None) -> bool:
    """Tell whether the compiled kernels can serve these tensors.

    They need numba and plain tensors on the CPU. A graph that is being traced (`torch.compile`,
    `torch.export`, `torch.func`) gets torch operations, which it can look into.
    """
    if torch.compiler.is_compiling() or not has_compiler():
        return False
    return all(tensor is None or _is_plain(tensor) for tensor in tensors)


def gpu_for(*tensors: Tensor | None) -> bool:
    """Tell whether the CUDA kernels can serve these tensors: Triton is there, and nothing is traced."""
    if torch.compiler.is_compiling() or not _has_triton():
        return False
    return all(tensor is None or (tensor.is_cuda and not _wrapped(tensor)) for tensor in tensors)


@cache
def _has_triton() -> bool:
    return importlib.util.find_spec("triton") is not None


def _is_plain(tensor: Tensor) -> bool:
    return tensor.is_cpu and type(tensor) in (Tensor, torch.nn.Parameter) and not _wrapped(tensor)


def _wrapped(tensor: Tensor) -> bool:
    return torch._C._functorch.is_functorch_wrapped_tensor(tensor)
