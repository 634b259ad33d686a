"""The table of Neural Amp Modeler's networks and of the keys of its files."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fxkit.migration.rules import (
    ClassRule,
    Rule,
    by,
    flag,
    lost,
    number,
    only,
    spare,
    to,
    whole,
    wholes,
    word,
)

ACTIVATIONS: Mapping[str, str] = {
    "Tanh": "tanh",
    "ReLU": "relu",
    "LeakyReLU": "leaky-relu",
    "Sigmoid": "sigmoid",
    "SiLU": "silu",
    "Hardtanh": "hardtanh",
    "Hardswish": "hardswish",
    "Softsign": "softsign",
    "Softsigmoid": "softsigmoid",
    "LeakyHardtanh": "leaky-hardtanh",
}


def activation(value: Any) -> str:
    """Return what an activation is called here; raises `KeyError` for one that there is not."""
    if isinstance(value, list):
        (value,) = {str(one) for one in value}
    return ACTIVATIONS[str(value)]


def _taps(value: Any) -> Any:
    return wholes(value) if isinstance(value, list) else whole(value)


_WIDTHS = spare("follows from the arrays before it and the audio")
_FILM = only(None, False, why="a conditioning acts on all layers alike")
# The keys of one array of a WaveNet's layers.
ARRAY: Mapping[str, Rule] = {
    "channels": to("channels", whole),
    "dilations": to("dilations", wholes, "samples"),
    "kernel_size": to("kernel", _taps),
    "kernel_sizes": to("kernel", _taps),
    "activation": to("activation", activation),
    "secondary_activation": to("gate", activation),
    "bottleneck": to("bottleneck", whole),
    "gated": to("gating", lambda value: "gated" if flag(value) else "none"),
    "gating_mode": to("gating", word),
    "head_bias": to("head_bias", flag),
    "head": by("nodes.amp.arrays: head_kernel, head_bias"),
    "head_size": _WIDTHS,
    "input_size": _WIDTHS,
    "condition_size": _WIDTHS,
    "slimmable": lost("a network has one width"),
    "groups_input": only(1, why="convolutions are not in groups"),
    "groups_input_mixin": only(1, why="convolutions are not in groups"),
    **{
        f"{place}_film": _FILM
        for place in (
            "conv_pre",
            "conv_post",
            "input_mixin_pre",
            "input_mixin_post",
            "activation_pre",
            "activation_post",
            "layer1x1_post",
            "head1x1_post",
        )
    },
}
HEAD: Mapping[str, Rule] = {
    "out_channels": _WIDTHS,
    "kernel_size": to("head_kernel", whole),
    "bias": to("head_bias", flag),
}

NETS: Mapping[str, ClassRule] = {
    "WaveNet": ClassRule(
        kind="processors",
        plugin="wavenet",
        keys={
            "layers_configs": by("nodes.amp.arrays"),
            "head_scale": to("head_scale", number),
            "head": only(None, why="no network follows the last array"),
            "head_config": only(None, why="no network follows the last array"),
            "condition_dsp": only(None, why="no network makes the condition"),
            "sample_rate": by("run.sample_rate"),
        },
    ),
    "LSTM": ClassRule(
        kind="processors",
        plugin="lstm",
        keys={
            "hidden_size": to("hidden", whole),
            "num_layers": to("layers", whole),
            "input_size": only(1, why="a network reads as many channels as the recordings have"),
            "train_burn_in": by("data.warmup", "samples"),
            "train_truncate": by("train.window", "samples; a step per window"),
            "dropout": only(0, 0.0, why="nothing is dropped out"),
            "sample_rate": by("run.sample_rate"),
        },
        implied={"skip": False, "initial": "learned"},
    ),
    "Linear": ClassRule(
        kind="processors",
        plugin="fir",
        keys={
            "receptive_field": to("taps", whole, "samples"),
            "bias": only(False, why="fir adds no constant; add a dc-offset"),
            "sample_rate": by("run.sample_rate"),
        },
    ),
    "ConvNet": ClassRule(
        kind="processors", why="no network is of plain convolutions with batch normalisation; see tcn"
    ),
}

_LEVEL = only(0, 0.0, why="recordings keep their level; scale the files")
_CUT = by("data.val_fraction", "seconds or samples become a share of the recording")
# The keys of one pair of recordings.
PAIR: Mapping[str, Rule] = {
    "x_path": by("data.root and data.input"),
    "y_path": by("data.root and data.target"),
    "ny": by("data.segment", "samples"),
    "nx": spare("the receptive field is known from the network"),
    "delay": by("data.align", "measured anew"),
    "y_scale": only(1, 1.0, None, why="recordings keep their level; scale the files"),
    "input_gain": _LEVEL,
    "sample_rate": by("run.sample_rate", "Hz"),
    "require_input_pre_silence": spare("data.gap parts training and validation"),
    "allow_unequal_lengths": by("data.align"),
    "y_preroll": only(None, 0, why="the recordings are read from their start; cut the files"),
    **{f"{end}{unit}": _CUT for end in ("start", "stop") for unit in ("", "_samples", "_seconds")},
}

# The keys of `loss`; a coefficient goes with its weight.
LOSS: Mapping[str, Rule] = {
    "mse_weight": spare("version 0.13 does not read it: the weight is 1"),
    "mrstft_weight": by("losses.spectral.weight"),
    "mstft_weight": by("losses.spectral.weight"),
    "pre_emph_weight": by("losses.emphasised.weight"),
    "pre_emph_coef": by("losses.emphasised.coefficient"),
    "pre_emph_mrstft_weight": by("losses.emphasised-spectral.weight"),
    "pre_emph_mrstft_coef": by("losses.emphasised-spectral.coefficient"),
    "dc_weight": by("losses.dc.weight", "relative to the target's power"),
    "mask_first": by("data.warmup", "samples"),
    "val_loss": by("train.best"),
    "fourier": only(False, None, why="no loss compares whole spectra; see multi-resolution-stft"),
    "custom_losses": only(None, why="name a plugin of losses instead"),
}
_READS = spare("recordings are read ahead by the run itself")
LOADER: Mapping[str, Rule] = {
    "batch_size": by("train.batch_size"),
    "shuffle": only(True, why="segments are drawn at random"),
    "drop_last": spare("batches are all of one size"),
    "pin_memory": _READS,
    "num_workers": _READS,
    "persistent_workers": _READS,
    "prefetch_factor": _READS,
}
