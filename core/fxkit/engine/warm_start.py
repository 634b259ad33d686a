"""Start a model from the weights of another run."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path

import attrs
import torch

from fxkit.errors import RunError
from fxkit.experiment.wording import suggestion
from fxkit.runs import checkpoint
from fxkit.runs.folder import open_folder
from fxkit.runs.weights import weights_path

Weights = Mapping[str, torch.Tensor]


def require_start(run: Path | None) -> None:
    """Raise `RunError` where a run folder to start from, if any, is none or has no weights."""
    if run is not None:
        _kept(run)


def _kept(run: Path) -> Path:
    try:
        return weights_path(open_folder(run))
    except RunError as error:
        beside = [path.name for path in run.parent.glob("*/") if (path / "resolved.toml").is_file()]
        near = "" if run.is_dir() else suggestion(run.name, beside)
        raise RunError(f"run.init: {error}{near}") from error


def start_from(model: torch.nn.Module, run: Path) -> list[str]:
    """Put the weights of a run folder into a model, node by node as far as names and shapes agree.

    Of a node, or a controller, that fits by less than half of its values nothing is taken. Returns lines
    that say what was taken and what was not. Raises `RunError` when nothing was, or the folder is no run.
    """
    kept = _kept(run)
    given: Weights = checkpoint.load(kept)["model"]
    matches = _matches(model.state_dict(), given)
    taken = {name: given[name] for one in matches if one.counts for name in one.fitting}
    lines = [f"{one.owner}: {one.told}" for one in matches]
    if not taken:
        raise RunError(f"run.init {run}: nothing of it fits this model ({'; '.join(lines)})")
    model.load_state_dict({**model.state_dict(), **taken})
    here = {one.owner for one in matches}
    unused = [owner for owner in dict.fromkeys(map(_owner, given)) if owner not in here]
    left = [f"{owner}: not in this model" for owner in unused]
    return [f"started from {kept}", *(f"  {line}" for line in (*lines, *left))]


@attrs.frozen(kw_only=True)
class Match:
    """Hold how the weights of one node or controller fit: `own` and `given` are shapes by name."""

    owner: str
    own: Mapping[str, torch.Size]
    given: Mapping[str, torch.Size]

    @property
    def fitting(self) -> list[str]:
        """Return the names of what can be taken."""
        return [name for name, shape in self.own.items() if self.given.get(name) == shape]

    @property
    def counts(self) -> bool:
        """Tell whether at least half of the values can be taken."""
        fitting = sum(self.own[name].numel() for name in self.fitting)
        return 2 * fitting >= sum(shape.numel() for shape in self.own.values())

    @property
    def told(self) -> str:
        """Say what is taken, and the first thing that is not."""
        if len(self.fitting) == len(self.own):
            return "taken over"
        first = next(name for name in self.own if name not in self.fitting)
        shape = tuple(self.own[first])
        there = f"{tuple(self.given[first])} there" if first in self.given else "missing there"
        wrong = f"{first.partition('.:')[2].partition('.')[2]} is {shape} here, {there}"
        return (
            f"{len(self.fitting)} of {len(self.own)} tensors ({wrong})" if self.counts else f"left ({wrong})"
        )


def _matches(own: Weights, given: Weights) -> list[Match]:
    return [
        Match(
            owner=owner,
            own={name: value.shape for name, value in own.items() if _owner(name) == owner},
            given={name: value.shape for name, value in given.items() if _owner(name) == owner},
        )
        for owner in dict.fromkeys(map(_owner, own))
    ]


def _owner(name: str) -> str:
    """Return "nodes.amp" of the name of a weight in a model's state."""
    place, _, rest = name.partition(".:")
    return f"{place}.{rest.partition('.')[0].replace(':', '.')}"
