"""How a check measures and complains."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

# Takes a case and raises `AssertionError`, or returns why there is nothing to check.
Check = Callable[[Any], "str | None"]


def promise(kept: bool, case_or_spec: object, text: str) -> None:
    """Raise `AssertionError` naming the plugin and what it does not keep."""
    if not kept:
        spec = getattr(case_or_spec, "spec", case_or_spec)
        # What stands in for a plugin's surroundings names the plugin.
        spec = getattr(spec, "subject", spec)
        raise AssertionError(f"{type(spec).__module__}.{type(spec).__name__} {text}")


def distance(found: torch.Tensor, expected: torch.Tensor) -> float:
    """Return the largest difference, relative to the peak of `expected` where that exceeds 1."""
    if expected.numel() == 0:
        return 0.0
    scale = max(1.0, float(expected.detach().abs().max()))
    return float((found - expected).detach().abs().max()) / scale


def first_changes(found: torch.Tensor, expected: torch.Tensor, tolerance: float = 1e-6) -> list[int | None]:
    """Return for each item [batch, ..., time] the first index in time at which two series differ, or None."""
    scale = max(1e-6, float(expected.detach().abs().max()))
    differs = ((found - expected).abs() > tolerance * scale).flatten(1, -2).any(dim=1)
    return [int(item.nonzero()[0]) if bool(item.any()) else None for item in differs]


def title(check: Check) -> str:
    """Return a check's name as tables show it."""
    return check.__name__.removeprefix("check_").replace("_", " ")


def summary(check: Check) -> str:
    """Return the first sentence of a check's docstring, without its leading "Check"."""
    text = " ".join((check.__doc__ or "").partition("\n\n")[0].split())
    text = text.removeprefix("Check ").removeprefix("that ")
    return text[:1].upper() + text[1:]


def details(check: Check) -> str:
    """Return the rest of a check's docstring on one line; empty where there is none."""
    return " ".join((check.__doc__ or "").partition("\n\n")[2].split())
