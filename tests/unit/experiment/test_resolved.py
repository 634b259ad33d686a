"""A resolved document says everything, and reading it again gives the same experiment."""

from __future__ import annotations

import copy
import pathlib
from typing import Any

import pytest
import tomli
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fxkit.catalog import Catalog
from fxkit.experiment.reader import read_document, read_experiment
from fxkit.experiment.resolved import config_digest, dump_toml

SETTINGS = settings(
    max_examples=50, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
floats = st.floats(-60, 60)
shares = st.floats(0, 0.99)
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)


def table(kind: str, **options: Any) -> Any:
    return st.fixed_dictionaries({"type": st.just(kind)}, optional=options)


tcn = table(
    "tcn",
    db=floats,
    channels=st.integers(1, 512),
    dilations=st.lists(st.integers(1, 99), max_size=3),
    activation=st.sampled_from(["tanh", "relu", "gated"]),
    dropout=shares,
    lr=st.integers(0, 3) | st.floats(0, 3),
    freeze=st.booleans(),
)
eq = st.builds(
    lambda one, bands: {**one, "bands": bands},
    table(
        "parametric-eq", low=st.floats(1, 99), controller=table("static", spread=shares, lr=st.floats(0, 2))
    ),
    st.integers(1, 16),
).map(lambda one: {"controller": {"type": "static"}, **one})
wrapped = st.builds(
    lambda inner, levels: {"type": "wrapped", "inner": inner, "levels": levels},
    tcn.map(lambda one: {key: value for key, value in one.items() if key not in ("lr", "freeze")}),
    st.dictionaries(texts, st.floats(-9, 0), max_size=3),
)
data = table("virtual-device", seconds=st.floats(0.1, 3600), segment=st.integers(16, 9999)) | st.builds(
    lambda one, root: {**one, "root": root},
    table("paired-audio", split=st.tuples(shares, shares, shares).map(list), align=st.booleans()),
    st.sampled_from(["takes", "/abs/takes", "../x y"]),
)
# Not 0, which all of them must not be.
positive = st.floats(1e-3, 9)
weights = positive | table("linear", start=st.floats(0, 9), final=positive, end=st.floats(0.1, 1))
names = st.text("abcdefgh0123456789-_", min_size=1, max_size=6).filter(lambda name: name[0] not in "-_")


@st.composite
def documents(draw: st.DrawFn) -> dict[str, Any]:
    """Draw an experiment without mistakes."""
    nodes = draw(st.dictionaries(names, tcn | eq | wrapped, min_size=1, max_size=4))
    order = draw(st.permutations(sorted(nodes)))
    split = draw(st.integers(0, len(order)))
    chain = [*order[:split], order[split:]] if order[split:] else order
    document = {
        "fxkit": 1,
        "data": draw(data),
        "nodes": nodes,
        "model": {"chain": chain},
        "losses": draw(st.dictionaries(names, table("esr", weight=weights), min_size=1, max_size=2)),
        "train": {
            "optimizer": draw(table("adamw", lr=st.floats(1e-6, 1))),
            **draw(st.fixed_dictionaries({}, optional={"schedule": table("cosine", floor=shares)})),
            **draw(st.fixed_dictionaries({}, optional={"clip_norm": st.floats(0.1, 9)})),
        },
    }
    phase = st.fixed_dictionaries(
        {
            "steps": st.integers(1, 9),
            "losses": st.fixed_dictionaries(dict.fromkeys(document["losses"], weights)),
        }
    )
    document["phase"] = draw(st.lists(phase, max_size=2))
    extra = st.fixed_dictionaries(
        {},
        optional={
            "run": st.fixed_dictionaries({}, optional={"name": names, "seed": st.integers(0, 2**31 - 1)}),
            "callbacks": st.dictionaries(names, table("audio-samples", on_error=st.just("warn")), max_size=3),
            "features": st.dictionaries(names, table("f0"), max_size=2),
        },
    )
    return {**document, **draw(extra)}


@given(documents())
@SETTINGS
def test_a_resolved_document_reads_as_the_same_experiment(
    catalog: Catalog, tmp_path: pathlib.Path, document: dict[str, Any]
) -> None:
    first = read_document(document, str(tmp_path / "first.toml"), catalog=catalog)
    file = tmp_path / "run" / "resolved.toml"
    file.parent.mkdir(exist_ok=True)
    file.write_text(dump_toml(first.resolved), encoding="utf-8", newline="\n")

    second = read_experiment(file, catalog=catalog)

    assert second == first
    assert second.resolved == first.resolved
    assert dump_toml(second.resolved) == dump_toml(first.resolved)
    assert config_digest(second.resolved) == config_digest(first.resolved)
    assert config_digest(tomli.loads(dump_toml(first.resolved))) == config_digest(first.resolved)


@given(documents(), st.data())
@SETTINGS
def test_another_value_gives_another_digest(
    catalog: Catalog, document: dict[str, Any], draw: st.DataObject
) -> None:
    resolved = read_document(document, "x.toml", catalog=catalog).resolved
    changed = copy.deepcopy(dict(resolved))
    # Beside phases, [train] has no steps.
    steps = ["train.steps"] if "steps" in changed["train"] else []
    where = draw.draw(st.sampled_from(["run.seed", *steps, "data.segment"]))
    home, _, key = where.partition(".")
    changed[home][key] += 1
    assert config_digest(changed) != config_digest(resolved)


@pytest.fixture
def resolved(catalog: Catalog) -> Any:
    document = {
        "fxkit": 1,
        "data": {"type": "paired-audio", "root": "takes"},
        "nodes": {"amp": {"type": "tcn", "db": 1}, "eq": {"type": "fxkit/gain"}},
        "model": {"chain": ["eq", ["amp"]]},
        "losses": {"esr": {"type": "esr"}},
        "train": {"optimizer": {"type": "adamw"}},
    }
    return read_document(document, "/home/x.toml", catalog=catalog).resolved


def test_every_default_is_written_out_and_absent_options_stay_absent(resolved: Any) -> None:
    assert resolved["nodes"]["amp"] == {
        "type": "tcn",
        "parameters": {},
        "inputs": {},
        "lr": 1.0,
        "freeze": False,
        "recompute": False,
        "db": 1.0,
        "invert": False,
        "channels": 16,
        "dilations": [1, 2, 4],
        "activation": "tanh",
    }
    assert resolved["run"]["sample_rate"] == 48000
    assert "clip_norm" not in resolved["train"]


def test_paths_are_absolute_and_names_as_short_as_they_may_be(resolved: Any) -> None:
    assert resolved["data"]["root"] == "/home/takes"
    assert resolved["nodes"]["eq"]["type"] == "gain"


def test_a_clashing_name_stays_qualified(catalog: Catalog, resolved: Any) -> None:
    changed = copy.deepcopy(resolved)
    changed["nodes"]["amp"] = {"type": "fxkit/lstm"}
    again = read_document(changed, "x.toml", catalog=catalog).resolved
    assert again["nodes"]["amp"]["type"] == "fxkit/lstm"


def test_the_order_of_callbacks_counts_in_the_digest(catalog: Catalog, resolved: Any) -> None:
    calls = {"a": {"type": "tensorboard"}, "b": {"type": "audio-samples"}}
    digests = {
        config_digest(
            read_document({**resolved, "callbacks": dict(order)}, "x.toml", catalog=catalog).resolved
        )
        for order in (calls.items(), reversed(calls.items()))
    }
    assert len(digests) == 2
