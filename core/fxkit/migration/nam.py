"""Bring over experiments of Neural Amp Modeler: its data, model and learning files, in JSON."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fxkit.migration.entry import Entry
from fxkit.migration.nam_classes import ARRAY, HEAD, LOADER, LOSS
from fxkit.migration.nam_data import bring_data
from fxkit.migration.rules import apply
from fxkit.migration.schedules import schedule
from fxkit.migration.trainer import bring_trainer
from fxkit.migration.windows import bring_warmup, bring_window
from fxkit.migration.work import Work

_MONITORS: Mapping[str, str] = {"val_loss": "loss", "MSE": "mse", "ESR": "esr", "MRSTFT": "spectral"}
# Key of the weight -> key of the coefficient, the name here, and the loss.
_TERMS: Mapping[str, tuple[str, str, str]] = {
    "mrstft_weight": ("", "spectral", "multi-resolution-stft"),
    "mstft_weight": ("", "spectral", "multi-resolution-stft"),
    "pre_emph_weight": ("pre_emph_coef", "emphasised", "l2"),
    "pre_emph_mrstft_weight": ("pre_emph_mrstft_coef", "emphasised-spectral", "multi-resolution-stft"),
    "dc_weight": ("", "dc", "dc"),
}


def bring_nam(work: Work, sources: Sequence[Entry]) -> None:
    """Bring over what the files say; keys that nobody knows are left to the account."""
    for source in sources:
        for key in ("_notes", "_comments"):
            if source.get(key):
                work.ledger.unneeded(source.get(key), "a remark")
    for source in sources:
        _loader(work, source)
    for source in sources:
        bring_data(work, source)
    for source in sources:
        net = source.get("net")
        if net is not None:
            _model(work, source, net)
    for source in sources:
        trainer = source.get("trainer")
        if trainer is not None:
            bring_trainer(work, trainer, _MONITORS)
    for source in sources:
        _schedule(work, source)
    work.sketch.set("callbacks.checkpoint", type="checkpoint")


def _loader(work: Work, source: Entry) -> None:
    loader = source.get("train_dataloader")
    if loader is not None:
        apply(LOADER, loader, work.ledger, "train")
        batch = loader.get("batch_size")
        work.sketch.set("train", batch_size=work.whole(batch, 1, "train"))
        work.given(batch, "train.batch_size")
    for key, why in (
        ("val_dataloader", "validations take whole recordings"),
        ("trainer_fit_kwargs", "there are none"),
    ):
        entry = source.get(key)
        if entry is not None and (key == "val_dataloader" or not entry.items()):
            work.ledger.unneeded(entry, why)


def _model(work: Work, source: Entry, net: Entry) -> None:
    name = net.get("name")
    if name is not None:
        _net(work, name, net.get("config"))
    loss = source.get("loss")
    _losses(work, loss)
    optimizer = source.get("optimizer")
    if optimizer is not None:
        table = "train.optimizer"
        found = work.part("optimizers", None, optimizer, table, known_as="Adam")
        work.sketch.set("train", optimizer=found)
    checkpoint = source.get("checkpoint_path")
    if checkpoint is not None and checkpoint.plain() is None:
        work.ledger.unneeded(checkpoint, "there is none")
    elif checkpoint is not None:
        work.ledger.missing(checkpoint, "export it as .nam, then fxkit import, then run --init", "run")


def _net(work: Work, name: Entry, given: Entry | None) -> None:
    options = work.part("nam", name, given, "nodes.amp")
    if options is None:
        return
    if given is not None and options["type"] == "wavenet":
        options |= _arrays(work, given)
        # NAM gives the network what it hears before each segment.
        work.sketch.set("data", warmup=sum(map(_reach, options["arrays"])) or None)
    work.sketch.set("nodes.amp", **options)
    work.sketch.set("model", chain=["amp"])
    if given is not None:
        bring_warmup(work, given.get("train_burn_in"))
        bring_window(work, given.get("train_truncate"))


def _arrays(work: Work, given: Entry) -> dict[str, Any]:
    layers = given.get("layers_configs")
    found = []
    for index, layer in enumerate(layers.elements() if layers else ()):
        table = f"nodes.amp.arrays[{index}]"
        array = apply(ARRAY, layer, work.ledger, table)
        array |= apply(HEAD, layer.get("head"), work.ledger, table)
        for key in ("head1x1", "layer1x1"):
            _one_by_one(work, layer.get(key), key == "layer1x1")
        if array.get("gating", "none") == "none":
            array.pop("gate", None)
        found.append(array)
    return {"arrays": found}


def _reach(array: Mapping[str, Any]) -> int:
    """Return how many samples before the present one an array hears."""
    dilations, kernel = array.get("dilations", []), array.get("kernel", 3)
    taps = kernel if isinstance(kernel, list) else [kernel] * len(dilations)
    steps = sum((count - 1) * dilation for count, dilation in zip(taps, dilations, strict=False))
    return int(steps + array.get("head_kernel", 1) - 1)


def _one_by_one(work: Work, entry: Entry | None, usual: bool) -> None:
    if entry is None:
        return
    told = entry.plain() or {}
    if told.get("active", usual) == usual and (not usual or told.get("groups", 1) == 1):
        work.ledger.unneeded(entry, "fxkit does so anyway")
    else:
        work.ledger.missing(entry, "each layer has one 1x1 convolution, to the next", "nodes.amp")


def _losses(work: Work, given: Entry | None) -> None:
    apply(LOSS, given, work.ledger, "losses")
    work.sketch.set("losses.mse", type="l2")
    work.sketch.set("metrics.esr", type="esr")
    best = given.get("val_loss") if given else None
    chosen = str(best.plain()) if best else "mse"
    if best is not None and chosen not in ("mse", "esr"):
        work.ledger.missing(best, "no loss or metric is called so", "train")
    else:
        work.sketch.set("train", best=chosen)
        work.ledger.mapped(best, "train.best")
    if given is None:
        return
    for key, (other, name, plugin) in _TERMS.items():
        _term(work, given.get(key), given.get(other) if other else None, name, plugin)
    bring_warmup(work, given.get("mask_first"))


def _term(work: Work, weight: Entry | None, coefficient: Entry | None, name: str, plugin: str) -> None:
    table = f"losses.{name}"
    if weight is None or not isinstance(weight.plain(), (int, float)):
        for entry in (weight, coefficient):
            if entry is not None:
                work.ledger.unneeded(entry, "without a weight there is no such term")
        return
    work.ledger.mapped(weight, f"{table}.weight")
    told: dict[str, Any] = {"type": plugin, "weight": float(weight.plain())}
    if coefficient is not None and isinstance(coefficient.plain(), (int, float)):
        work.ledger.mapped(coefficient, f"{table}.coefficient")
        inner = {"type": plugin}
        told |= {"type": "filtered", "filter": "pre-emphasis", "coefficient": float(coefficient.plain())}
        told["inner"] = inner
    elif coefficient is not None:
        work.ledger.unneeded(coefficient, "null leaves the filter out")
    work.sketch.set(table, **told)


def _schedule(work: Work, source: Entry) -> None:
    told = source.get("lr_scheduler")
    if told is None:
        return
    name = told.get("class")
    if name is None:
        work.ledger.unneeded(told, "the learning rate stays")
        return
    lr = (work.sketch.tables.get("train", {}).get("optimizer") or {}).get("lr", 1e-3)
    interval = told.get("interval")
    unit = str(interval.plain()) if interval else "epoch"
    work.sketch.set("train", schedule=schedule(work, name, told.get("kwargs"), lr, unit))
    work.ledger.mapped(interval, "train.schedule", "the unit of its numbers")
    monitor = told.get("monitor")
    if monitor is not None and str(monitor.plain()) in _MONITORS:
        work.ledger.unneeded(monitor, "train.best says what is watched")
    frequency = told.get("frequency")
    if frequency is not None and frequency.plain() == 1:
        work.ledger.unneeded(frequency, "each time")
