"""Whether a model has come out upside down."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import attrs
import torch

from fxkit.engine.evaluation import Evaluation, Example
from fxkit.engine.objective import Term

# An inverted output with this correlation explains at least a quarter of the target's energy.
_INVERTED = -0.5
_TOGETHER = 2
# Beside a loss of spectra, one that sees the sign has to outweigh it to turn a model over; alone it does.
_DELAY = 'weight = { type = "delayed", begin = 0.3 }'


@attrs.frozen(kw_only=True)
class Polarity:
    """Hold how outputs agree with targets, over all recordings of a split.

    `correlation` is the normalised one, without constant parts, in the channel where it is lowest;
    `channel` counts from 1. `esr` is the error-to-signal ratio there, `inverted_esr` that of the output
    turned upside down.
    """

    correlation: float
    channel: int
    channels: int
    esr: float
    inverted_esr: float

    @property
    def is_inverted(self) -> bool:
        """Tell whether the output is upside down, and not merely unlike the target."""
        return self.correlation < _INVERTED

    def record(self) -> dict[str, Any]:
        """Return what journal and results keep of it."""
        figures = attrs.asdict(self)
        return {**figures, "inverted": self.is_inverted}


def polarity(examples: Iterable[Example]) -> Polarity | None:
    """Measure the polarity of evaluated recordings; None where there is nothing to compare.

    Recordings without an input are left out: no phase of what is synthesised is the right one.
    """
    sums = [_sums(example) for example in examples if example.input is not None]
    if not sums:
        return None
    # Over time and recordings; [channels] each.
    total = torch.stack(sums).sum(dim=0)
    both, found, wanted = total
    power = (found * wanted).sqrt()
    correlation = torch.where(power > 0, both / power.clamp(min=1e-30), torch.zeros_like(both))
    channel = int(correlation.argmin())
    scale = float(wanted[channel])
    if not scale or not bool(total.isfinite().all()):
        return None
    straight, doubled = float(found[channel] + wanted[channel]), 2 * float(both[channel])
    return Polarity(
        correlation=float(correlation[channel]),
        channel=channel + 1,
        channels=len(correlation),
        esr=(straight - doubled) / scale,
        inverted_esr=(straight + doubled) / scale,
    )


def _sums(example: Example) -> torch.Tensor:
    """Return the sums over time of product and squares of output and target, [3, channels]."""
    output, target = (_centred(audio[:, example.skip :]) for audio in (example.prediction, example.target))
    return torch.stack([(output * target).sum(1), output.square().sum(1), target.square().sum(1)])


def _centred(audio: torch.Tensor) -> torch.Tensor:
    wide = audio.double()
    return wide - wide.mean(dim=1, keepdim=True)


@attrs.define
class PolarityWatch:
    """Look at the polarity of every validation, and tell of it once it is certain.

    Losses that see the sign turn a model over by and by, so that with them only the end counts. Where none
    does, two validations in a row are enough: the first may be of a model that has learned nothing yet.
    """

    terms: Sequence[Term]
    in_a_row: int = 0
    told: bool = False

    def line(self, evaluation: Evaluation, found: Polarity | None, *, last: bool) -> str | None:
        """Return what to tell of a validation, or of the `last` evaluation, or None."""
        self.in_a_row = self.in_a_row + 1 if found is not None and found.is_inverted else 0
        if found is None or not self.in_a_row:
            self.told = False
            return None
        may_turn = self.in_a_row < _TOGETHER or not sign_blind(self.terms)
        if not last and (self.told or may_turn):
            return None
        self.told = True
        return f"{_figures(evaluation, found)}; {_advice(self.terms)}"

    def state_dict(self) -> dict[str, Any]:
        """Return what was seen so far."""
        return {"in_a_row": self.in_a_row, "told": self.told}

    def load_state_dict(self, state: Mapping[str, Any]) -> None:
        """Go on from `state_dict`."""
        self.in_a_row, self.told = state["in_a_row"], state["told"]


def _figures(evaluation: Evaluation, found: Polarity) -> str:
    where = f" in channel {found.channel}" if found.channels > 1 else ""
    return (
        f"step {evaluation.step}  polarity: the output is upside down{where}:"
        f" its correlation with the target of {evaluation.split} is {found.correlation:.2f}"
        f" (ESR {found.esr:.3g}, inverted {found.inverted_esr:.3g})"
    )


def _advice(terms: Sequence[Term]) -> str:
    blind = sign_blind(terms)
    if blind:
        return (
            f"no loss of this run sees the sign ({', '.join(blind)}): add one that does, such as esr,"
            f" and let it act alone at first ({_DELAY} for the others),"
            ' or put a node of type "polarity" last in the chain'
        )
    return (
        "its losses that see the sign have not turned it: train longer, or let these act alone at first"
        f" ({_DELAY} for the others)"
    )


def sign_blind(terms: Sequence[Term]) -> tuple[str, ...]:
    """Return the names of the losses that compare with the target when none of them sees the sign."""
    compared = [term for term in terms if term.weight and term.traits.distance]
    return tuple(term.name for term in compared) if all(t.traits.sign_blind for t in compared) else ()
