from __future__ import annotations

import attrs
import pytest

from fxkit.catalog import Catalog
from fxkit.experiment.tables import DataKeys, TrainTable
from fxkit.migration.mapping import ROLES, class_rule
from fxkit.migration.nablafx_classes import CONDITIONINGS
from fxkit.migration.nam_classes import ARRAY, HEAD
from fxkit.migration.rules import whole
from fxkit.migration.training_classes import TRAINER
from fxkit.spec import describe

CATALOG = Catalog.installed(in_tree_only=True)
RULES = [(role, name, rule) for role, rules in ROLES.items() for name, rule in rules.items()]
MAPPED = [(role, name, rule) for role, name, rule in RULES if rule.plugin]


def label(value):
    return value if type(value) is str else ""


def options(kind, plugin):
    return {option.name for option in describe(CATALOG.spec(CATALOG.find(kind, plugin))).options}


@pytest.mark.parametrize(
    ("role", "name", "rule"), MAPPED, ids=lambda value: value if type(value) is str else ""
)
def test_every_class_becomes_a_plugin_that_has_these_options(role, name, rule):
    known = options(rule.kind, rule.plugin)
    targets = {one for rule in rule.keys.values() if rule.action == "to" for one in rule.target.split(", ")}
    assert targets <= known
    assert {key for key in rule.implied if not key.startswith("parameters.")} <= known
    assert {option for span in rule.spans for option in span.options} <= known
    assert set(rule.defaults) <= {key for key, one in rule.keys.items() if one.action == "to"}


@pytest.mark.parametrize(
    ("role", "name", "rule"), MAPPED, ids=lambda value: value if type(value) is str else ""
)
def test_what_classes_do_unasked_can_be_written(role, name, rule):
    spec = CATALOG.spec(CATALOG.find(rule.kind, rule.plugin))
    values = {key: value for key, value in rule.implied.items() if not key.startswith("parameters.")}
    for key, value in rule.defaults.items():
        found = rule.keys[key].convert(value)
        names = rule.keys[key].target.split(", ")
        values |= {names[0]: found} if len(names) == 1 else dict(zip(names, found, strict=True))
    required = {field.name for field in attrs.fields(spec) if field.default is attrs.NOTHING}
    if not required - values.keys():
        spec(**{key: tuple(value) if isinstance(value, list) else value for key, value in values.items()})


@pytest.mark.parametrize(
    ("role", "name", "rule"), RULES, ids=lambda value: value if type(value) is str else ""
)
def test_what_is_lost_or_left_out_has_a_reason(role, name, rule):
    assert rule.plugin or rule.why
    for one in rule.keys.values():
        assert one.note or one.action in ("to", "by")


def test_other_tables_lead_to_keys_that_there_are():
    train = {option.name for option in describe(TrainTable).options}
    assert {one.target for one in TRAINER.values() if one.action == "to"} <= train
    assert "segment" in {option.name for option in describe(DataKeys).options}
    array = options("processors", "wavenet")
    assert "arrays" in array
    from fxkit_neural.wavenet import LayerArray

    known = {field.name for field in attrs.fields(LayerArray)}
    assert {one.target for rules in (ARRAY, HEAD) for one in rules.values() if one.action == "to"} <= known


@pytest.mark.parametrize("word", CONDITIONINGS)
def test_every_conditioning_is_there_with_what_it_does_unasked(word):
    plugin, implied = CONDITIONINGS[word]
    assert set(implied) <= options("conditionings", plugin)


def test_classes_are_found_by_their_last_name():
    assert class_rule("processors", "nablafx.lstm.LSTM") is class_rule("processors", "LSTM")
    assert class_rule("losses", "my.own.Loss") is None


def test_numbers_are_not_taken_for_others():
    assert whole(3.0) == 3
    for value in (True, "3", 3.5, None):
        with pytest.raises(TypeError):
            whole(value)
