"""The LSTM of a `.nam` file: its configuration as options of `lstm`, and the order of its weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import torch

from fxkit_exchange._entry import Entry
from fxkit_exchange._weights import Layout


def read_options(config: Entry) -> dict[str, int]:
    """Return the units per layer and the layers; raises `DataError` for what `lstm` has not."""
    config.get("input_size", 1).expect((1,), "an LSTM that reads more than mono audio is")
    return {"hidden": config.get("hidden_size").whole(), "layers": config.get("num_layers", 1).whole()}


def weight_layout(hidden: int, layers: int) -> Layout:
    """Return the tensors of the file: per layer both matrices in one, a bias and the state at the start."""
    return tuple(_layout(hidden, layers))


def _layout(hidden: int, layers: int) -> Iterator[tuple[str, tuple[int, ...]]]:
    for layer in range(layers):
        inputs = 1 if layer == 0 else hidden
        yield f"matrix_l{layer}", (4 * hidden, inputs + hidden)
        yield f"bias_l{layer}", (4 * hidden,)
        yield f"hidden_l{layer}", (hidden,)
        yield f"cell_l{layer}", (hidden,)
    yield "head.weight", (1, hidden)
    yield "head.bias", (1,)


def to_module(tensors: Mapping[str, torch.Tensor], hidden: int, layers: int) -> dict[str, torch.Tensor]:
    """Return the weights of `lstm` that tensors of the file stand for."""
    found = {name: tensors[name] for name in ("head.weight", "head.bias")}
    for layer in range(layers):
        matrix, bias = tensors[f"matrix_l{layer}"], tensors[f"bias_l{layer}"]
        found[f"recurrent.weight_ih_l{layer}"] = matrix[:, :-hidden].clone()
        found[f"recurrent.weight_hh_l{layer}"] = matrix[:, -hidden:].clone()
        found[f"recurrent.bias_ih_l{layer}"] = bias
        found[f"recurrent.bias_hh_l{layer}"] = torch.zeros_like(bias)
    for name in ("hidden", "cell"):
        found[f"initial_{name}"] = torch.stack([tensors[f"{name}_l{layer}"] for layer in range(layers)])
    return found


def to_file(weights: Mapping[str, torch.Tensor], hidden: int, layers: int) -> dict[str, torch.Tensor]:
    """Return the tensors of the file for weights of `lstm`; without a state to start from, it is zero."""
    found = {name: weights[name] for name in ("head.weight", "head.bias")}
    for layer in range(layers):
        given = [weights[f"recurrent.{name}_l{layer}"] for name in ("weight_ih", "weight_hh")]
        found[f"matrix_l{layer}"] = torch.cat(given, dim=1)
        found[f"bias_l{layer}"] = (
            weights[f"recurrent.bias_ih_l{layer}"] + weights[f"recurrent.bias_hh_l{layer}"]
        )
        for name in ("hidden", "cell"):
            start = weights.get(f"initial_{name}")
            found[f"{name}_l{layer}"] = torch.zeros(hidden) if start is None else start[layer]
    return found
