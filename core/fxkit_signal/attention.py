"""Causal attention over a window of fixed length, in which only distances count."""

from __future__ import annotations

import torch
from torch import Tensor
from torch.nn import functional

BASE = 10000.0


def windowed_attention(query: Tensor, key: Tensor, value: Tensor, window: int) -> Tensor:
    """Attend from each token to the last `window` tokens, itself included.

    `query` [batch, heads, tokens, size], `key` and `value` [batch, heads, window - 1 + tokens, size]: those
    of the `window` - 1 tokens before come first. Returns [batch, heads, tokens, size]. Queries and keys are
    turned by their places (Su et al., "RoFormer: enhanced transformer with rotary position embedding", 2021,
    eq. 15 and 34), counted inside a stretch of at most two windows: products depend on the distance alone,
    so nothing grows with the length of the signal, and memory and time are linear in it.
    """
    batch, _, tokens, _ = query.shape
    stride = min(tokens, window)
    stretches = -(-tokens // stride)
    lack = stretches * stride - tokens
    rows = functional.pad(query, (0, 0, 0, lack)).unflatten(2, (stretches, stride))
    keys, values = (_stretches(item, stride, window, lack) for item in (key, value))
    places = torch.arange(stride + window - 1, device=query.device)
    distance = places[None, window - 1 :].mT - places
    found = functional.scaled_dot_product_attention(
        _joined(turned(rows, places[window - 1 :])),
        _joined(turned(keys, places)),
        _joined(values),
        attn_mask=(distance >= 0) & (distance < window),
    )
    joined: Tensor = found.unflatten(0, (batch, stretches)).transpose(1, 2).flatten(2, 3)[:, :, :tokens]
    return joined


def turned(vectors: Tensor, places: Tensor) -> Tensor:
    """Turn the pairs of `vectors` [..., places, size] by angles that grow with `places` [places].

    Pair i (elements i and i + size / 2) turns by BASE ** (-2 i / size) radians per place. `size` is even.
    """
    half = vectors.shape[-1] // 2
    rates = BASE ** (-torch.arange(half, device=vectors.device, dtype=vectors.dtype) / half)
    angles = places[:, None].to(vectors.dtype) * rates
    cosine, sine = angles.cos(), angles.sin()
    first, second = vectors[..., :half], vectors[..., half:]
    return torch.cat((first * cosine - second * sine, first * sine + second * cosine), dim=-1)


def _stretches(items: Tensor, stride: int, window: int, lack: int) -> Tensor:
    """Cut [batch, heads, n, size] into overlapping stretches [batch, heads, stretches, length, size]."""
    padded = functional.pad(items, (0, 0, 0, lack))
    return padded.unfold(2, stride + window - 1, stride).transpose(-1, -2)


def _joined(items: Tensor) -> Tensor:
    return items.transpose(1, 2).flatten(0, 1)
