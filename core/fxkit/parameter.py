"""Declare what a controller may set on a processor: name, unit, range, mapping, size and rate."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Literal, TypeVar

import attrs

if TYPE_CHECKING:
    import torch

    Number = TypeVar("Number", float, torch.Tensor)
else:
    Number = TypeVar("Number")

Rate = Literal["constant", "sample", "frame", "control"]
MappingName = Literal["linear", "log", "exp-sigmoid"]

# Engel et al., DDSP (2020), eq. 5 uses 2 sigmoid(x)^ln(10); on [0, 1] that is a power law.
_EXP_SIGMOID_POWER = math.log(10.0)


@attrs.frozen(kw_only=True)
class Parameter:
    """Declare one quantity that a controller sets.

    `low`, `high` and `default` are in `unit`. `mapping` says how a normalised value in [0, 1] covers
    the range: "linear"; "log" (equal ratios, needs 0 < low); "exp-sigmoid" (u**ln 10, fine steps
    near `low`; Engel et al. 2020, eq. 5). `size` is the number of values. `rate` is the finest time
    grid that the processor takes: "constant" ([batch, size, 1]), "sample" ([batch, size, 1 or
    samples], frame-rate controls are interpolated by the kernel), "frame" (always frames on the run's
    hop, constants are repeated by the kernel) or "control" (constants from a constant controller, else
    the frames due; see `fxkit_signal.framing.control_frames`).
    """

    name: str
    low: float
    high: float
    default: float | tuple[float, ...]
    unit: str = ""
    mapping: MappingName = "linear"
    size: int = attrs.field(default=1, validator=attrs.validators.ge(1))
    rate: Rate = "sample"
    help: str = ""

    def __attrs_post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"parameter {self.name}: low {self.low:g} must be below high {self.high:g}")
        if self.mapping == "log" and self.low <= 0:
            raise ValueError(f"parameter {self.name}: a log mapping needs low > 0, got {self.low:g}")
        if isinstance(self.default, tuple) and len(self.default) != self.size:
            raise ValueError(f"parameter {self.name}: {len(self.default)} defaults for size {self.size}")
        for value in self.defaults:
            if not self.low <= value <= self.high:
                raise ValueError(f"parameter {self.name}: default {value:g} lies outside {self.range_text}")

    @property
    def defaults(self) -> tuple[float, ...]:
        """Return one default per value, in physical units."""
        return self.default if isinstance(self.default, tuple) else (self.default,) * self.size

    @property
    def range_text(self) -> str:
        """Write the range with its unit."""
        unit = f" {self.unit}" if self.unit else ""
        return f"{self.low:g} to {self.high:g}{unit}"

    def to_physical(self, normalised: Number) -> Number:
        """Map values in [0, 1], of any shape, to physical units."""
        if self.mapping == "log":
            ratio: Number = (self.high / self.low) ** normalised
            return self.low * ratio
        if self.mapping == "exp-sigmoid":
            normalised = normalised**_EXP_SIGMOID_POWER
        return self.low + (self.high - self.low) * normalised

    def to_normalised(self, value: float) -> float:
        """Map one physical value to [0, 1]; the inverse of `to_physical`.

        Raises `ValueError` when the value lies outside the range.
        """
        if not self.low <= value <= self.high:
            raise ValueError(f"{self.name}: {value:g} lies outside {self.range_text}")
        if self.mapping == "log":
            return math.log(value / self.low) / math.log(self.high / self.low)
        fraction = (value - self.low) / (self.high - self.low)
        return float(fraction ** (1 / _EXP_SIGMOID_POWER)) if self.mapping == "exp-sigmoid" else fraction
