"""The table of the keys of stable-audio-tools: its model, data and INI files."""

from __future__ import annotations

from collections.abc import Mapping

from fxkit.migration.rules import Rule, by, lost, only, spare, to, whole
from fxkit.migration.training_classes import PRECISIONS

# Words for a loss -> class.
LOSSES: Mapping[str, str] = {
    "mrstft": "MultiResolutionSTFTLoss",
    "l1": "L1Loss",
    "l2": "MSELoss",
    "stft": "STFTLoss",
    "sisdr": "SISDRLoss",
    "mel": "MelSTFTLoss",
}
NO_MODEL = "there is no such network here: no autoencoder, no diffusion; name processors in [nodes]"
NO_DISCRIMINATOR = "no loss learns to tell recordings from predictions"
_DEVICES = spare("run finds the device; torchrun spreads it over several")
_GIVEN = spare("names a file that is given beside this one")

# The keys at the top of a model file.
MODEL: Mapping[str, Rule] = {
    "model_type": lost(NO_MODEL, "nodes"),
    "sample_rate": by("run.sample_rate", "Hz"),
    "sample_size": to("segment", whole, "samples"),
    "audio_channels": by("data.channels"),
    "model": lost(NO_MODEL, "nodes"),
    "training": by("losses, train and callbacks"),
}
TRAINING: Mapping[str, Rule] = {
    "learning_rate": by("train.optimizer.lr"),
    "warmup_steps": only(0, why="losses begin together; see [[phase]] and ramps"),
    "warmup_mode": lost(NO_DISCRIMINATOR),
    "encoder_freeze_on_warmup": only(False, why="say freeze in a [[phase]]"),
    "use_ema": by("callbacks.ema"),
    "clip_grad_norm": by("train.clip_norm"),
    "force_input_mono": only(False, why="input and target have the same channels"),
    "latent_mask_ratio": only(0, 0.0, why=NO_MODEL),
    "teacher_model": only(None, why=NO_MODEL),
    "teacher_model_ckpt": only(None, why=NO_MODEL),
    "optimizer_configs": by("train.optimizer and train.schedule"),
    "loss_configs": by("losses"),
    "eval_loss_configs": by("metrics"),
    "demo": by("callbacks.listen"),
}
DEMO: Mapping[str, Rule] = {
    "demo_every": by("callbacks.listen.every", "steps"),
    "num_demos": to("max_examples", whole),
    "max_demos": to("max_examples", whole),
    "demo_steps": lost(NO_MODEL),
    "demo_cond": lost(NO_MODEL),
    "demo_cfg_scales": lost(NO_MODEL),
}
DATA: Mapping[str, Rule] = {
    "dataset_type": by("data.type"),
    "datasets": by("data.root"),
    "random_crop": only(True, why="segments are drawn from anywhere"),
    "drop_last": spare("batches are all of one size"),
    "volume_norm": only(False, why="recordings keep their level"),
    "remove_silence": only(False, why="recordings are taken whole"),
}
FOLDER: Mapping[str, Rule] = {
    "id": spare("there is one folder"),
    "path": by("data.root"),
    "custom_metadata_module": lost("recordings have no text beside them"),
}
# The keys of the INI file; empty ones say nothing.
INI: Mapping[str, Rule] = {
    "name": by("run.name"),
    "project": lost("a run is known by its name and folder alone"),
    "seed": by("run.seed"),
    "batch_size": by("train.batch_size"),
    "accum_batches": by("train.accumulate", "of a batch as many times as large"),
    "precision": to("precision", lambda value: PRECISIONS[str(value)]),
    "gradient_clip_val": by("train.clip_norm"),
    "checkpoint_every": by("callbacks.checkpoint.every", "steps"),
    "save_top_k": spare("it is not read there, either"),
    "val_every": by("train.validate_every", "steps"),
    "logger": lost("runs are logged to files; TensorBoard takes its place"),
    "save_dir": spare("run --out says where runs go"),
    "recover": spare("run --resume goes on with a run"),
    "model_config": _GIVEN,
    "dataset_config": _GIVEN,
    "val_dataset_config": lost("validation recordings are root/val, or a share of the rest"),
    "ckpt_path": lost("weights of other programs cannot be trained on"),
    "pretrained_ckpt_path": lost("weights of other programs cannot be trained on"),
    "pretransform_ckpt_path": lost(NO_MODEL),
    "remove_pretransform_weight_norm": lost(NO_MODEL),
    "num_nodes": _DEVICES,
    "num_gpus": _DEVICES,
    "strategy": _DEVICES,
    "num_workers": spare("recordings are read ahead by the run itself"),
}
