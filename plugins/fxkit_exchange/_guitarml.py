"""The reader behind the `guitarml` importer."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import attrs
import torch

from fxkit.values import Imported
from fxkit_exchange._entry import Entry, looks_like, read_json
from fxkit_exchange._weights import flat_tensor

NODE = "amp"
GATES = {"LSTM": 4, "GRU": 3}


@attrs.frozen(kw_only=True)
class GuitarMLReader:
    """Read the JSON of Automated-GuitarAmpModelling."""

    sample_rate: int

    def reads(self, path: Path) -> bool:
        """Tell whether the file's text names what such a model consists of."""
        return looks_like(path, '"model_data"') and not looks_like(path, '"architecture"')

    def __call__(self, path: Path) -> Imported:
        """Read the file."""
        document = read_json(path)
        told, weights = document.get("model_data"), document.get("state_dict")
        told.get("model", "SimpleRNN").expect(("SimpleRNN",), "a network of this kind is")
        unit = told.get("unit_type").of(str, "LSTM or GRU")
        if unit not in GATES:
            raise told.get("unit_type").fault(f"{unit} is not supported; LSTM and GRU are")
        told.get("output_size", 1).expect((1,), "more than one output is")
        told.get("skip", 0).expect((0, 1), "skipping more than one input is")
        told.get("bias_fl", True).expect((True,), "a network without biases is")
        inputs, hidden = told.get("input_size").whole(), told.get("hidden_size").whole()
        layers = told.get("num_layers", 1).whole()
        knobs = dict.fromkeys(_knob_names(inputs - 1), (0.0, 1.0))
        options = {"hidden": hidden, "layers": layers, "skip": bool(told.get("skip", 0).value)}
        return Imported(
            sample_rate=self.sample_rate,
            nodes={NODE: {"type": unit.lower(), **options, **_conditioned(knobs)}},
            chain=(NODE,),
            knobs=knobs,
            weights={NODE: _tensors(weights, inputs, hidden, layers, GATES[unit])},
            about={"architecture": f"{unit} {layers}x{hidden}", "sample_rate": "not in the file"},
        )


def _knob_names(count: int) -> tuple[str, ...]:
    return ("knob",) if count == 1 else tuple(f"knob-{number}" for number in range(1, count + 1))


def _conditioned(knobs: Mapping[str, Any]) -> dict[str, Any]:
    if not knobs:
        return {}
    return {"conditioning": {"type": "concat", "size": len(knobs)}, "controller": {"type": "knobs"}}


def _tensors(weights: Entry, inputs: int, hidden: int, layers: int, gates: int) -> dict[str, torch.Tensor]:
    """Return the weights of `lstm` and `gru`, which are torch's own as in the file."""
    shapes = {"lin.weight": (1, hidden), "lin.bias": (1,)}
    for layer in range(layers):
        width = inputs if layer == 0 else hidden
        shapes[f"rec.weight_ih_l{layer}"] = (gates * hidden, width)
        shapes[f"rec.weight_hh_l{layer}"] = (gates * hidden, hidden)
        shapes[f"rec.bias_ih_l{layer}"] = shapes[f"rec.bias_hh_l{layer}"] = (gates * hidden,)
    unknown = sorted(weights.of(dict, "a table").keys() - shapes.keys())
    if unknown:
        raise weights.get(unknown[0]).fault("belongs to no network of this kind, which the file says it is")
    return {_name(name): _shaped(weights.get(name), shape) for name, shape in shapes.items()}


def _name(name: str) -> str:
    return name.replace("rec.", "recurrent.").replace("lin.", "head.")


def _shaped(entry: Entry, shape: tuple[int, ...]) -> torch.Tensor:
    values = flat_tensor(entry)
    if tuple(values.shape) != shape:
        raise entry.fault(
            f"is of shape {tuple(values.shape)}, and the network needs {shape}; download it again"
        )
    return values


def write_samples(folder: Path) -> tuple[Path, ...]:
    """Write a small LSTM and a small GRU with a knob."""
    folder.mkdir(parents=True, exist_ok=True)
    return tuple(_sample(folder / f"{unit}.json", unit, inputs) for unit, inputs in (("LSTM", 1), ("GRU", 2)))


def _sample(path: Path, unit: str, inputs: int) -> Path:
    recurrent = {"LSTM": torch.nn.LSTM, "GRU": torch.nn.GRU}[unit](inputs, 3)
    named = {"rec": recurrent, "lin": torch.nn.Linear(3, 1)}
    told = {
        "model": "SimpleRNN", "input_size": inputs, "skip": 1, "output_size": 1, "unit_type": unit,
        "num_layers": 1, "hidden_size": 3, "bias_fl": True,
    }  # fmt: skip
    weights = {
        f"{part}.{name}": value.tolist()
        for part, module in named.items()
        for name, value in module.state_dict().items()
    }
    path.write_text(json.dumps({"model_data": told, "state_dict": weights}), encoding="utf-8")
    return path
