"""Spread compiled kernels, which run without Python's lock, over as many threads as torch may use."""

from __future__ import annotations

import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import torch


def spread(work: Callable[[int, int], object], items: int) -> None:
    """Call `work(first, stop)` for shares that together are `range(items)`, each on a thread.

    There are at most `torch.get_num_threads()` shares. One that raises raises here.
    """
    shares = min(torch.get_num_threads(), items)
    if shares <= 1:
        work(0, items)
        return
    edges = [items * share // shares for share in range(shares + 1)]
    pool = _pool(shares - 1, os.getpid())
    others = [pool.submit(work, *edges[i : i + 2]) for i in range(1, shares)]
    try:
        work(*edges[:2])
    finally:
        for other in others:
            other.exception()
    for other in others:
        other.result()


@cache
def _pool(threads: int, process: int) -> ThreadPoolExecutor:
    # Threads stand idle between kernels; starting them each time would cost more than a small kernel.
    # A forked process has the pool's object but none of its threads, and needs its own.
    return ThreadPoolExecutor(threads, thread_name_prefix="fxkit-kernel")
