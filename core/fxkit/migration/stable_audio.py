"""Bring over experiments of stable-audio-tools: its model and data files, in JSON, and its INI."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fxkit.migration.entry import Entry
from fxkit.migration.losses import weighted
from fxkit.migration.rules import apply
from fxkit.migration.schedules import schedule
from fxkit.migration.stable_audio_classes import (
    DATA,
    DEMO,
    FOLDER,
    INI,
    LOSSES,
    MODEL,
    NO_DISCRIMINATOR,
    NO_MODEL,
    TRAINING,
)
from fxkit.migration.trainer import accumulate, run_name
from fxkit.migration.work import Work

_ENDLESS = "stable-audio-tools trains until it is stopped; steps or until say how long here."


def bring_stable_audio(work: Work, sources: Sequence[Entry]) -> None:
    """Bring over what the files say; keys that nobody knows are left to the account."""
    for source in sources:
        if source.get("model_type") is not None:
            _model(work, source)
    for source in sources:
        if source.get("dataset_type") is not None:
            _data(work, source)
    for source in sources:
        if source.get("DEFAULTS") is not None:
            _ini(work, source.value["DEFAULTS"])
    if "train" in work.sketch.tables:
        work.sketch.remark("train", _ENDLESS)


def _model(work: Work, source: Entry) -> None:
    work.rate(source.get("sample_rate"))
    channels = source.get("audio_channels")
    if channels is not None and channels.plain() in (1, 2):
        work.sketch.set("data", channels="mono" if channels.plain() == 1 else "stereo")
        work.ledger.mapped(channels, "data.channels")
    inner = source.at("model", "io_channels")
    if inner is not None and channels is not None and inner.plain() == channels.plain():
        work.ledger.mapped(inner, "data.channels")
    told = apply(MODEL, source, work.ledger, "data")
    work.sketch.set("data", **told)
    training = source.get("training")
    if training is not None:
        _training(work, training, stereo=channels is None or channels.plain() == 2)


def _training(work: Work, training: Entry, *, stereo: bool) -> None:
    apply(TRAINING, training, work.ledger, "train")
    _optimizer(work, training)
    averaging = training.get("use_ema")
    if averaging is not None and averaging.plain():
        work.sketch.set("callbacks.ema", type="ema", decay=0.9999)
        work.ledger.mapped(averaging, "callbacks.ema", "of decay 0.9999, as there")
    elif averaging is not None:
        work.ledger.unneeded(averaging, "weights are not averaged")
    _clip(work, training.get("clip_grad_norm"))
    losses = training.get("loss_configs")
    for name, entry in losses.items() if losses else ():
        _loss(work, name, entry, stereo)
    metrics = training.get("eval_loss_configs")
    for name, entry in metrics.items() if metrics else ():
        _metric(work, name, entry)
    demo, every = training.get("demo"), training.at("demo", "demo_every")
    told = apply(DEMO, demo, work.ledger, "callbacks.listen")
    if every is not None:
        work.sketch.set(
            "callbacks.listen", type="audio-samples", every=work.whole(every, 500, "callbacks.listen"), **told
        )
        work.given(every, "callbacks.listen.every", "steps")


def _clip(work: Work, entry: Entry | None) -> None:
    if entry is None:
        return
    if isinstance(entry.plain(), (int, float)) and entry.plain() > 0:
        work.sketch.set("train", clip_norm=float(entry.plain()))
        work.ledger.mapped(entry, "train.clip_norm")
    else:
        work.ledger.unneeded(entry, "nothing is clipped")


def _optimizer(work: Work, training: Entry) -> None:
    rate, told = training.get("learning_rate"), training.get("optimizer_configs")
    work.ledger.missing(told.get("discriminator") if told else None, NO_DISCRIMINATOR, "train")
    name = told.at("autoencoder", "optimizer", "type") if told else None
    if told is None or name is None:
        # What the trainer takes where nothing is said.
        lr = work.number(rate, 1e-4, "train")
        work.sketch.set("train", optimizer={"type": "adamw", "lr": lr, "beta1": 0.8, "beta2": 0.99})
        work.given(rate, "train.optimizer.lr", "AdamW, as there")
        return
    if rate is not None:
        work.ledger.unneeded(rate, "the optimizer has its own")
    given = told.at("autoencoder", "optimizer", "config")
    found = work.part("optimizers", name, given, "train.optimizer")
    work.sketch.set("train", optimizer=found)
    falling = told.at("autoencoder", "scheduler")
    kind = falling.get("type") if falling else None
    if falling is not None and kind is not None:
        first = found.get("lr") if found else None
        work.sketch.set("train", schedule=schedule(work, kind, falling.get("config"), first, "step"))


def _loss(work: Work, name: str, entry: Entry, stereo: bool) -> None:
    if name == "discriminator":
        work.ledger.missing(entry, NO_DISCRIMINATOR, "losses")
        return
    decay, weights = entry.get("decay"), entry.get("weights")
    for word, weight in weights.items() if weights else ():
        if not weight.plain():
            work.ledger.unneeded(weight, "a weight of 0 leaves it out")
        elif word not in LOSSES:
            why = NO_MODEL if word == "kl" else f"no loss stands for {word}"
            work.ledger.missing(weight, why, "losses")
        else:
            _term(work, name, entry, word, weight, stereo)
    if decay is not None and decay.plain() == 1:
        work.ledger.unneeded(decay, "the weight stays")
    elif decay is not None:
        work.ledger.missing(decay, "weights follow ramps of their own; see losses.NAME.weight", "losses")
    used = [word for word, weight in weights.items() if weight.plain()] if weights else []
    for key in ("type", "config"):
        part = entry.get(key)
        if part is not None and not any(work.ledger.knows(leaf) for leaf in part.leaves()):
            _rest(work, part, bool(used))


def _rest(work: Work, part: Entry, used: bool) -> None:
    if used:
        work.ledger.missing(part, "belongs to what has no counterpart", "losses")
    else:
        work.ledger.unneeded(part, "a weight of 0 leaves it out")


def _term(work: Work, name: str, entry: Entry, word: str, weight: Entry, stereo: bool) -> None:
    label = name if name == "spectral" else word
    table = f"losses.{label}"
    kind = entry.get("type")
    given = entry.get("config")
    known = kind if kind is not None and not work.ledger.knows(kind) else None
    loss = work.part("losses", known, given, table, known_as=LOSSES[word])
    if loss is None:
        work.ledger.missing(weight, "its loss has no counterpart", table)
        return
    filtering = given.get("perceptual_weighting") if given else None
    loss = weighted(work, loss, filtering, table)
    value = work.number(weight, 1.0, table)
    if stereo and word == "mrstft":
        # There: sums and differences, and half of left and of right beside them.
        work.sketch.set(table, type="sum-difference", weight=value, inner=loss)
        work.sketch.set(f"{table}-channels", **{"type": loss["type"], "weight": value, **loss})
        work.given(weight, f"{table}.weight", "of sums and differences, and of the channels")
        return
    work.given(weight, f"{table}.weight")
    work.sketch.set(table, **{"type": loss["type"], "weight": value, **loss})


def _metric(work: Work, name: str, entry: Entry) -> None:
    if name not in LOSSES:
        work.ledger.missing(entry, f"no metric stands for {name}", "metrics")
        return
    if not entry.items():
        work.ledger.mapped(entry, f"metrics.{name}")
    found = work.part(
        "losses", None, entry if entry.items() else None, f"metrics.{name}", known_as=LOSSES[name]
    )
    if found is not None:
        work.sketch.set(f"metrics.{name}", **found)


def _data(work: Work, source: Entry) -> None:
    kind = source.value["dataset_type"]
    folders = source.get("datasets")
    if kind.plain() != "audio_dir":
        work.ledger.missing(kind, "recordings are read from a folder", "data")
        work.ledger.missing(folders, "recordings are read from a folder", "data")
    else:
        work.sketch.set("data", type="audio-folder")
        work.ledger.mapped(kind, "data.type", "audio-folder")
    work.sketch.set("data", **apply(DATA, source, work.ledger, "data"))
    for index, folder in enumerate(folders.elements() if folders else ()):
        if index:
            work.ledger.missing(folder, "there is one folder; put these recordings below it", "data")
            continue
        path = folder.get("path")
        if path is not None and not work.ledger.knows(path):
            work.sketch.set("data", root=str(path.plain()))
            work.ledger.mapped(path, "data.root")
        apply(
            {key: rule for key, rule in FOLDER.items() if kind.plain() == "audio_dir"},
            folder,
            work.ledger,
            "data",
        )


def _ini(work: Work, given: Entry) -> None:
    ledger, sketch = work.ledger, work.sketch
    for _, entry in given.items():
        if entry.plain() in ("", None):
            ledger.unneeded(entry, "is empty")
    left = {key: entry for key, entry in given.items() if not ledger.knows(entry)}
    rest = Entry(left, given.file, given.line, given.key)
    sketch.set("train", **apply(INI, rest, ledger, "train"))
    for key, table, option in (
        ("seed", "run", "seed"),
        ("batch_size", "train", "batch_size"),
        ("checkpoint_every", "callbacks.checkpoint", "every"),
    ):
        told = rest.get(key)
        if told is not None:
            sketch.set(table, **{option: told.plain() if key == "seed" else work.whole(told, 1, table)})
            work.given(told, f"{table}.{option}")
    if "callbacks.checkpoint" in sketch.tables:
        sketch.tables["callbacks.checkpoint"] = {
            "type": "checkpoint",
            **sketch.tables["callbacks.checkpoint"],
        }
    name = rest.get("name")
    if name is not None:
        sketch.set("run", name=run_name(str(name.plain())))
        ledger.mapped(name, "run.name")
    accumulate(work, rest.get("accum_batches"))
    _clip(work, rest.get("gradient_clip_val"))
    _validations(work, rest.get("val_every"))


def _validations(work: Work, entry: Entry | None) -> None:
    value: Any = entry.plain() if entry else None
    if entry is not None and isinstance(value, int) and value > 0:
        work.sketch.set("train", validate_every=value)
        work.ledger.mapped(entry, "train.validate_every", "steps")
    elif entry is not None:
        work.ledger.unneeded(entry, "leaves it open")
