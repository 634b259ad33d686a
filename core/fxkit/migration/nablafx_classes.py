"""The table of NablAFx's classes: its processors, networks and conditionings."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fxkit.migration.rules import (
    ClassRule,
    Rule,
    Span,
    by,
    flag,
    lost,
    number,
    only,
    spare,
    to,
    when,
    whole,
    wholes,
)

Classes = Mapping[str, ClassRule]

_RECORDINGS = spare("channels are those of the recordings")
_BLOCKS = spare("filters run sample by sample, not in blocks")
_RATE = by("run.sample_rate")
_CONDITION = by("nodes.NAME.conditioning", 'with knobs, controller = { type = "knobs" }')

_CONTROLLED: Mapping[str, Rule] = {
    "sample_rate": _RATE,
    "block_size": _BLOCKS,
    "control_type": by("nodes.NAME.controller", "static, knobs-mlp or lstm-control"),
    "lr_multiplier": by("nodes.NAME.controller.lr"),
}
_LEARNED: Mapping[str, Rule] = {"sample_rate": _RATE, "lr_multiplier": by("nodes.NAME.lr")}
_Q = Span(
    keys=("min_q_factor", "max_q_factor"),
    defaults=(0.1, 10.0),
    options=("lowest_q", "highest_q"),
    parameter="q",
)
_GAIN = Span(
    keys=("min_gain_db", "max_gain_db"), defaults=(-12.0, 12.0), options=("gain_range",), parameter="gain_db"
)


def _cutoff(low: float, high: float) -> Span:
    keys = ("min_cutoff_freq", "max_cutoff_freq")
    return Span(keys=keys, defaults=(low, high), options=("lowest", "highest"), parameter="frequency")


def _filter(plugin: str, *spans: Span, implied: Mapping[str, Any] | None = None) -> ClassRule:
    keys = {key: by(f"nodes.NAME.{option}") for span in spans for key, option in _pairs(span)}
    return ClassRule(
        kind="processors", plugin=plugin, keys={**_CONTROLLED, **keys}, spans=spans, implied=implied or {}
    )


def _pairs(span: Span) -> zip[tuple[str, str]]:
    return zip(span.keys, span.options * (3 - len(span.options)), strict=False)


def _curve(plugin: str, keys: Mapping[str, Rule], **more: Any) -> ClassRule:
    return ClassRule(kind="processors", plugin=plugin, keys={**_LEARNED, **keys}, **more)


_SIREN_START = "of the weights only this is taken: which curve they begin as"
_NETWORK: Mapping[str, Rule] = {
    "num_inputs": _RECORDINGS,
    "num_outputs": _RECORDINGS,
    "num_controls": _CONDITION,
    "cond_type": _CONDITION,
    "cond_block_size": _CONDITION,
    "cond_num_layers": _CONDITION,
    "direct_path": only(False, why="no network has a second way past it; add the node to a parallel branch"),
    "batchnorm": when(
        lambda value, others: not value or others.get("cond_type") is not None,
        why="no network normalises over batches, so that a value does not depend on its neighbours",
    ),
}
_STACK: Mapping[str, Rule] = {
    **_NETWORK,
    "num_blocks": to("blocks", whole),
    "kernel_size": to("kernel", whole),
    "dilation_growth": to("growth", whole),
    "channel_width": to("channels", whole),
    "bias": to("bias", flag),
    "residual": to("residual", flag),
    "channel_growth": only(1, why="all blocks are of one width"),
    "groups": only(1, why="convolutions are not in groups"),
    "stack_size": when(
        lambda value, others: whole(value) >= whole(others.get("num_blocks", 10)),
        why="dilations grow from the first block to the last; they do not begin again",
    ),
    "act_type": only("tanh", why="blocks bend by tanh"),
}
_STACK_DEFAULTS = {
    "num_blocks": 10,
    "kernel_size": 3,
    "dilation_growth": 2,
    "channel_width": 32,
    "bias": False,
    "residual": False,
}

PROCESSORS: Classes = {
    "Gain": _filter(
        "gain",
        Span(
            keys=("min_gain_db", "max_gain_db"),
            defaults=(-32.0, 32.0),
            options=("low", "high"),
            parameter="gain_db",
        ),
    ),
    "DCOffset": _filter(
        "dc-offset",
        Span(keys=("min_offset", "max_offset"), defaults=(-2.0, 2.0), options=("limit",), parameter="offset"),
    ),
    "ParametricEQ": _filter("parametric-eq", _GAIN, _Q, implied={"peaks": 3, "shelves": True}),
    "ShelvingEQ": _filter(
        "parametric-eq", _GAIN, _Q, implied={"peaks": 0, "shelves": True, "high_pass": True, "low_pass": True}
    ),
    "Peaking": _filter("peak", _GAIN, _cutoff(20.0, 20000.0), _Q),
    "Lowpass": _filter("low-pass", _cutoff(2000.0, 20000.0), _Q),
    "Highpass": _filter("high-pass", _cutoff(20.0, 2000.0), _Q),
    "Lowshelf": _filter("low-shelf", _GAIN, _cutoff(20.0, 2000.0), _Q),
    "Highshelf": _filter("high-shelf", _GAIN, _cutoff(200.0, 2000.0), _Q),
    "PhaseInversion": _curve("polarity", {}),
    "PhaseShift": ClassRule(kind="processors", why="no processor turns the phase of all frequencies alike"),
    "TanhNonlinearity": _curve(
        "tanh", {}, implied={"parameters.drive_db.fixed": 0.0, "parameters.bias.fixed": 0.0}
    ),
    "StaticMLPNonlinearity": _curve(
        "siren",
        {
            "hidden_dim": to("hidden", whole),
            "num_layers": to("layers", whole),
            "w0_initial": to("frequency", number),
            "pretrained": by("nodes.NAME.start", _SIREN_START),
        },
        defaults={"hidden_dim": 64, "num_layers": 3, "w0_initial": 30.0},
    ),
    "StaticRationalNonlinearity": _curve(
        "rational",
        {
            "degrees": to("numerator, denominator", wholes),
            "init_approx_func": by("nodes.NAME.start"),
        },
        defaults={"degrees": [6, 5]},
    ),
    "StaticFIRFilter": _curve(
        "fir",
        {
            "n_taps": to("taps", whole, "samples; learned one by one"),
            "hidden_dim": lost("taps are learned one by one, not made by a network"),
            "num_layers": lost("taps are learned one by one, not made by a network"),
            "w0_initial": lost("taps are learned one by one, not made by a network"),
            "pretrained": only(None, why="fir starts as the identity"),
        },
    ),
    "LSTM": ClassRule(
        kind="processors",
        plugin="lstm",
        keys={
            **_NETWORK,
            "hidden_size": to("hidden", whole),
            "num_layers": to("layers", whole),
            "residual": to("skip", flag),
        },
        defaults={"hidden_size": 32, "num_layers": 1, "residual": False},
        implied={"output": "tanh"},
    ),
    "TCN": ClassRule(
        kind="processors",
        plugin="tcn",
        keys={**_STACK, "causal": to("causal", flag)},
        defaults={**_STACK_DEFAULTS, "causal": False},
        implied={"bounded": True},
    ),
    "GCN": ClassRule(
        kind="processors",
        plugin="gcn",
        keys={**_STACK, "causal": only(True, why="gcn is causal")},
        defaults=_STACK_DEFAULTS,
    ),
    "S4": ClassRule(
        kind="processors",
        plugin="s4",
        keys={
            **_NETWORK,
            "num_blocks": to("blocks", whole),
            "s4_state_dim": to("modes", whole),
            "channel_width": to("channels", whole),
            "residual": to("residual", flag),
            "act_type": only("tanh", why="blocks bend by tanh"),
            "s4_learning_rate": lost("poles learn at half the rate of the rest"),
        },
        defaults={"num_blocks": 4, "s4_state_dim": 4, "channel_width": 32, "residual": False},
    ),
}

# What a condition does to a network: NablAFx's word -> plugin, and what it does unasked.
CONDITIONINGS: Mapping[str, tuple[str, Mapping[str, Any]]] = {
    "fixed": ("concat", {}),
    "tvcond": ("tvconcat", {"hidden": 16, "lookahead": True}),
    "film": ("film", {"around_one": False}),
    "tfilm": ("tfilm", {"lookahead": True, "around_one": False}),
    "ttfilm": ("ttfilm", {"lookahead": True, "around_one": False}),
    "tvfilm": ("tvfilm", {"lookahead": True, "around_one": False}),
}

_DATA_NOTE = "fxkit finds pairs by name: root/input/NAME.wav and root/target/NAME.wav"
DATA: Mapping[str, Rule] = {
    "root_dir_dry": by("data.root and data.input", _DATA_NOTE),
    "root_dir_wet": by("data.root and data.target", _DATA_NOTE),
    "params_idxs_to_use": lost(
        "knob settings are read from root/knobs.csv, by file; write it from the files' names"
    ),
    "data_to_use": only(1, 1.0, why="a run uses all recordings"),
    "trainval_split": by("data.val_fraction", "the rest is validated on; a test set is a folder of its own"),
    "sample_length": by("data.segment", "samples"),
    "sample_rate": by("run.sample_rate", "Hz"),
    "preload": to("preload", lambda value: "always" if flag(value) else "never"),
    "batch_size": by("train.batch_size"),
    "num_workers": spare("recordings are read ahead by the run itself"),
}
SYSTEM: Mapping[str, Rule] = {
    "lr": by(
        "train.optimizer", "AdamW, and a plateau schedule of factor 0.5 and patience 20, as the system has"
    ),
    "log_media_every_n_steps": by("callbacks.listen.every", "steps"),
    "step_num_samples": by("train.window", "samples; the state is carried from step to step"),
    "model": by("nodes and model.chain"),
    "loss": by("losses"),
}
CHAIN: Mapping[str, Rule] = {
    "processors": by("nodes and model.chain"),
    "num_controls": spare("knobs are those of the recordings"),
    "stat_control_params_initial": lost("controllers start at each parameter's neutral value"),
    "stat_cond_num_layers": by("nodes.NAME.controller.layers", "hidden layers: one less"),
    "stat_cond_hidden_dim": by("nodes.NAME.controller.hidden"),
    "dyn_block_size": by("nodes.NAME.controller.hop", "samples"),
    "dyn_num_layers": by("nodes.NAME.controller.layers"),
    "dyn_cond_block_size": by("nodes.NAME.controller.hop", "samples"),
    "dyn_cond_num_layers": by("nodes.NAME.controller.layers"),
}
