"""What each loss contributes to a step: its weight, its part of the total, its part of the gradient."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from typing import Any

import attrs
import torch

from fxkit.engine.readout import Readout

# A backward pass costs less than a step: with as many steps for each, all take less than 2 % of the time.
_STEPS_PER_PASS = 50
_DOMINANT = 0.95
_NORM, _PART = "norm/", "part/"


def looks_at_gradients(step: int, validate_every: int, terms: int, steps: int | None) -> bool:
    """Tell whether the gradients of `terms` losses are to be compared in step `step` (from 1) of `steps`.

    So they are in the first step, in steps before validations as often as costs little, and in the last
    of a run that is long enough.
    """
    least = _STEPS_PER_PASS * terms
    apart = max(1, math.ceil(least / validate_every))
    is_last = step == steps and step >= 2 * least
    return step == 1 or is_last or step % (validate_every * apart) == 0


def gradient_norms(
    contributions: Mapping[str, torch.Tensor], weights: Sequence[torch.Tensor]
) -> dict[str, torch.Tensor]:
    """Return the norm of the gradient of each scalar on `weights`, by the names beside losses.

    The graph is kept. A single scalar has the norm 1, as there is nothing to compare it with; where memory
    does not suffice the norms are not numbers.
    """
    alone = len(contributions) == 1
    return {
        _NORM + name: torch.ones_like(value.detach()) if alone else _norm(value, weights)
        for name, value in contributions.items()
    }


def _norm(value: torch.Tensor, weights: Sequence[torch.Tensor]) -> torch.Tensor:
    if not value.requires_grad:
        return value.new_zeros(())
    try:
        found = torch.autograd.grad(value, weights, retain_graph=True, allow_unused=True)
    except torch.OutOfMemoryError:
        return value.new_full((), math.nan)
    gradients = [gradient for gradient in found if gradient is not None]
    return torch.nn.utils.get_total_norm(gradients).to(value) if gradients else value.new_zeros(())


def part_values(parts: Mapping[str, tuple[float, torch.Tensor]]) -> dict[str, torch.Tensor]:
    """Return the means of the parts of losses that are sums, by their names in `Account.beside`."""
    return {_PART + name: value.detach().mean() for name, (_, value) in parts.items()}


@attrs.frozen(kw_only=True)
class Account:
    """Hold what the losses of one step came to.

    `step` counts from 1; `weights` go by the names of the terms, `inner` has the weights of the parts of
    terms that are sums, by "term.part". `losses` holds raw values, and beside them those of these parts and
    the norms of gradients where they were looked at.
    """

    step: int
    weights: Mapping[str, float]
    inner: Mapping[str, float]
    losses: Readout

    @property
    def compares_gradients(self) -> bool:
        """Tell whether the norms of gradients are there."""
        return any(name.startswith(_NORM) for name in self.losses.beside_names)

    @property
    def weighted(self) -> dict[str, float]:
        """Return term -> its part of the total."""
        return {name: weight * self.losses[name] for name, weight in self.weights.items()}

    @property
    def shares(self) -> dict[str, float]:
        """Return term -> share of the norms of all terms' gradients; empty where these were not looked at."""
        beside = self.losses.beside()
        norms = {name: beside[_NORM + name] for name in self.weights if _NORM + name in beside}
        total = sum(norms.values())
        return {name: norm / total if total else 0.0 for name, norm in norms.items()}

    def parts(self) -> dict[str, dict[str, float]]:
        """Return "term.part" -> raw value, weight in the total, and their product."""
        return {name: self._part(name, inner) for name, inner in self.inner.items()}

    def _part(self, name: str, inner: float) -> dict[str, float]:
        term = max((one for one in self.weights if name.startswith(f"{one}.")), key=len)
        weight, raw = self.weights[term] * inner, self.losses.beside()[_PART + name]
        return {"raw": raw, "weight": weight, "weighted": weight * raw}

    def record(self) -> dict[str, Any]:
        """Return what the journal keeps of it."""
        found = {"gradient_share": self.shares, "parts": self.parts()}
        given = {name: values for name, values in found.items() if values}
        return {"weights": dict(self.weights), "weighted": self.weighted, **given}

    def figures(self) -> dict[str, float]:
        """Return the same as flat figures, for logs that draw curves."""
        named = {"weight": self.weights, "weighted": self.weighted, "gradient_share": self.shares}
        flat = {f"{kind}/{name}": value for kind, values in named.items() for name, value in values.items()}
        return {**flat, **{f"raw/{name}": part["raw"] for name, part in self.parts().items()}}

    def state_dict(self) -> dict[str, Any]:
        """Return it as plain values."""
        return {
            "step": self.step,
            "weights": dict(self.weights),
            "inner": dict(self.inner),
            "losses": self.losses.state_dict(),
        }

    @classmethod
    def of_state(cls, state: Mapping[str, Any]) -> Account:
        """Return what `state_dict` was made from."""
        return cls(
            step=state["step"],
            weights=state["weights"],
            inner=state["inner"],
            losses=Readout.of_state(state["losses"]),
        )


def dominant(shares: Mapping[str, float]) -> str | None:
    """Return the term that makes nearly all of the gradient beside others; None when there is none."""
    return next((name for name, share in shares.items() if share > _DOMINANT and len(shares) > 1), None)


def dominance_line(step: int, name: str, shares: Mapping[str, float]) -> str:
    """Say which term alone is learned by, and what to do."""
    others = ", ".join(f"{one} {share:.1%}" for one, share in shares.items() if one != name)
    return (
        f"step {step}  losses.{name} makes {shares[name]:.1%} of the gradient ({others});"
        f" lower its weight, or raise the others', if these are to be learned by, too"
    )


def summary(account: Account, compared: Account | None) -> str:
    """Say what each of several terms came to, with the shares of the gradient when last `compared`."""
    rows = [
        (name, account.losses[name], weight, account.weighted[name])
        for name, weight in account.weights.items()
    ]
    rows += [(name, one["raw"], one["weight"], one["weighted"]) for name, one in account.parts().items()]
    shares = {name: f"{share:.1%}" for name, share in (compared.shares if compared else {}).items()}
    head = f"losses of step {account.step}"
    if compared is not None and compared.step != account.step:
        head += f", shares of the gradient of step {compared.step}"
    table = [
        (name, f"{raw:.5g}", f"x {weight:.4g}", f"= {product:.5g}") for name, raw, weight, product in rows
    ]
    widths = [max(len(row[column]) for row in table) for column in range(4)]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)) for row in table]
    told = [
        f"  {line}  {shares[row[0]]:>6} of the gradient" if row[0] in shares else f"  {line}".rstrip()
        for line, row in zip(lines, table, strict=True)
    ]
    return "\n".join([head, *told])
