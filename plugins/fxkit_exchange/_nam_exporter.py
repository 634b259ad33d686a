"""The writer behind the `nam` exporter."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from pathlib import Path
from typing import Any

import attrs
import torch

from fxkit.errors import RunError
from fxkit.files import strict_json, write_text
from fxkit.importing import assemble
from fxkit.model.graph import Model
from fxkit.model.plan import NodePlan
from fxkit_exchange import _nam_lstm, _nam_wavenet
from fxkit_exchange._nam_importer import SCALE_TOLERANCE, NamReader
from fxkit_exchange._nam_level import loudness_and_gain, pink_noise
from fxkit_exchange._weights import join_weights

Content = dict[str, Any]
# Of the largest sample: float32 through another order of sums.
TOLERANCE = 1e-5


@attrs.frozen(kw_only=True)
class NamWriter:
    """Write `.nam` files."""

    name: str
    metadata: Mapping[str, Any]

    def __call__(self, model: Model, folder: str) -> Sequence[str]:
        """Write the file, read it back, and note how far that is from the model.

        Raises `RunError` for a model that no such file can hold.
        """
        node = _only_node(model)
        content = _WRITERS[node.part.plugin](node, model.node(node.name).state_dict())
        path = Path(folder) / f"{self.name}.nam"
        content["sample_rate"] = node.ctx.sample_rate
        content["metadata"] = {**self.metadata, "date": _date(), **loudness_and_gain(model)}
        try:
            write_text(path, strict_json(content))
            content["metadata"]["parity"] = _parity(model, path)
        except BaseException:
            path.unlink(missing_ok=True)
            raise
        write_text(path, strict_json(content))
        return (str(path),)


def _only_node(model: Model) -> NodePlan:
    nodes = list(model.plan.nodes.values())
    kinds = ", ".join(node.part.name for node in nodes)
    wanted = "a .nam file holds one wavenet or one lstm and nothing else"
    if len(nodes) != 1 or nodes[0].part.plugin not in _WRITERS:
        raise RunError(f"{wanted}; this model is {kinds}")
    node = nodes[0]
    if node.part.spec.conditioning is not None:
        raise RunError(f"nodes.{node.name}: has a conditioning; {wanted}, no knobs either")
    if node.ctx.channels != 1:
        raise RunError(f"nodes.{node.name}: takes {node.ctx.channels} channels; a .nam file is mono")
    return node


def _wavenet(node: NodePlan, weights: Mapping[str, torch.Tensor]) -> Content:
    spec = node.part.spec
    arrays = [attrs.asdict(array) for array in spec.arrays]
    version, config = _nam_wavenet.write_config(arrays, spec.head_scale)
    values = join_weights(weights, _nam_wavenet.weight_layout(arrays))
    return {
        "version": version,
        "architecture": "WaveNet",
        "config": config,
        "weights": [*values, spec.head_scale],
    }


def _lstm(node: NodePlan, weights: Mapping[str, torch.Tensor]) -> Content:
    spec = node.part.spec
    for differs, what in ((spec.skip, "skip = true"), (spec.output != "linear", f'output = "{spec.output}"')):
        if differs:
            raise RunError(f"nodes.{node.name}: has {what}, which no .nam file can say; train it without")
    tensors = _nam_lstm.to_file(weights, spec.hidden, spec.layers)
    return {
        "version": "0.5.4",
        "architecture": "LSTM",
        "config": {"input_size": 1, "hidden_size": spec.hidden, "num_layers": spec.layers},
        "weights": join_weights(tensors, _nam_lstm.weight_layout(spec.hidden, spec.layers)),
    }


_WRITERS = {"fxkit/wavenet": _wavenet, "fxkit/lstm": _lstm}


def _date() -> dict[str, int]:
    now = datetime.now()
    return {unit: getattr(now, unit) for unit in ("year", "month", "day", "hour", "minute", "second")}


def _parity(model: Model, path: Path) -> dict[str, Any]:
    """Return the largest difference between the model and what the file gives, on a second of noise."""
    again = assemble(NamReader(size=1.0, sample_rate=None)(path), path).model
    noise = pink_noise(next(iter(model.plan.nodes.values())).ctx.sample_rate)[None, None]
    with torch.inference_mode():
        expected, found = model(noise).audio, again(noise).audio
    error, peak = float((found - expected).abs().max()), float(expected.abs().max())
    if not error <= TOLERANCE * max(peak, SCALE_TOLERANCE):
        raise RunError(f"{path}: gives other samples than the model, by up to {error:g}; it was not kept")
    return {"largest_error": error, "peak": peak, "samples": noise.shape[-1], "checked_by": "fxkit"}
