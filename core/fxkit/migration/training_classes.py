"""The table of classes of PyTorch, Lightning and auraloss: losses, optimisers, schedules, callbacks."""

from __future__ import annotations

from collections.abc import Mapping

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

Classes = Mapping[str, ClassRule]

_GUARD = spare("silence is guarded against by a floor in dBFS")
_MACHINE = spare("says how this is computed, not what")
_RATE = by("run.sample_rate")

_LOSS: Mapping[str, Rule] = {
    "eps": _GUARD,
    "reduction": only("mean", why="losses are means over samples and items"),
}
_SPECTRAL: Mapping[str, Rule] = {
    **_LOSS,
    "w_sc": to("convergence", number),
    "w_log_mag": to("log_magnitude", number),
    "w_lin_mag": to("linear_magnitude", number),
    "w_phs": only(0.0, 0, why="no loss compares phases"),
    "sample_rate": _RATE,
    "scale": only(None, why="this loss has no bands; mel-stft has"),
    "n_bins": only(None, why="this loss has no bands; mel-stft has"),
    "perceptual_weighting": by("a filtered loss around it", 'filter = "a-weighting"'),
    "scale_invariance": only(False, why="spectra are compared at their levels"),
    "output": only("loss", why="losses give one number"),
    "mag_distance": only("L1", why="magnitudes are compared by their absolute difference"),
    "device": _MACHINE,
}
_ONE_SPECTRUM = {
    **_SPECTRAL,
    "fft_size": to("fft_size", whole, "samples"),
    "hop_size": to("hop_size", whole, "samples"),
    "win_length": to("win_length", whole, "samples"),
    "window": to("window", lambda name: word(name).removesuffix("_window")),
}
_ONE_DEFAULT = {"fft_size": 1024, "hop_size": 256, "win_length": 1024}

LOSSES: Classes = {
    "L1Loss": ClassRule(kind="losses", plugin="l1", keys=_LOSS),
    "MSELoss": ClassRule(kind="losses", plugin="l2", keys=_LOSS),
    "SmoothL1Loss": ClassRule(
        kind="losses", plugin="smooth-l1", keys={**_LOSS, "beta": to("beta", number)}, defaults={"beta": 1.0}
    ),
    "ESRLoss": ClassRule(kind="losses", plugin="esr", keys=_LOSS),
    "DCLoss": ClassRule(kind="losses", plugin="dc", keys=_LOSS),
    "LogCoshLoss": ClassRule(kind="losses", plugin="log-cosh", keys={**_LOSS, "a": to("sharpness", number)}),
    "SNRLoss": ClassRule(
        kind="losses", plugin="snr", keys={**_LOSS, "zero_mean": only(False, why="the mean counts as signal")}
    ),
    "SISDRLoss": ClassRule(
        kind="losses", plugin="si-sdr", keys={**_LOSS, "zero_mean": to("zero_mean", flag)}
    ),
    "STFTLoss": ClassRule(kind="losses", plugin="stft", keys=_ONE_SPECTRUM, defaults=_ONE_DEFAULT),
    "MelSTFTLoss": ClassRule(
        kind="losses",
        plugin="mel-stft",
        keys={**_ONE_SPECTRUM, "n_mels": to("bands", whole)},
        defaults={**_ONE_DEFAULT, "n_mels": 128},
    ),
    "MultiResolutionSTFTLoss": ClassRule(
        kind="losses",
        plugin="multi-resolution-stft",
        keys={
            **_SPECTRAL,
            "fft_sizes": to("fft_sizes", wholes, "samples"),
            "hop_sizes": to("hop_sizes", wholes, "samples"),
            "win_lengths": to("win_lengths", wholes, "samples"),
            "window": only("hann_window", why="the window is Hann's"),
        },
        defaults={
            "fft_sizes": [1024, 2048, 512], "hop_sizes": [120, 240, 50], "win_lengths": [600, 1200, 240],
        },
    ),
    "EDCLoss": ClassRule(kind="losses", plugin="energy-decay", keys={"min_db": to("floor", number, "dB")}),
}  # fmt: skip

