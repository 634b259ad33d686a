"""The losses of one step as numbers, read from the device when somebody asks for them."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import torch

from fxkit.errors import NonFiniteError


class Readout(Mapping[str, float]):
    """Hold named losses; on a GPU they are copied beside the work, and waited for when they are read.

    `values` hold those of `names` and then those of `beside`, which are no losses but come with them.
    """

    def __init__(self, names: Sequence[str], values: torch.Tensor, beside: Sequence[str] = ()) -> None:
        self._names, self._beside = tuple(names), tuple(beside)
        self._copied: torch.cuda.Event | None = None
        self._values = values
        self._floats: list[float] | None = None
        if values.is_cuda:
            self._values = torch.empty(values.shape, dtype=values.dtype, pin_memory=True)
            self._values.copy_(values, non_blocking=True)
            self._copied = torch.cuda.current_stream(values.device).record_event()

    @property
    def is_known(self) -> bool:
        """Tell whether reading needs no waiting."""
        return self._copied is None or self._floats is not None

    def check(self) -> None:
        """Raise `NonFiniteError` that names the losses which are NaN or infinite, if any is."""
        bad = [name for name, value in self.items() if not math.isfinite(value)]
        if bad:
            raise NonFiniteError(f"{', '.join(bad)} is not finite")

    def plain(self) -> dict[str, float]:
        """Return the losses as a plain dictionary."""
        return dict(zip(self._names, self._read(), strict=False))

    @property
    def beside_names(self) -> tuple[str, ...]:
        """Return the names of what came with the losses; nothing is waited for."""
        return self._beside

    def beside(self) -> dict[str, float]:
        """Return what came with the losses."""
        return dict(zip(self._beside, self._read()[len(self._names) :], strict=True))

    def state_dict(self) -> dict[str, Any]:
        """Return everything as plain values."""
        return {"names": list(self._names), "beside": list(self._beside), "values": self._read()}

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Readout:
        """Return what `state_dict` was made from."""
        return cls(state["names"], torch.tensor(state["values"], dtype=torch.float64), state["beside"])

    def _read(self) -> list[float]:
        if self._floats is None:
            if self._copied is not None:
                self._copied.synchronize()
            self._floats = self._values.tolist()
        return self._floats

    def __getitem__(self, name: str) -> float:
        return self.plain()[name]

    def __iter__(self) -> Iterator[str]:
        return iter(self._names)

    def __len__(self) -> int:
        return len(self._names)
