"""Start a model from the weights of another run."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path

import torch

from fxkit.errors import RunError
from fxkit.runs import checkpoint
from fxkit.runs.folder import open_folder
from fxkit.runs.weights import weights_path


def start_from(model: torch.nn.Module, run: Path) -> list[str]:
    """Put the weights of a run folder into a model, as far as names and shapes agree.

    Returns lines that say what was taken and what was not. Raises `RunError` when nothing agrees, or the
    folder is no run.
    """
    kept = weights_path(open_folder(run))
    given: Mapping[str, torch.Tensor] = checkpoint.load(kept)["model"]
    own = model.state_dict()
    fitting = {name: value for name, value in given.items() if _fits(own.get(name), value)}
    left = list(_left(own, given))
    if not fitting:
        raise RunError(
            f"run.init {run}: none of its weights fits this model ({'; '.join(left[:3])}); nodes have to "
            "have the same names and sizes"
        )
    model.load_state_dict({**own, **fitting})
    lines = [f"started from {kept}: {len(fitting)} of {len(own)} tensors taken over"]
    return [*lines, *(f"not from there: {line}" for line in left)]


def _fits(own: torch.Tensor | None, given: torch.Tensor) -> bool:
    return own is not None and own.shape == given.shape


def _left(own: Mapping[str, torch.Tensor], given: Mapping[str, torch.Tensor]) -> Iterator[str]:
    """Yield what did not fit: node by node for what is missing, weight by weight for other shapes."""
    taken = {_owner(name) for name in given}
    absent = dict.fromkeys(_owner(name) for name in own if _owner(name) not in taken)
    yield from (f"{owner} (it has none of that name)" for owner in absent)
    for name, value in own.items():
        there = given.get(name)
        if there is None and _owner(name) in taken:
            yield f"{_shown(name)} (it has none)"
        elif there is not None and there.shape != value.shape:
            yield f"{_shown(name)} ({tuple(there.shape)} there, {tuple(value.shape)} here)"


def _owner(name: str) -> str:
    place, _, rest = name.partition(".:")
    return f"{place}.{rest.partition('.')[0].replace(':', '.')}"


def _shown(name: str) -> str:
    return name.replace(".:", ".", 1).replace(":", ".")