_UPDATE: Mapping[str, Rule] = {
    "lr": to("lr", number),
    "eps": to("eps", number),
    "weight_decay": to("weight_decay", number),
    "amsgrad": only(False, why="no optimizer keeps the largest mean square"),
    "maximize": only(False, why="losses are made small"),
    "nesterov": only(False, why="sgd has plain momentum"),
    "foreach": _MACHINE,
    "fused": _MACHINE,
    "capturable": _MACHINE,
    "differentiable": _MACHINE,
}
_MOMENTS = {**_UPDATE, "betas": to("beta1, beta2", lambda pair: [number(pair[0]), number(pair[1])])}

OPTIMIZERS: Classes = {
    "Adam": ClassRule(
        kind="optimizers",
        plugin="adam",
        keys={**_MOMENTS, "weight_decay": only(0, 0.0, why="adam has no weight decay; adamw has")},
    ),
    "AdamW": ClassRule(kind="optimizers", plugin="adamw", keys=_MOMENTS),
    "FusedAdam": ClassRule(kind="optimizers", plugin="adamw", keys=_MOMENTS, defaults={"weight_decay": 0.0}),
    "RAdam": ClassRule(kind="optimizers", plugin="radam", keys=_MOMENTS),
    "NAdam": ClassRule(kind="optimizers", plugin="nadam", keys=_MOMENTS, defaults={"lr": 0.002}),
    "SGD": ClassRule(
        kind="optimizers",
        plugin="sgd",
        keys={
            **{key: rule for key, rule in _UPDATE.items() if key != "eps"},
            "momentum": to("momentum", number),
            "dampening": only(0, 0.0, why="sgd has none"),
        },
        defaults={"lr": 0.001, "momentum": 0.0},
    ),
    "RMSprop": ClassRule(
        kind="optimizers",
        plugin="rmsprop",
        keys={**_UPDATE, "alpha": to("decay", number), "momentum": to("momentum", number)},
        defaults={"lr": 0.01},
    ),
}

# What code works out of these: epochs become steps, learning rates shares of the first one.
_EPOCHS = "epochs become steps"
_SHARE = "as a share of the learning rate"
SCHEDULES: Classes = {
    "ExponentialLR": ClassRule(
        kind="schedules", plugin="exponential", keys={"gamma": by("train.schedule.half_life", _EPOCHS)}
    ),
    "StepLR": ClassRule(
        kind="schedules",
        plugin="step-decay",
        keys={"step_size": by("train.schedule.every", _EPOCHS), "gamma": to("ratio", number)},
        defaults={"gamma": 0.1},
    ),
    "MultiStepLR": ClassRule(
        kind="schedules",
        plugin="multi-step",
        keys={"milestones": by("train.schedule.at", "as shares of the run"), "gamma": to("ratio", number)},
        defaults={"gamma": 0.1},
    ),
    "CosineAnnealingLR": ClassRule(
        kind="schedules",
        plugin="cosine",
        keys={"T_max": by("the length of the run"), "eta_min": by("train.schedule.final", _SHARE)},
    ),
    "ReduceLROnPlateau": ClassRule(
        kind="schedules",
        plugin="plateau",
        keys={
            "factor": to("ratio", number),
            "patience": to("patience", lambda epochs: max(whole(epochs), 1), "epochs become validations"),
            "threshold": to("min_delta", number),
            "min_lr": by("train.schedule.lowest", _SHARE),
            "cooldown": only(0, why="plateau waits for nothing after a fall"),
            "mode": only("min", why="losses are made small"),
            "threshold_mode": only("rel", why="gains are shares of the best value"),
            "eps": _MACHINE,
            "verbose": spare("lr-monitor tells of the learning rate"),
        },
        defaults={"factor": 0.1, "patience": 10, "threshold": 1e-4},
        implied={"lowest": 0.0},
    ),
    "InverseLR": ClassRule(kind="schedules", why="no schedule follows an inverse power of the steps"),
}

