"""The WaveNet of a `.nam` file: its configuration as options of `wavenet`, and the order of its weights."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

from fxkit_exchange._entry import Entry
from fxkit_exchange._weights import Layout

# NAM's name -> the option's value, and the settings that NAM gives it.
ACTIVATIONS: Mapping[str, tuple[str, Mapping[str, float]]] = {
    "Tanh": ("tanh", {}),
    "ReLU": ("relu", {}),
    "LeakyReLU": ("leaky-relu", {"negative_slope": 0.01}),
    "Sigmoid": ("sigmoid", {}),
    "SiLU": ("silu", {}),
    "Hardtanh": ("hardtanh", {"min_val": -1.0, "max_val": 1.0}),
    "Hardswish": ("hardswish", {}),
    "Softsign": ("softsign", {}),
    "Softsigmoid": ("softsigmoid", {}),
    "LeakyHardtanh": (
        "leaky-hardtanh",
        {"min_val": -1.0, "max_val": 1.0, "min_slope": 0.01, "max_slope": 0.01},
    ),
}
FILMS = (
    "conv_pre_film", "conv_post_film", "input_mixin_pre_film", "input_mixin_post_film",
    "activation_pre_film", "activation_post_film", "layer1x1_post_film", "head1x1_post_film",
)  # fmt: skip
KNOWN = {
    "input_size", "condition_size", "head_size", "head_bias", "head", "channels", "kernel_size",
    "kernel_sizes", "dilations", "activation", "gated", "gating_mode", "secondary_activation", "bottleneck",
    "head1x1", "layer1x1", "groups_input", "groups_input_mixin", "slimmable", *FILMS,
}  # fmt: skip


def read_arrays(config: Entry) -> list[dict[str, Any]]:
    """Return the `arrays` option that a configuration stands for.

    Raises `DataError` for what the network has that `wavenet` has not.
    """
    config.get("head").expect((None,), "a network behind the last array is")
    config.get("condition_dsp").expect((None,), "a network that makes the condition is")
    layers = config.get("layers").items()
    if not layers:
        raise config.get("layers").fault("is empty; a WaveNet has at least one array of layers")
    arrays = [_array(layer) for layer in layers]
    _check_widths(layers, arrays)
    return arrays


def _array(layer: Entry) -> dict[str, Any]:
    _refuse_what_differs(layer)
    dilations = [one.whole() for one in layer.get("dilations").items()]
    channels = layer.get("channels").whole()
    bottleneck = layer.get("bottleneck").whole(channels)
    head = layer.get("head")
    old = head.value is None
    return {
        "channels": channels,
        "dilations": dilations,
        "kernel": _kernel(layer),
        **({} if bottleneck == channels else {"bottleneck": bottleneck}),
        **_bends(layer),
        "head_kernel": 1 if old else head.get("kernel_size", 1).whole(),
        "head_bias": (layer.get("head_bias", False) if old else head.get("bias", False)).of(
            bool, "true or false"
        ),
    }


def _refuse_what_differs(layer: Entry) -> None:
    layer.get("head1x1", {}).get("active", False).expect((False,), "a 1x1 convolution before the head is")
    layer.get("layer1x1", {}).get("active", True).expect((True,), "layers without a 1x1 convolution are")
    layer.get("layer1x1", {}).get("groups", 1).expect((1,), "convolutions in groups are")
    layer.get("groups_input", 1).expect((1,), "convolutions in groups are")
    layer.get("groups_input_mixin", 1).expect((1,), "convolutions in groups are")
    for name in FILMS:
        film = layer.get(name, False)
        (film.get("active", True) if film.value else film).expect((False,), "FiLM inside of the layers is")
    unknown = [name for name, value in layer.of(dict, "a table").items() if name not in KNOWN and value]
    if unknown:
        raise layer.fault(f"says {unknown[0]}, which is not known and may change the sound")


def _kernel(layer: Entry) -> int | list[int]:
    entry = (
        layer.get("kernel_sizes") if layer.get("kernel_sizes").value is not None else layer.get("kernel_size")
    )
    if not isinstance(entry.value, list):
        return entry.whole()
    taps = [one.whole() for one in entry.items()]
    return taps[0] if len(set(taps)) == 1 else taps


def _bends(layer: Entry) -> dict[str, str]:
    gated = layer.get("gated", False).of(bool, "true or false")
    mode = _only(layer.get("gating_mode", "gated" if gated else "none"))
    mode.expect(("none", "gated", "blended"), "this gating is")
    bend = {"activation": _activation(_only(layer.get("activation"))), "gating": mode.value}
    if mode.value == "none":
        return bend
    secondary = layer.get("secondary_activation", "Sigmoid")
    return {**bend, "gate": _activation(_only(secondary))}


def _only(entry: Entry) -> Entry:
    """Return the one value that a list repeats for each layer."""
    if not isinstance(entry.value, list):
        return entry
    first = entry.items()[0] if entry.value else entry
    if any(one.value != first.value for one in entry.items()):
        raise entry.fault("differs between the layers of one array, which is not supported")
    return first


def _activation(entry: Entry) -> str:
    told = entry.value if isinstance(entry.value, dict) else {"type": entry.value}
    name = str(told.get("type", told.get("name")))
    if name not in ACTIVATIONS:
        raise entry.fault(f"the activation {name} is not supported; these are: {', '.join(ACTIVATIONS)}")
    option, settings = ACTIVATIONS[name]
    for key, value in told.items():
        if key not in ("type", "name") and value != settings.get(key):
            raise entry.fault(
                f"{name} with {key} {value} is not supported; {settings.get(key, 'without')} is"
            )
    return option


def _check_widths(layers: Sequence[Entry], arrays: Sequence[Mapping[str, Any]]) -> None:
    inputs = (1, *(array["channels"] for array in arrays))
    heads = (*(heard(array) for array in arrays[1:]), 1)
    for layer, given, wanted in zip(layers, inputs, heads, strict=False):
        _check_width(layer.get("input_size", given), given)
        _check_width(layer.get("condition_size", 1), 1)
        head = layer.get("head")
        _check_width(layer.get("head_size") if head.value is None else head.get("out_channels"), wanted)


def _check_width(entry: Entry, wanted: int) -> None:
    if entry.whole() != wanted:
        raise entry.fault(f"is {entry.value} where the arrays around it, and mono audio, make it {wanted}")


def heard(array: Mapping[str, Any]) -> int:
    """Return the channels that the head sums, of an array as options."""
    return int(array.get("bottleneck") or array["channels"])


def kernels(array: Mapping[str, Any]) -> list[int]:
    """Return the taps of each layer, of an array as options."""
    taps = array["kernel"]
    return [taps] * len(array["dilations"]) if isinstance(taps, int) else list(taps)


def weight_layout(arrays: Sequence[Mapping[str, Any]]) -> Layout:
    """Return the weights of `wavenet` for one channel, in the order of a `.nam` file."""
    inputs = (1, *(array["channels"] for array in arrays))
    heads = (*(heard(array) for array in arrays[1:]), 1)
    found: list[tuple[str, tuple[int, ...]]] = []
    for number, (array, given, outputs) in enumerate(zip(arrays, inputs, heads, strict=False)):
        place = f"arrays.{number}."
        found.append((f"{place}rechannel.weight", (array["channels"], given, 1)))
        for layer, taps in enumerate(kernels(array)):
            last = number == len(arrays) - 1 and layer == len(array["dilations"]) - 1
            found += _layer(f"{place}layers.{layer}.", array, taps, "idle" if last else "onward")
        found.append((f"{place}head.weight", (outputs, heard(array), array["head_kernel"])))
        if array["head_bias"]:
            found.append((f"{place}head.bias", (outputs,)))
    return found


def _layer(
    place: str, array: Mapping[str, Any], taps: int, onward: str
) -> Iterator[tuple[str, tuple[int, ...]]]:
    channels, bottleneck = array["channels"], heard(array)
    width = bottleneck if array["gating"] == "none" else 2 * bottleneck
    yield f"{place}convolution.weight", (width, channels, taps)
    yield f"{place}convolution.bias", (width,)
    yield f"{place}mix.weight", (width, 1, 1)
    yield f"{place}{onward}.weight", (channels, bottleneck, 1)
    yield f"{place}{onward}.bias", (channels,)


def write_config(arrays: Sequence[Mapping[str, Any]], scale: float) -> tuple[str, dict[str, Any]]:
    """Return the version of the file format and the configuration that arrays, as options, stand for.

    Version 0.5.4 where it can say all of it, so that players of every age read the file.
    """
    inputs = (1, *(array["channels"] for array in arrays))
    heads = (*(heard(array) for array in arrays[1:]), 1)
    old = all(map(_is_old, arrays))
    layers = [
        {
            "input_size": given,
            "condition_size": 1,
            "channels": array["channels"],
            "dilations": list(array["dilations"]),
            "head": {"out_channels": head, "kernel_size": array["head_kernel"], "bias": array["head_bias"]},
            **(_old_layer(array, head) if old else _new_layer(array)),
        }
        for array, given, head in zip(arrays, inputs, heads, strict=False)
    ]
    return "0.5.4" if old else "0.7.0", {"layers": layers, "head": None, "head_scale": scale}


def _is_old(array: Mapping[str, Any]) -> bool:
    plain = array["activation"] in ("tanh", "relu", "sigmoid", "hardtanh") and array["gate"] == "sigmoid"
    even = len(set(kernels(array))) == 1 and heard(array) == array["channels"] and array["head_kernel"] == 1
    return plain and even and array["gating"] != "blended"


def _old_layer(array: Mapping[str, Any], head: int) -> dict[str, Any]:
    return {
        "head_size": head,
        "kernel_size": kernels(array)[0],
        "activation": _names()[array["activation"]]["type"],
        "gated": array["gating"] == "gated",
        "head_bias": array["head_bias"],
    }


def _new_layer(array: Mapping[str, Any]) -> dict[str, Any]:
    layers = len(array["dilations"])
    secondary = None if array["gating"] == "none" else _names()[array["gate"]]
    film = {"active": False, "shift": True, "groups": 1}
    return {
        "kernel_sizes": kernels(array),
        "activation": [_names()[array["activation"]]] * layers,
        "bottleneck": heard(array),
        "head1x1": {"active": False, "out_channels": 1, "groups": 1},
        "layer1x1": {"active": True, "groups": 1},
        "groups_input": 1,
        "groups_input_mixin": 1,
        **dict.fromkeys(FILMS, film),
        "gating_mode": [array["gating"]] * layers,
        "secondary_activation": [secondary] * layers,
        "slimmable": None,
    }


def _names() -> dict[str, dict[str, Any]]:
    """Return option -> the activation as a file of version 0.7 says it."""
    return {option: {"type": name, **settings} for name, (option, settings) in ACTIVATIONS.items()}
