"""Checks of transforms and embeddings."""

from __future__ import annotations

from typing import Any

import attrs
import torch

from fxkit.testing.check import distance, promise
from fxkit.testing.plain import PlainCase, check_that_options_act, shown
from fxkit.values import Batch

SAMPLES = 4096


def batch_of(size: int = 4, *, channels: int = 1) -> Batch:
    """Return dry and wet noise."""
    draw = torch.Generator().manual_seed(6)
    dry = 0.3 * torch.randn(size, channels, SAMPLES, generator=draw)
    return Batch(input=dry, target=torch.tanh(2 * dry), warmup=256)


def _applied(case: PlainCase, batch: Batch, seed: int = 0) -> Batch:
    changed: Batch = case.build()(batch, torch.Generator().manual_seed(seed))
    return changed


def check_transform_keeps_shape(case: PlainCase) -> None:
    """Check that input and target keep type, stay finite, aligned and as they were given."""
    for channels in (1, 2):
        batch, before = batch_of(channels=channels), batch_of(channels=channels)
        after = _applied(case, batch)
        same = torch.equal(batch.target, before.target) and torch.equal(_dry(batch), _dry(before))
        promise(same, case, "changes the batch that it is given; return a new one")
        for side, audio in (("target", after.target), ("input", _dry(after))):
            fits = audio.dtype == torch.float32 and bool(audio.isfinite().all())
            promise(fits, case, f"makes the {side} {audio.dtype}, or not finite")
        lengths = (after.target.shape[-1], _dry(after).shape[-1])
        promise(
            lengths[0] == lengths[1],
            case,
            f"makes the target {lengths[0]} samples and the input {lengths[1]}",
        )
        promise(
            after.target.shape[0] == _dry(after).shape[0], case, "makes target and input of different batches"
        )


def check_transform_randomness(case: PlainCase) -> None:
    """Check that all randomness comes from the generator: the same seed, the same batch."""
    before = torch.random.get_rng_state()
    first = _applied(case, batch_of())
    promise(torch.equal(torch.random.get_rng_state(), before), case, "draws from torch's global generator")
    torch.rand(3)
    again = _applied(case, batch_of())
    same = torch.equal(first.target, again.target) and torch.equal(_dry(first), _dry(again))
    promise(same, case, "gives another batch for the same seed")


def check_transform_without_input(case: PlainCase) -> None:
    """Check that material without a dry side goes through."""
    after = _applied(case, attrs.evolve(batch_of(), input=None))
    promise(after.input is None, case, "invents an input")


def check_transform_options(case: PlainCase) -> None:
    """Check that each option of the transform makes a difference, for one of several seeds."""

    def observe(spec: Any) -> Any:
        changed = attrs.evolve(case, spec=spec)
        batches = [_applied(changed, batch_of(), seed) for seed in range(4)]
        return [(shown(batch.target), shown(_dry(batch))) for batch in batches]

    check_that_options_act(case, observe)


def _dry(batch: Batch) -> torch.Tensor:
    assert batch.input is not None
    return batch.input


def _windows(embedding: Any) -> torch.Tensor:
    """Return three windows of noise, as long as the embedding takes them."""
    draw = torch.Generator().manual_seed(6)
    return 0.3 * torch.randn(3, 1, int(embedding.samples), generator=draw)


def check_embedding_shape(case: PlainCase) -> None:
    """Check that there is one finite vector per window, and that window, hop and provenance are told."""
    embedding = case.build()
    for name in ("samples", "hop"):
        length = getattr(embedding, name, None)
        promise(isinstance(length, int) and length > 0, case, f"has no {name}, a number of samples above 0")
    audio = _windows(embedding)
    vectors = embedding(audio)
    promise(vectors.ndim == 2 and len(vectors) == 3, case, f"yields {tuple(vectors.shape)} for 3 windows")
    finite = bool(vectors.isfinite().all()) and bool(embedding(torch.zeros_like(audio)).isfinite().all())
    promise(finite, case, "is not finite, on noise or on silence")
    promise(bool(getattr(embedding, "provenance", "")), case, "does not say where it comes from (provenance)")


def check_embedding_items(case: PlainCase) -> None:
    """Check that a vector depends on its own window alone, and is the same again."""
    embedding = case.build()
    audio = _windows(embedding)
    together = embedding(audio)
    promise(torch.equal(embedding(audio), together), case, "yields other vectors on a second call")
    error = distance(embedding(audio[:1]), together[:1])
    promise(error <= 1e-5, case, f"changes a vector by {error:.1e} when its neighbours in the batch change")
    other = embedding(audio.flip(0) * 0.5 + 0.1)
    promise(not torch.equal(other, together), case, "yields the same whatever the audio is")


def check_embedding_options(case: PlainCase) -> None:
    """Check that each option of the embedding makes a difference, on noise or next to silence."""

    def observe(spec: Any) -> Any:
        embedding = attrs.evolve(case, spec=spec).build()
        audio = _windows(embedding)
        loud, quiet = shown(embedding(audio)), shown(embedding(1e-6 * audio))
        return embedding.samples, embedding.hop, loud, quiet

    check_that_options_act(case, observe)
