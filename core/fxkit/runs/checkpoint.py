"""Save and load training states and weights; atomically, and without running code on load."""

from __future__ import annotations

import pickle
import zipfile
from pathlib import Path
from typing import Any

import torch

from fxkit.errors import RunError
from fxkit.files import write_atomically

FORMAT = 1


def save(path: Path, content: dict[str, Any]) -> None:
    """Write `content` (plain values and tensors); a reader sees the old file or the new one, whole."""
    write_atomically(path, lambda stream: torch.save({"fxkit": FORMAT, **content}, stream))


def load(path: Path, device: str = "cpu") -> dict[str, Any]:
    """Read what `save` wrote.

    Raises `RunError` when the file is missing, damaged, or of another format.
    """
    if not path.is_file():
        raise RunError(f"{path}: no such checkpoint")
    try:
        content: dict[str, Any] = torch.load(path, map_location=device, weights_only=True)
    except (RuntimeError, EOFError, pickle.UnpicklingError, zipfile.BadZipFile, OSError) as error:
        reason = (str(error) or "it ends too early").splitlines()[0].partition(". ")[0]
        raise RunError(f"{path}: damaged checkpoint ({reason}); {_way_out(path)}") from error
    if content.get("fxkit") != FORMAT:
        raise RunError(f"{path}: not a checkpoint of this version of fxkit")
    return content


def _way_out(path: Path) -> str:
    """Say what to do about a state that is damaged: nothing takes an older one by itself."""
    older = sorted(path.parent.glob("step-*.pt"))
    if path.name != "last.pt":
        return "delete it to use the last weights" if path.name == "best.pt" else "delete it"
    if older:
        return f"copy {older[-1]} over it to go on from there"
    return "no older one is there: delete it to train from the start"


def load_weights(model: torch.nn.Module, weights: dict[str, torch.Tensor], path: Path) -> None:
    """Put weights into the model; every difference in names or shapes is listed in the `RunError`."""
    have = {name: tuple(value.shape) for name, value in model.state_dict().items()}
    given = {name: tuple(value.shape) for name, value in weights.items()}
    lines = [f"missing {name}" for name in have.keys() - given.keys()]
    lines += [f"unexpected {name}" for name in given.keys() - have.keys()]
    lines += [
        f"{name} is {given[name]}, the model has {have[name]}"
        for name in have.keys() & given.keys()
        if have[name] != given[name]
    ]
    if lines:
        raise RunError(f"{path}: does not fit the model: " + "; ".join(sorted(lines)))
    model.load_state_dict(weights)


def random_state() -> dict[str, Any]:
    """Return the states of torch's generators."""
    cuda = torch.cuda.get_rng_state_all() if torch.cuda.is_available() else []
    return {"cpu": torch.get_rng_state(), "cuda": cuda}


def restore_random_state(state: dict[str, Any]) -> None:
    """Put torch's generators back."""
    torch.set_rng_state(state["cpu"].cpu())
    if state["cuda"] and torch.cuda.is_available():
        torch.cuda.set_rng_state_all([value.cpu() for value in state["cuda"]])
