"""Train nablafx 1.0.0 and neural-amp-modeler 0.13 by their own means, for `bench_time_to_quality.py`.

Their own systems, data sets, losses, optimisers, learning rates and schedules, as in nablafx's
configurations and NAM's full configurations. Validation runs where a schedule needs it and is left out of
the clock. Modules that nablafx imports and does not need here are stood for when they are missing, and
what torchaudio 2.11 no longer has is read by soundfile.
"""

from __future__ import annotations

import importlib
import importlib.machinery
import importlib.util
import os
import pathlib
import sys
import types
from collections.abc import Callable
from typing import Any
from unittest.mock import MagicMock

import numpy
import soundfile
import torch
from model_peers import CONV, NAM_LSTM, STATE_SPACE, WAVENETS
from torch import Tensor
from training_log import Log

RATE = 48000


# The log, the network, and how it processes [1, 1, samples].
Trained = tuple[Log, Any, Callable[[Tensor], Tensor]]


def train_peer(case: str, folder: pathlib.Path, minutes: float, every: float, seed: int) -> Trained:
    """Train the peer of a case for so many minutes, with a copy of its weights every so many seconds."""
    torch.manual_seed(seed)
    framework, _, model = case.partition("-")
    if framework == "nablafx":
        return train_nablafx(model, folder, minutes, every)
    return train_nam(model, folder, minutes, every)


def clock(base: type, log: Log, minutes: float, network: Any) -> Any:
    """Return a Lightning callback that logs steps, leaves validation out, and ends the training in time."""

    class Clock(base):
        def on_train_batch_end(self, trainer: Any, *_: Any) -> None:
            log.step(network)
            trainer.should_stop = trainer.should_stop or log.seconds >= 60 * minutes

        def on_validation_start(self, *_: Any) -> None:
            log.pause()

        def on_validation_end(self, *_: Any) -> None:
            log.resume()

    return Clock()


class _Stand(types.ModuleType):
    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return MagicMock()


def stand_in(*names: str) -> None:
    """Put an empty module in the place of each that is not installed."""
    for name in names:
        if importlib.util.find_spec(name) is None:
            module = _Stand(name)
            module.__spec__ = importlib.machinery.ModuleSpec(name, None)
            sys.modules[name] = module


def mend_for_nablafx() -> None:
    """Put back what nablafx 1.0.0 calls of torchaudio and torch and is no longer there."""
    import torchaudio

    os.environ.setdefault("WANDB_MODE", "disabled")
    stand_in("wandb", "frechet_audio_distance")

    def load(path: Any, frame_offset: int = 0, num_frames: int = -1, **_: Any) -> tuple[Tensor, int]:
        audio, rate = soundfile.read(
            str(path), start=frame_offset, frames=num_frames, dtype="float32", always_2d=True
        )
        return torch.from_numpy(numpy.ascontiguousarray(audio.T)), rate

    def info(path: Any) -> types.SimpleNamespace:
        found = soundfile.info(str(path))
        return types.SimpleNamespace(
            num_frames=found.frames, sample_rate=found.samplerate, num_channels=found.channels
        )

    torchaudio.load, torchaudio.info = load, info
    plateau = torch.optim.lr_scheduler.ReduceLROnPlateau

    class Quiet(plateau):
        def __init__(self, *args: Any, verbose: object = None, **options: Any) -> None:
            super().__init__(*args, **options)

    torch.optim.lr_scheduler.ReduceLROnPlateau = Quiet
    importlib.import_module("wandb").watch = lambda *_, **__: None


def nablafx_system(model: str) -> tuple[Any, dict[str, Any]]:
    """Return a system of nablafx with its learning rate and the clipping of its trainer."""
    processors = importlib.import_module("nablafx.processors")
    core = importlib.import_module("nablafx.core")
    losses = importlib.import_module("nablafx.evaluation.flexible_loss")
    loss = losses.FlexibleLoss([{"name": "l1_loss", "weight": 0.5}, {"name": "mrstft_loss", "weight": 0.5}])
    common = {"loss": loss, "use_callbacks": True}
    if model == "lstm32":
        network = core.BlackBoxModel(processors.LSTM(hidden_size=32, num_layers=1))
        return core.BlackBoxSystemWithTBPTT(network, lr=0.001, step_num_samples=4800, **common), {}
    if model == "tcn45":
        sizes = {"num_blocks": 5, "kernel_size": 7, "dilation_growth": 4, "act_type": "tanh"}
        network, lr = core.BlackBoxModel(processors.TCN(**CONV, **sizes)), 0.005
    else:
        sizes = {"num_blocks": 4, "s4_state_dim": 4, "s4_learning_rate": 0.01}
        network, lr = core.BlackBoxModel(processors.S4(**STATE_SPACE, **sizes)), 0.01
    clip = {"gradient_clip_val": 10.0, "gradient_clip_algorithm": "value"}
    return core.BlackBoxSystem(network, lr=lr, **common), clip


