"""Bring the models of NablAFx over: chains of processors with their controllers, and single networks."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fxkit.migration.entry import Entry
from fxkit.migration.mapping import class_rule
from fxkit.migration.nablafx_classes import CHAIN, CONDITIONINGS
from fxkit.migration.rules import Span, apply
from fxkit.migration.work import Work

# Kind of control -> controller, the keys of the whole model that shape it, what they are when left out.
_CONTROLLERS: Mapping[str, tuple[str, Mapping[str, tuple[str, int]]]] = {
    "static": ("static", {}),
    "static-cond": (
        "knobs-mlp",
        {"hidden": ("stat_cond_hidden_dim", 16), "layers": ("stat_cond_num_layers", 3)},
    ),
    "dynamic": ("lstm-control", {"hop": ("dyn_block_size", 128), "layers": ("dyn_num_layers", 1)}),
    "dynamic-cond": (
        "lstm-control",
        {"hop": ("dyn_cond_block_size", 128), "layers": ("dyn_cond_num_layers", 1)},
    ),
}


def bring_chain(work: Work, given: Entry) -> None:
    """Bring over a chain of processors."""
    apply(CHAIN, given, work.ledger, "nodes")
    chain: list[str] = []
    processors = given.get("processors")
    for entry in processors.elements() if processors else ():
        name = _processor(work, entry, given)
        if name:
            chain.append(name)
    work.sketch.set("model", chain=chain)
    for key, rule in CHAIN.items():
        left = given.get(key)
        if rule.action == "by" and left is not None and key != "processors" and not work.ledger.knows(left):
            work.ledger.unneeded(left, "no processor has such a controller")


def _processor(work: Work, entry: Entry, model: Entry) -> str | None:
    path = entry.get("class_path") or entry
    rule = class_rule("processors", str(path.plain()))
    name = work.sketch.free("nodes", rule.plugin if rule and rule.plugin else "lost")
    table = f"nodes.{name}" if rule and rule.plugin else "nodes"
    options = work.classed("processors", entry, table)
    if options is None or rule is None:
        return None
    given = entry.get("init_args")
    for span in rule.spans:
        options |= _limits(work, given, span, table)
    options |= _curve(work, given, rule.plugin, table)
    work.sketch.set(table, **options)
    _control(work, given, model, table, controlled="control_type" in rule.keys)
    return name


def _limits(work: Work, given: Entry | None, span: Span, table: str) -> dict[str, Any]:
    entries = [given.get(key) if given else None for key in span.keys]
    low, high = (
        work.number(entry, default, table) for entry, default in zip(entries, span.defaults, strict=True)
    )
    if low == high:
        found = {f"parameters.{span.parameter}.fixed": low}
    elif len(span.options) == 2:
        found = dict(zip(span.options, (low, high), strict=True))
    else:
        found = {span.options[0]: max(abs(low), abs(high))}
        if low != -high:
            found |= {f"parameters.{span.parameter}.low": low, f"parameters.{span.parameter}.high": high}
    for entry, option in zip(entries, [*found, *found], strict=False):
        work.given(entry, f"{table}.{option}")
    return found


def _curve(work: Work, given: Entry | None, plugin: str, table: str) -> dict[str, Any]:
    """Return the curve that a nonlinearity starts as."""
    entry = given.get("pretrained" if plugin == "siren" else "init_approx_func") if given else None
    if entry is None or work.ledger.knows(entry):
        return {}
    name = next((curve for curve in ("tanh", "identity") if curve in str(entry.plain())), None)
    if entry.plain() is None:
        work.ledger.unneeded(entry, "null leaves it open")
    elif name is None:
        work.ledger.missing(entry, "it starts as tanh or as the identity", table)
    else:
        work.ledger.mapped(entry, f"{table}.start", f"the curve {name}, fitted anew")
        return {"start": name}
    return {}


def _control(work: Work, given: Entry | None, model: Entry, table: str, *, controlled: bool) -> None:
    factor = given.get("lr_multiplier") if given else None
    options = work.sketch.tables[table]
    if not controlled:
        if factor is not None:
            options["lr"] = work.number(factor, 1.0, table)
            work.given(factor, f"{table}.lr")
        return
    entry = given.get("control_type") if given else None
    word = str(entry.plain()) if entry else "static"
    if _is_fixed(options):
        if entry is not None:
            work.ledger.unneeded(entry, "all of its parameters are fixed")
        if factor is not None:
            work.ledger.unneeded(factor, "nothing of it learns")
        return
    if word not in _CONTROLLERS:
        work.ledger.missing(entry, "no controller does this", table)
        return
    plugin, shape = _CONTROLLERS[word]
    controller = {
        "type": plugin,
        **{option: _shaped(work, model, key, table, option) for option, key in shape.items()},
    }
    if factor is not None:
        controller["lr"] = work.number(factor, 1.0, table)
        work.given(factor, f"{table}.controller.lr")
    work.ledger.mapped(entry, f"{table}.controller", plugin)
    options["controller"] = controller


def _is_fixed(options: Mapping[str, Any]) -> bool:
    free = ("lowest", "lowest_q", "gain_range", "low", "limit")
    return any(name.endswith(".fixed") for name in options) and not any(name in options for name in free)


def _shaped(work: Work, model: Entry, key: tuple[str, int], table: str, option: str) -> int:
    entry = model.get(key[0])
    value = work.whole(entry, key[1], table)
    if entry is not None and not work.ledger.knows(entry):
        work.ledger.mapped(entry, f"nodes.*.controller.{option}", "of every such controller")
    # An MLP of three layers has two hidden ones.
    return max(1, value - 1) if key[0] == "stat_cond_num_layers" else value


def bring_network(work: Work, given: Entry) -> None:
    """Bring over a single network with its conditioning."""
    entry = given.get("processor")
    if entry is None:
        return
    options = work.classed("processors", entry, "nodes.amp")
    if options is None:
        return
    inner = entry.get("init_args") or Entry({}, entry.file, entry.line, entry.key)
    work.sketch.set("nodes.amp", **options, **_conditioning(work, inner))
    work.sketch.set("model", chain=["amp"])


def _conditioning(work: Work, given: Entry) -> dict[str, Any]:
    word, knobs = given.get("cond_type"), given.get("num_controls")
    shape = {"block": given.get("cond_block_size"), "layers": given.get("cond_num_layers")}
    size = work.whole(knobs, 0, "nodes.amp") if knobs and knobs.plain() != 0 else 0
    told = CONDITIONINGS.get(str(word.plain())) if word else None
    if told is None:
        _without(work, word, [knobs, *shape.values()])
        return {}
    plugin, implied = told
    if size == 0 and plugin in ("concat", "film"):
        if word is not None:
            work.ledger.missing(word, f"{plugin} acts by knobs, and there are none", "nodes.amp")
        _without(work, None, [knobs, *shape.values()])
        return {}
    found: dict[str, Any] = {"type": plugin}
    if size:
        found["size"] = size
    work.ledger.mapped(word, "nodes.amp.conditioning.type", plugin)
    work.given(knobs, "nodes.amp.conditioning.size", "the knobs of the recordings" if size else "")
    for option, entry in shape.items():
        if plugin in ("concat", "film"):
            if entry is not None:
                work.ledger.unneeded(entry, f"{plugin} has no LSTM")
            continue
        found[option] = work.whole(entry, {"block": 128, "layers": 1}[option], "nodes.amp")
        work.given(entry, f"nodes.amp.conditioning.{option}", "samples" if option == "block" else "")
    controller = {"controller": {"type": "knobs"}} if size else {}
    return {"conditioning": {**found, **implied}, **controller}


def _without(work: Work, word: Entry | None, others: list[Entry | None]) -> None:
    if word is not None and word.plain() is None:
        work.ledger.unneeded(word, "there is none")
    elif word is not None:
        work.ledger.missing(word, "no conditioning does this", "nodes.amp")
    for entry in others:
        if entry is not None and not work.ledger.knows(entry):
            work.ledger.unneeded(entry, "without a conditioning it does nothing")
