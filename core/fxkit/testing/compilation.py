"""Checks of other ways to run the same module: compiled, and on an accelerator."""

from __future__ import annotations

import contextlib
import logging
import warnings
from collections.abc import Iterator

import attrs
import torch

from fxkit.testing.case import Case, run, stirred
from fxkit.testing.check import distance, promise
from fxkit.testing.track import cut, on_values

SAMPLES = 400
# Tracing unrolls loops over samples.
COMPILED = 8
TOLERANCE = 1e-5
DEVICE_TOLERANCE = 1e-4


def check_compile(case: Case) -> str | None:
    """Check that `torch.compile` (backend "eager") gives the same values, in the middle of a signal."""
    module = stirred(case)
    if not isinstance(module, torch.nn.Module):
        return "it is no torch module"
    tracks = case.tracks(2 * COMPILED + case.lead)
    first, rest = (cut(tracks, *ends) for ends in ((0, COMPILED), (COMPILED, 2 * COMPILED + case.lead)))
    torch.compiler.reset()
    with torch.no_grad(), _quiet():
        _, state = case.step(module, first)
        expected, _ = case.step(module, rest, state)
        found, _ = case.step(torch.compile(module, backend="eager"), rest, state)
    error = distance(found, expected)
    promise(error <= TOLERANCE, case, f"yields values that differ by {error:.1e} once it is compiled")
    return None


@contextlib.contextmanager
def _quiet() -> Iterator[None]:
    """Leave out what torch remarks about parts that it cannot compile."""
    log = logging.getLogger("torch._dynamo")
    before = log.level
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(before)


def check_device(case: Case) -> str | None:
    """Check that a GPU, where there is one, yields what the CPU yields, to 1e-4, and runs backwards."""
    if not torch.cuda.is_available():
        return "there is no GPU here"
    module, tracks = stirred(case), case.tracks(SAMPLES + case.lead)
    expected = run(case, module, tracks).detach()
    there = attrs.evolve(case, ctx=attrs.evolve(case.ctx, device="cuda"))  # type: ignore[misc]
    other = stirred(there)
    if isinstance(other, torch.nn.Module):
        other = other.to("cuda")
        other.load_state_dict(module.state_dict())
    moved = on_values(tracks, lambda values: values.to("cuda").requires_grad_())
    found = run(there, other, moved)
    promise(found.device.type == "cuda", case, f"yields values on {found.device} for input on the GPU")
    if found.requires_grad:
        found.square().sum().backward()
    error = distance(found.detach().cpu(), expected)
    promise(error <= DEVICE_TOLERANCE, case, f"yields values on the GPU that differ by {error:.1e}")
    return None