def train_nablafx(model: str, folder: pathlib.Path, minutes: float, every: float) -> Trained:
    """Train as nablafx does: segments of 3 s, batches of 16."""
    mend_for_nablafx()
    lightning = importlib.import_module("lightning")
    data = importlib.import_module("nablafx.data.datasets")
    system, clip = nablafx_system(model)
    system.log_media_counter = 10**12

    def loader(split: str, **options: Any) -> Any:
        sides = (nablafx_names(folder / split / side, side) for side in ("input", "target"))
        dataset = data.PluginDataset(*map(str, sides), sample_length=3 * RATE, sample_rate=RATE, preload=True)
        return torch.utils.data.DataLoader(dataset, batch_size=16, **options)

    train, val = loader("train", shuffle=True, drop_last=True), loader("val")
    log = Log(every)
    trainer = lightning.Trainer(
        accelerator="cpu", devices=1, max_epochs=-1, logger=False, num_sanity_val_steps=0,
        enable_progress_bar=False, enable_checkpointing=False, enable_model_summary=False,
        callbacks=[clock(lightning.Callback, log, minutes, system.model)], **clip,
    )  # fmt: skip
    trainer.fit(system, train, val)
    log.keep(system.model)
    system.eval()

    def process(audio: Tensor) -> Tensor:
        system.model.reset_states()
        return system.model(audio, None, train=False)

    return log, system.model, process


def nablafx_names(folder: pathlib.Path, side: str) -> pathlib.Path:
    """Give the files of a folder the names that nablafx looks for, in a folder beside it."""
    named = folder.with_name(f"{side}-nablafx")
    named.mkdir(exist_ok=True)
    for path in folder.glob("*.wav"):
        link = named / f"{path.stem}.{side}.wav"
        if not link.exists():
            link.hardlink_to(path)
    return named


NAM_RATES = {"lstm": (0.01, 0.995), "standard": (0.004, 0.993), "feather": (0.004, 0.993)}


def nam_config(model: str) -> dict[str, Any]:
    """Return NAM's configuration of a model, its loss, optimiser and schedule."""
    lr, gamma = NAM_RATES[model]
    config: dict[str, Any] = {
        "optimizer": {"lr": lr},
        "lr_scheduler": {"class": "ExponentialLR", "kwargs": {"gamma": gamma}},
    }
    if model != "lstm":
        return {"net": {"name": "WaveNet", "config": WAVENETS[model]}, **config}
    recurrent = {**NAM_LSTM, "train_burn_in": 4096, "train_truncate": 512}
    loss = {"val_loss": "mse", "mask_first": 4096, "pre_emph_weight": 1.0, "pre_emph_coef": 0.85}
    return {"net": {"name": "LSTM", "config": recurrent}, "loss": loss, **config}


def train_nam(model: str, folder: pathlib.Path, minutes: float, every: float) -> Trained:
    """Train as `nam-full` does: batches of 16 segments of 8192 samples, of 32768 for the LSTM."""
    pl = importlib.import_module("pytorch_lightning")
    module = importlib.import_module("nam.train.lightning_module").LightningModule.init_from_config(
        nam_config(model)
    )
    nam_data = importlib.import_module("nam.data")
    ny = 32768 if model == "lstm" else 8192
    inputs = sorted((folder / "train" / "input").glob("*.wav"))
    pairs = [
        {"x_path": str(path), "y_path": str(path.parent.parent / "target" / path.name), "delay": 0, "ny": ny}
        for path in inputs
    ]
    config = {"train": pairs, "common": {"nx": module.net.receptive_field}}
    dataset = nam_data.init_dataset(config, nam_data.Split.TRAIN)
    module.net.sample_rate = dataset.sample_rate
    dataset.handshake(module.net)
    module.net.handshake(dataset)
    train = torch.utils.data.DataLoader(dataset, batch_size=16, shuffle=True, drop_last=True)
    log = Log(every)
    trainer = pl.Trainer(
        accelerator="cpu", devices=1, max_epochs=-1, logger=False, enable_progress_bar=False,
        enable_checkpointing=False, enable_model_summary=False,
        callbacks=[clock(pl.Callback, log, minutes, module.net)],
    )  # fmt: skip
    trainer.fit(module, train)
    log.keep(module.net)
    module.net.eval()
    process: Callable[[Tensor], Tensor] = lambda audio: module.net(audio[:, 0], pad_start=True)[:, None]  # noqa: E731
    return log, module.net, process
