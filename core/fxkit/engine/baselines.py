"""Measure what no model is needed for: silence, the input itself, and its best single gain."""

from __future__ import annotations

from collections.abc import Callable

import torch

from fxkit.engine.evaluation import score, whole_batch
from fxkit.engine.material import Material
from fxkit.engine.objective import Term
from fxkit.values import Batch, Output, Recording

Guess = Callable[[Recording], torch.Tensor]


def baselines(terms: tuple[Term, ...], material: Material) -> dict[str, dict[str, float]]:
    """Return baseline name -> metric name -> mean over the recordings.

    "input" and "gain" exist only where there is a dry input with the target's channels. The best
    gain is the least-squares one of each recording, found on the part that is scored.
    """
    guesses: dict[str, Guess] = {"silence": lambda r: torch.zeros_like(r.target)}
    if all(r.input is not None and r.input.shape == r.target.shape for r in material.recordings):
        guesses |= {"input": _dry, "gain": best_gain}
    return {name: _measure(terms, material, guess) for name, guess in guesses.items()}


def _dry(recording: Recording) -> torch.Tensor:
    assert recording.input is not None
    return recording.input


def best_gain(recording: Recording) -> torch.Tensor:
    """Return the input times the gain that brings it closest to the target in least squares."""
    dry = _dry(recording)
    x, y = dry[:, recording.skip :].double(), recording.target[:, recording.skip :].double()
    gain = (x * y).sum() / (x * x).sum().clamp(min=1e-20)
    return dry * float(gain)


def _measure(terms: tuple[Term, ...], material: Material, guess: Guess) -> dict[str, float]:
    scores = []
    with torch.no_grad():
        for recording in material.recordings:
            batch: Batch = whole_batch(recording, {}, "cpu")
            scores.append(score(terms, Output(audio=guess(recording)[None]), batch))
    return {term.name: sum(s[term.name] for s in scores) / len(scores) for term in terms if scores}
