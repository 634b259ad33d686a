"""Measure what takes no model: silence, the input itself, its best gain, its best linear filter, noise."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence

import torch

from fxkit.engine.evaluation import whole_batch
from fxkit.engine.material import Material
from fxkit.engine.objective import Term, aligned, measure
from fxkit.values import Batch, Output, Recording, Shared
from fxkit_signal.linear_fit import Pair, apply_fit, linear_fit
from fxkit_signal.noise_like import average_spectrum, noise_like

# The linear filter's length, and how many samples of the training recordings it is fitted on at most.
TAPS = 1024
MOST_SAMPLES = 10_000_000

_SILENT = 1e-12

Guess = Callable[[Recording], torch.Tensor]


def baselines(
    terms: Sequence[Term],
    material: Material,
    training: Sequence[Recording] = (),
    *,
    device: str = "cpu",
    taps: int = TAPS,
) -> dict[str, dict[str, float]]:
    """Return baseline name -> metric name -> mean over the recordings of `material`.

    "silence" always. Where there is a dry input: "input", unchanged, and "gain", the input at the
    gain that suits each recording best, where it has the target's channels; and "filter", the causal
    linear filter of `taps` taps with the least error on the `training` recordings, each of which counts
    alike however loud it is. Without an input: "noise" with the average spectrum of the training
    recordings, as loud from moment to moment as the recording. Metrics that read terms of the model are
    left out.
    """
    terms = [term for term in terms if not term.traits.terms]
    guesses = dict(_guesses(material.recordings, training, taps))
    scores: dict[str, list[dict[str, float]]] = {name: [] for name in guesses}
    for recording in material.recordings:
        for name, figures in _measured(terms, recording, guesses, device):
            scores[name].append(figures)
    return {name: _means(figures) for name, figures in scores.items()}


def _guesses(
    recordings: Sequence[Recording], training: Sequence[Recording], taps: int
) -> Iterator[tuple[str, Guess]]:
    if not recordings:
        return
    yield "silence", lambda recording: torch.zeros_like(recording.target)
    if all(one.input is not None and one.input.shape == one.target.shape for one in recordings):
        yield "input", _dry
        yield "gain", best_gain
    if not training:
        return
    if all(one.input is not None for one in (*recordings, *training)):
        filters = _fitted(training, taps)
        yield "filter", lambda recording: apply_fit(filters, _dry(recording))
    elif all(one.input is None for one in recordings):
        spectrum = average_spectrum([one.target for one in training])
        yield "noise", lambda recording: noise_like(recording.target, spectrum)


def _fitted(training: Sequence[Recording], taps: int) -> torch.Tensor:
    pairs = tuple(_pairs(training))
    if pairs:
        return linear_fit(pairs, taps)
    first = training[0]
    return torch.zeros(len(first.target), len(_dry(first)), 1)


def _pairs(training: Sequence[Recording]) -> Iterator[Pair]:
    share = MOST_SAMPLES // len(training)
    for recording in training:
        stop = recording.skip + share
        dry, target = _dry(recording)[:, :stop].double(), recording.target[:, :stop].double()
        energy = float(target[:, recording.skip :].square().sum())
        if energy > _SILENT:
            yield dry / energy**0.5, target / energy**0.5, recording.skip


def _dry(recording: Recording) -> torch.Tensor:
    assert recording.input is not None
    return recording.input


def best_gain(recording: Recording) -> torch.Tensor:
    """Return the input times the gain that brings it closest to the target in least squares."""
    dry = _dry(recording)
    x, y = dry[:, recording.skip :].double(), recording.target[:, recording.skip :].double()
    gain = (x * y).sum() / (x * x).sum().clamp(min=1e-20)
    return dry * float(gain)


@torch.no_grad()
def _measured(
    terms: Sequence[Term], recording: Recording, guesses: Mapping[str, Guess], device: str
) -> Iterator[tuple[str, dict[str, float]]]:
    batch: Batch = whole_batch(recording, {}, device)
    # What the losses make of the target is made once for all guesses.
    shared, scored = Shared(), aligned(Output(audio=batch.target), batch)[1]
    for name, guess in guesses.items():
        audio = guess(recording)[None, :, recording.skip :].to(device)
        values = measure(terms, Output(audio=audio), scored, shared)
        yield name, {metric: float(value.mean()) for metric, value in values.items()}


def _means(scores: Sequence[Mapping[str, float]]) -> dict[str, float]:
    return {name: sum(one[name] for one in scores) / len(scores) for name in scores[0]} if scores else {}
