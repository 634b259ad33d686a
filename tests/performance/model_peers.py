"""Networks of nablafx 1.0.0 and neural-amp-modeler 0.13, beside fxkit's of the same size, for benchmarks."""

from __future__ import annotations

import importlib
import importlib.util
import sys
import types
from collections.abc import Callable, Mapping
from typing import Any

import attrs
import torch
from torch import Tensor, nn

from fxkit.catalog import Catalog
from fxkit.context import BuildContext

RATE = 48000
CONV = {"num_inputs": 1, "num_outputs": 1, "num_controls": 0, "channel_growth": 1, "channel_width": 16,
        "stack_size": 12, "groups": 1, "bias": True, "causal": True, "batchnorm": False, "residual": True,
        "direct_path": False, "cond_type": None}  # fmt: skip
STATE_SPACE = {"num_inputs": 1, "num_outputs": 1, "num_controls": 0, "channel_width": 16, "batchnorm": False,
               "residual": True, "direct_path": False, "cond_type": None, "act_type": "tanh"}  # fmt: skip
DOUBLINGS = [2**power for power in range(10)]


@attrs.frozen
class Pair:
    """Name a peer's network and fxkit's of the same size: `type` of a processor and its options."""

    peer: str
    make: Callable[[], nn.Module]
    type: str
    options: Mapping[str, Any]


def nablafx_module(name: str) -> Any:
    """Import one module of nablafx without its package, which needs a tracker, a downloader and more."""
    if "nablafx" not in sys.modules:
        found = importlib.util.find_spec("nablafx")
        if found is None or not found.submodule_search_locations:
            raise ImportError("nablafx is not installed: pip install --no-deps nablafx==1.0.0")
        root = next(iter(found.submodule_search_locations))
        for package, path in (("nablafx", root), ("nablafx.processors", f"{root}/processors")):
            module = types.ModuleType(package)
            module.__path__ = [path]
            sys.modules[package] = module
    return importlib.import_module(f"nablafx.{name}")


class Channelled(nn.Module):
    """Give a network that takes [batch, samples] a channel."""

    def __init__(self, network: nn.Module) -> None:
        super().__init__()
        self.network = network

    def forward(self, audio: Tensor) -> Tensor:
        """Map [batch, 1, samples] to the same shape."""
        return self.network(audio[:, 0], pad_start=True)[:, None]


def nablafx(module: str, name: str, **options: Any) -> Callable[[], nn.Module]:
    """Return what makes one of nablafx's processors."""
    return lambda: getattr(nablafx_module(f"processors.{module}"), name)(**options)


NAM_MODULES = {"WaveNet": "wavenet", "LSTM": "recurrent"}


def nam(name: str, config: Mapping[str, Any]) -> Callable[[], nn.Module]:
    """Return what makes one of NAM's networks."""

    def make() -> nn.Module:
        try:
            module = importlib.import_module(
                "nam.models." + {"WaveNet": "wavenet", "LSTM": "recurrent"}[name]
            )
        except ImportError as error:
            raise ImportError(
                f"neural-amp-modeler is not there ({error}): pip install neural-amp-modeler==0.13.0"
            ) from error
        return Channelled(getattr(module, name).init_from_config(dict(config)))

    return make


def wavenet_config(channels: tuple[int, int], dilations: tuple[list[int], list[int]]) -> dict[str, Any]:
    """Return NAM's configuration of a WaveNet of two arrays."""
    first, second = channels
    arrays = ((1, first, second, False, dilations[0]), (first, second, 1, True, dilations[1]))
    layers = [
        {"input_size": inputs, "condition_size": 1, "channels": width, "kernel_size": 3, "dilations": steps,
         "head": {"out_channels": out, "kernel_size": 1, "bias": bias}, "activation": "Tanh"}
        for inputs, width, out, bias, steps in arrays
    ]  # fmt: skip
    return {"layers_configs": layers, "head_scale": 0.02}


WAVENETS = {
    "standard": wavenet_config((16, 8), (DOUBLINGS, DOUBLINGS)),
    "feather": wavenet_config((8, 4), (DOUBLINGS[:7], DOUBLINGS[7:] + DOUBLINGS)),
}
NAM_LSTM = {"num_layers": 1, "hidden_size": 24, "train_burn_in": None, "train_truncate": None}


def tcn(blocks: int, kernel: int, growth: int, name: str = "tcn") -> Callable[[], nn.Module]:
    """Return what makes nablafx's TCN or GCN."""
    sizes = {"num_blocks": blocks, "kernel_size": kernel, "dilation_growth": growth}
    act = {"act_type": "tanh"} if name == "tcn" else {}
    return nablafx(name, name.upper(), **CONV, **sizes, **act)


def s4(blocks: int, modes: int) -> Callable[[], nn.Module]:
    """Return what makes nablafx's S4."""
    return nablafx("s4", "S4", **STATE_SPACE, num_blocks=blocks, s4_state_dim=modes)


PAIRS: dict[str, Pair] = {
    "tcn-45-s": Pair("nablafx", tcn(5, 7, 4), "tcn", {"preset": "45-s"}),
    "tcn-2500-l": Pair("nablafx", tcn(10, 5, 3), "tcn", {"preset": "2500-l"}),
    "gcn-45-s": Pair("nablafx", tcn(5, 7, 4, "gcn"), "gcn", {"preset": "45-s"}),
    "gcn-2500-l": Pair("nablafx", tcn(10, 5, 3, "gcn"), "gcn", {"preset": "2500-l"}),
    "s4-s": Pair("nablafx", s4(4, 4), "s4", {"preset": "s"}),
    "s4-l": Pair("nablafx", s4(8, 32), "s4", {"preset": "l"}),
    "lstm-32": Pair("nablafx", nablafx("lstm", "LSTM", hidden_size=32), "lstm", {"hidden": 32}),
    "lstm-96": Pair("nablafx", nablafx("lstm", "LSTM", hidden_size=96), "lstm", {"hidden": 96}),
    "nam-standard": Pair("NAM", nam("WaveNet", WAVENETS["standard"]), "wavenet", {"preset": "standard"}),
    "nam-feather": Pair("NAM", nam("WaveNet", WAVENETS["feather"]), "wavenet", {"preset": "feather"}),
    "nam-lstm": Pair("NAM", nam("LSTM", NAM_LSTM), "lstm", {"hidden": 24}),
}


def ours(pair: Pair) -> nn.Module:
    """Build fxkit's network; raises `LookupError` where it or its preset is not there."""
    catalog = Catalog.installed(in_tree_only=True)
    entry = next((one for one in catalog.entries if (one.kind, one.name) == ("processors", pair.type)), None)
    if entry is None:
        raise LookupError(f"fxkit has no processor {pair.type}")
    spec, options = catalog.spec(entry), dict(pair.options)
    preset = options.pop("preset", None)
    values = dict(spec.presets()[preset]) if preset else {}
    return spec(**values, **options).build(BuildContext(sample_rate=RATE))


def weights(module: nn.Module) -> int:
    """Count the weights that are trained."""
    return sum(weight.numel() for weight in module.parameters() if weight.requires_grad)


def threads(count: int) -> None:
    """Let torch use as many threads."""
    torch.set_num_threads(count)
