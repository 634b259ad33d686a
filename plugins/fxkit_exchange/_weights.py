"""A model's weights as one list of numbers, in an order that is agreed on."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import torch

from fxkit_exchange._entry import Entry

# Names and shapes of tensors, in the order in which a file lists their values.
Layout = Sequence[tuple[str, tuple[int, ...]]]


def split_weights(
    entry: Entry, layout: Layout, *, rest: int = 0
) -> tuple[dict[str, torch.Tensor], list[float]]:
    """Return the tensors that a flat list holds, and the last `rest` values of it.

    Raises `DataError` when it has more or fewer values than `layout` and `rest` take, or values that are
    not finite.
    """
    flat = flat_tensor(entry)
    needed = sum(math.prod(shape) for _, shape in layout) + rest
    if flat.numel() != needed:
        raise entry.fault(
            f"{flat.numel()} numbers where this architecture has {needed}; the file is damaged, download or "
            "export it again"
        )
    parts = flat.split([math.prod(shape) for _, shape in layout] + [rest])
    tensors = {name: part.reshape(shape).clone() for (name, shape), part in zip(layout, parts, strict=False)}
    return tensors, parts[-1].tolist()


def flat_tensor(entry: Entry) -> torch.Tensor:
    """Return the numbers of a list, nested or not, as float32; raises `DataError` for anything else."""
    try:
        values = torch.tensor(entry.of(list, "a list of numbers"), dtype=torch.float32)
    except (TypeError, ValueError) as error:
        raise entry.fault("holds something that is no number, or rows of unequal length") from error
    if not bool(values.isfinite().all()):
        raise entry.fault("holds numbers that are not finite; the training failed, export another model")
    return values


def join_weights(tensors: Mapping[str, torch.Tensor], layout: Layout) -> list[float]:
    """Return the values of `tensors` in the order of `layout`."""
    values: list[float] = torch.cat([tensors[name].detach().cpu().flatten() for name, _ in layout]).tolist()
    return values