_SHOWN = spare("shown by fxkit in its own way")
CALLBACKS: Classes = {
    "ModelCheckpoint": ClassRule(
        kind="callbacks",
        plugin="checkpoint",
        keys={
            "every_n_train_steps": to("every", whole),
            "save_top_k": by("callbacks.NAME.best", "the best weights are kept in any case"),
            "save_last": only(True, False, why="the last state is kept in any case"),
            "monitor": by("callbacks.NAME.metric"),
            "mode": only("min", why="fxkit knows of each loss and metric which way is better"),
            "filename": spare("states are named by their steps"),
            "dirpath": spare("states are in the run folder"),
            "verbose": _SHOWN,
            "auto_insert_metric_name": _SHOWN,
            "every_n_epochs": spare("there are steps, not epochs"),
            "save_weights_only": only(False, why="a state is whole, so that a run can go on"),
            "enable_version_counter": _SHOWN,
            "save_on_train_epoch_end": spare("there are steps, not epochs"),
        },
    ),
    "EarlyStopping": ClassRule(
        kind="callbacks",
        plugin="early-stopping",
        keys={
            "monitor": by("callbacks.NAME.metric"),
            "patience": to("patience", whole, "epochs become validations"),
            "min_delta": only(0, 0.0, why="gains are shares of the best value, not differences"),
            "mode": only("min", why="fxkit knows of each loss and metric which way is better"),
            "verbose": _SHOWN,
            "strict": only(True, why="a metric that is not there is an error"),
            "log_rank_zero_only": _SHOWN,
            "check_finite": only(True, why="a run ends at the first value that is not finite"),
        },
        defaults={"patience": 3},
    ),
    "LearningRateMonitor": ClassRule(
        kind="callbacks",
        plugin="lr-monitor",
        keys={
            "logging_interval": _SHOWN,
            "log_momentum": only(False, why="rates are shown, not momenta"),
            "log_weight_decay": only(False, why="rates are shown, not weight decay"),
        },
    ),
    "ModelSummary": ClassRule(kind="callbacks", plugin="model-summary", keys={"max_depth": _SHOWN}),
    "RichModelSummary": ClassRule(kind="callbacks", plugin="model-summary", keys={"max_depth": _SHOWN}),
    "TQDMProgressBar": ClassRule(kind="callbacks", why="a run shows its progress in its own way"),
    "RichProgressBar": ClassRule(kind="callbacks", why="a run shows its progress in its own way"),
    "Timer": ClassRule(kind="callbacks", why='write until = "20 min" in [train]'),
}

PRECISIONS = {
    "32": "float32",
    "32-true": "float32",
    "16": "fp16",
    "16-mixed": "fp16",
    "bf16": "bf16",
    "bf16-mixed": "bf16",
}
_DEVICES = spare("run finds the device; torchrun spreads it over several")
# The keys of Lightning's trainer.
TRAINER: Mapping[str, Rule] = {
    "max_steps": to("steps", whole, "steps"),
    "max_epochs": by("train.steps", _EPOCHS),
    "gradient_clip_val": by("train.clip_norm or train.clip_value"),
    "gradient_clip_algorithm": by("train.clip_norm or train.clip_value"),
    "accumulate_grad_batches": by("train.accumulate", "of a batch as many times as large"),
    "precision": to("precision", lambda value: PRECISIONS[str(value)]),
    "val_check_interval": by("train.validate_every", _EPOCHS),
    "check_val_every_n_epoch": by("train.validate_every", _EPOCHS),
    "log_every_n_steps": to("log_every", whole, "steps"),
    "accelerator": _DEVICES,
    "devices": _DEVICES,
    "strategy": _DEVICES,
    "num_nodes": _DEVICES,
    "sync_batchnorm": _DEVICES,
    "use_distributed_sampler": _DEVICES,
    "deterministic": spare("runs repeat bit for bit on a CPU"),
    "benchmark": _MACHINE,
    "inference_mode": _MACHINE,
    "detect_anomaly": _MACHINE,
    "num_sanity_val_steps": spare("run --dry-run tries a run out"),
    "enable_checkpointing": spare("the best weights are kept in any case"),
    "enable_model_summary": spare("add callbacks.NAME with the type model-summary"),
    "enable_progress_bar": _SHOWN,
    "default_root_dir": spare("run --out says where runs go"),
    "fast_dev_run": only(False, 0, why="run --dry-run tries a run out"),
    "overfit_batches": only(0, 0.0, why="a run reads all recordings"),
    "barebones": only(False, why="a run keeps its account"),
    "reload_dataloaders_every_n_epochs": spare("recordings are read once"),
    "limit_train_batches": lost("a run reads all recordings"),
    "limit_val_batches": lost("a validation reads all recordings"),
    "logger": by("run.name and callbacks.tensorboard"),
    "callbacks": by("callbacks.NAME"),
}
