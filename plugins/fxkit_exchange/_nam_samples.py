"""Small `.nam` files with random weights, to try the importer on."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import torch

from fxkit_exchange import _nam_lstm, _nam_wavenet
from fxkit_exchange._weights import Layout

ARRAYS: tuple[Mapping[str, Any], ...] = (
    {"channels": 3, "dilations": [1, 2], "kernel": 3, "gating": "none", "head_kernel": 1, "head_bias": False},
    {"channels": 2, "dilations": [4], "kernel": 2, "gating": "none", "head_kernel": 1, "head_bias": True},
)


def write_samples(folder: Path) -> tuple[Path, ...]:
    """Write a WaveNet of an old version without a rate, an LSTM, and a container of two sizes."""
    small, large = (_model("LSTM", {"hidden_size": n}, _nam_lstm.weight_layout(n, 1), seed=n) for n in (2, 3))
    submodels = [{"max_value": 0.5, "model": small}, {"max_value": 1.0, "model": large}]
    container = {**_model("SlimmableContainer", {"submodels": submodels}, ()), "sample_rate": 48000}
    models = {
        "old": {**_wavenet(), "version": "0.5.4"},
        "lstm": {**large, "sample_rate": 44100},
        "container": container,
    }
    return tuple(_written(folder / f"{name}.nam", model) for name, model in models.items())


def _wavenet() -> dict[str, Any]:
    layers = [
        {
            "input_size": given, "condition_size": 1, "head_size": head, "channels": array["channels"],
            "kernel_size": array["kernel"], "dilations": array["dilations"], "activation": "Tanh",
            "gated": False, "head_bias": array["head_bias"],
        }
        for array, given, head in zip(ARRAYS, (1, 3), (2, 1), strict=True)
    ]  # fmt: skip
    config = {"layers": layers, "head": None, "head_scale": 0.02}
    model = _model("WaveNet", config, _nam_wavenet.weight_layout(ARRAYS))
    return {**model, "weights": [*model["weights"], 0.02]}


def _model(architecture: str, config: Mapping[str, Any], layout: Layout, *, seed: int = 0) -> dict[str, Any]:
    return {
        "version": "0.7.0",
        "metadata": {"name": "sample"},
        "architecture": architecture,
        "config": dict(config),
        "weights": _drawn([shape for _, shape in layout], seed),
    }


def _drawn(shapes: Sequence[tuple[int, ...]], seed: int) -> list[float]:
    draw = torch.Generator().manual_seed(seed)
    return [
        value for shape in shapes for value in (0.5 * torch.randn(shape, generator=draw)).flatten().tolist()
    ]


def _written(path: Path, model: Mapping[str, Any]) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(model), encoding="utf-8")
    return path
