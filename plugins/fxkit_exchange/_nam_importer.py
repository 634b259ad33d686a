"""The reader behind the `nam` importer."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import torch

from fxkit.values import Imported
from fxkit_exchange import _nam_lstm, _nam_wavenet
from fxkit_exchange._entry import Entry, looks_like, read_json
from fxkit_exchange._weights import split_weights

NODE = "amp"
# NAM keeps the scale of the output twice, once rounded to float32.
SCALE_TOLERANCE = 1e-5
CONTAINER = "SlimmableContainer"

Table = dict[str, Any]
Tensors = Mapping[str, torch.Tensor]


@attrs.frozen(kw_only=True)
class NamReader:
    """Read `.nam` files."""

    size: float
    sample_rate: int | None

    def reads(self, path: Path) -> bool:
        """Tell whether this is a `.nam` file, by name or by content."""
        return path.suffix.lower() == ".nam" or looks_like(path, '"architecture"', '"weights"', '"config"')

    def __call__(self, path: Path) -> Imported:
        """Read the file."""
        document = read_json(path)
        _check_version(document.get("version"))
        model = self._chosen(document)
        architecture = model.get("architecture")
        readers = {"WaveNet": _wavenet, "LSTM": _lstm}
        if architecture.of(str, "the name of an architecture") not in readers:
            raise architecture.fault(
                f"{architecture.value} is not supported; {' and '.join(readers)} are, so train one of those"
            )
        table, weights = readers[architecture.value](model.get("config"), model.get("weights"))
        return Imported(
            sample_rate=self._rate(document, model),
            nodes={NODE: table},
            chain=(NODE,),
            weights={NODE: weights},
            about={
                "architecture": architecture.value,
                "version": document.get("version", "").value,
                "metadata": document.get("metadata", {}).of(dict, "a table"),
            },
        )

    def _chosen(self, document: Entry) -> Entry:
        """Return the model itself: of a container, the smallest that `size` allows for."""
        if document.get("architecture").value != CONTAINER:
            return document
        submodels = document.get("config").get("submodels")
        if not submodels.items():
            raise submodels.fault("is empty; the file holds no model, export it again")
        by_size = sorted(submodels.items(), key=lambda one: one.get("max_value").number())
        fitting = [one for one in by_size if one.get("max_value").number() >= self.size]
        return (fitting[0] if fitting else by_size[-1]).get("model")

    def _rate(self, document: Entry, model: Entry) -> int:
        told = document.get("sample_rate", model.get("sample_rate").value)
        if told.value is None and self.sample_rate is None:
            raise told.fault(
                "is missing, as in files of old versions; if it is 48 kHz, NAM's usual one, add "
                "--set sample_rate=48000"
            )
        return told.whole(self.sample_rate)


def _check_version(version: Entry) -> None:
    text = str(version.value or "0")
    if not re.match(r"0(\.|$)", text):
        raise version.fault(f"is {text}; this reads files of version 0, so update fxkit")


def _wavenet(config: Entry, weights: Entry) -> tuple[Table, Tensors]:
    arrays = _nam_wavenet.read_arrays(config)
    tensors, (rounded,) = split_weights(weights, _nam_wavenet.weight_layout(arrays), rest=1)
    told = config.get("head_scale", rounded).number()
    scale = told if abs(told - rounded) <= SCALE_TOLERANCE else rounded
    return {"type": "wavenet", "arrays": arrays, "head_scale": scale}, tensors


def _lstm(config: Entry, weights: Entry) -> tuple[Table, Tensors]:
    options = _nam_lstm.read_options(config)
    tensors, _ = split_weights(weights, _nam_lstm.weight_layout(**options))
    return {"type": "lstm", **options, "skip": False, "initial": "learned"}, _nam_lstm.to_module(
        tensors, **options
    )
