"""Kernels work where nothing can be written, and leave the process as it was."""

from __future__ import annotations

import os
import subprocess
import sys

import numba
import pytest
import torch

from fxkit_signal.biquad import low_pass, sosfilt
from fxkit_signal.compiled.kernel import kernel


def test_a_kernel_is_compiled_without_a_cache_where_none_can_be_written(monkeypatch):
    tried = []
    compiler = numba.njit

    def unwritable(**options):
        tried.append(options.get("cache", False))
        if options.get("cache"):
            raise RuntimeError("cannot cache function: no locator available")
        return compiler(**options)

    monkeypatch.setattr("fxkit_signal.compiled.kernel.njit", unwritable)
    double = kernel("contract")(lambda x: 2 * x)
    assert double(3.0) == 6.0
    assert tried == [True, False]


@pytest.mark.parametrize("threads", [1, 2])
def test_the_thread_count_of_torch_stays_as_it_was(threads):
    script = (
        f"import torch; torch.set_num_threads({threads})\n"
        "from fxkit_signal.biquad import low_pass, sosfilt\n"
        "f, q = torch.tensor([500.0]), torch.tensor([0.7])\n"
        "sosfilt(torch.randn(1, 1, 100), low_pass(f, q, 48000)[None])\n"
        "print(torch.get_num_threads())"
    )
    environment = {**os.environ, "OMP_NUM_THREADS": "2"}
    done = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, env=environment)
    assert done.stdout.strip() == str(threads), done.stderr


def test_kernels_serve_what_plain_operations_would():
    sos = low_pass(torch.tensor([500.0]), torch.tensor([0.7]), 48000)[None]
    audio = torch.randn(2, 1, 300)
    traced = torch.compile(lambda x: sosfilt(x, sos)[0], backend="eager")
    assert torch.allclose(traced(audio), sosfilt(audio, sos)[0], atol=1e-6)
