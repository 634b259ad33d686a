"""What the schema allows is what the reader reads, short of checks that take more than one value."""

from __future__ import annotations

import copy
import pathlib
import typing
from collections.abc import Iterator
from typing import Any

import attrs
import jsonschema
import pytest
import tomli
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fxkit.catalog import Catalog
from fxkit.experiment import structure
from fxkit.experiment.composition import OWN_KEYS, compose, compose_document
from fxkit.experiment.document import check_format
from fxkit.experiment.draft import draft
from fxkit.experiment.report import Report
from fxkit.experiment.shipped import shipped_bases, shipped_experiments
from fxkit.experiment.tables import ARRAYS, PLACES, TABLES
from fxkit.experiment.tree import Source, plant
from fxkit.schema.document import HEAD, experiment_schema
from fxkit.schema.value import plain
from fxkit.spec import Option, describe

CATALOG = Catalog.installed(in_tree_only=True)
SCHEMA = experiment_schema(CATALOG).document
# In TOML 3.0 is a float; draft 7 alone would take it for an integer.
TOML_TYPES = jsonschema.Draft7Validator.TYPE_CHECKER.redefine("integer", lambda _, value: type(value) is int)
VALIDATOR = jsonschema.validators.extend(jsonschema.Draft7Validator, type_checker=TOML_TYPES)(SCHEMA)

Path = tuple[Any, ...]


def composed(path: pathlib.Path) -> dict[str, Any]:
    """Return a shipped experiment as one document without parents."""
    report = Report()
    tree = compose(path, report)
    assert tree is not None
    assert not report.problems
    return {"fxkit": 1, **tree.plain()}


RICH: dict[str, Any] = tomli.loads("""
fxkit = 1
run = { name = "rich", sample_rate = 44100 }
data = { type = "virtual-device", segment = 1024 }
features.pitch = { type = "f0" }
controllers.shared = { type = "knobs-mlp", hidden = 4, lr = 0.5 }
model.chain = ["tone", ["amp", ["rack", "net"]]]
metrics.more = { type = "si-sdr" }
[nodes.tone]
type = "fxkit/parametric-eq"
controller = "shared"
parameters.gain.fixed = 1.0
[nodes.amp]
type = "tcn"
preset = "45-s"
conditioning = { type = "film" }
freeze = true
[nodes.rack]
type = "series"
processors = [{ type = "gain" }, { type = "oversample", processor = { type = "tanh" } }]
[nodes.net]
type = "wavenet"
arrays = [{ channels = 4, dilations = [1, 2] }]
lr = 0
[losses.esr]
type = "esr"
weight = { type = "linear", final = 2.0 }
[losses.sum]
type = "weighted-sum"
terms = [{ type = "l1" }, { type = "stft", fft_size = 512 }]
[callbacks.check]
type = "metrics"
metrics.pitch.type = "f0-error"
on_error = "warn"
[train]
steps = 5
optimizer = { type = "adam", lr = 0.1 }
schedule.type = "cosine"
[[phase]]
name = "first"
steps = 3
losses = { esr = 1, sum = { type = "linear" } }
[[phase]]
until = "3 s"
alternate = [{ train = ["amp"], optimizer = { type = "sgd" } }, { losses = { esr = 1.0 } }]
""")
WHOLE = {**{name: composed(path) for name, path in shipped_experiments().items()}, "rich": RICH}


@pytest.fixture(autouse=True)
def values_alone(monkeypatch: pytest.MonkeyPatch) -> None:
    """Leave out what specs check of several of their values together, which a schema cannot say."""
    monkeypatch.setattr(structure, "_own_problems", lambda spec: ())


def read(document: dict[str, Any]) -> list[str]:
    """Return what the reader finds wrong with the tables of a document."""
    report = Report()
    tree = plant(document, Source(file="x.toml", folder=pathlib.Path.cwd()), {})
    if check_format(tree, report):
        draft(without_head(tree), CATALOG, report, allow_local=False)
    return [f"{problem.path}: {problem.message}" for problem in report.problems]


def without_head(tree: Any) -> Any:
    return type(tree)({name: one for name, one in tree.items() if name != "fxkit"}, tree.mark)


def refused(document: dict[str, Any]) -> list[str]:
    """Return what the schema has against a document."""
    return [
        f"{list(error.absolute_path)}: {error.message[:200]}" for error in VALIDATOR.iter_errors(document)
    ]


def test_the_schema_is_one() -> None:
    jsonschema.Draft7Validator.check_schema(SCHEMA)


def test_it_knows_the_keys_outside_of_the_tables() -> None:
    assert set(HEAD) == set(OWN_KEYS)


@pytest.mark.parametrize(
    ("extends", "valid"),
    [("a.toml", True), (["a.toml"], True), ([], True), ({"model": "a.toml"}, True), (3, False), ([3], False)],
)
def test_parents_may_be_one_a_list_or_named(extends: Any, valid: bool) -> None:
    assert bool(refused({"fxkit": 1, "extends": extends})) is not valid
    report = Report()
    tree = plant({"extends": extends}, Source(file="x.toml", folder=pathlib.Path("nowhere")), {})
    compose_document(tree, report)
    assert all("no file" in problem.message for problem in report.problems) is valid


@pytest.mark.parametrize("name", WHOLE)
def test_every_shipped_experiment_is_valid_as_a_whole(name: str) -> None:
    assert read(WHOLE[name]) == []
    assert refused(WHOLE[name]) == []


@pytest.mark.parametrize("path", [*shipped_experiments().values()], ids=lambda path: path.stem)
def test_every_shipped_file_is_valid_as_it_stands(path: pathlib.Path) -> None:
    assert refused(tomli.loads(path.read_text())) == []


@pytest.mark.parametrize("path", [*shipped_bases().values()], ids=lambda path: path.stem)
def test_every_shipped_part_is_valid_over_others(path: pathlib.Path) -> None:
    document = tomli.loads(path.read_text())
    assert refused({**document, "extends": document.get("extends", [])}) == []


def tables(value: Any, path: Path = ()) -> Iterator[Path]:
    """Yield the paths of the tables in a document."""
    if isinstance(value, dict):
        yield path
    entries = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for key, item in entries:
        yield from tables(item, (*path, key))


def at(document: Any, path: Path) -> Any:
    for key in path:
        document = document[key]
    return document


def options_of(path: Path, table: dict[str, Any]) -> list[Option]:
    """Return the options of the plugins that a table's type could be, and the kernel's keys at its path."""
    name = str(table.get("type", "")).rpartition("/")[2]
    entries = [one for one in CATALOG.entries if one.name == name and one.status == "ok"]
    kernel = [cls for name, cls in {**TABLES, **ARRAYS}.items() if path[:1] == (name,)]
    keys = [place.keys for place in PLACES if path[:1] == (place.path,) and len(path) == 1 + place.named]
    return [
        option for cls in [*map(CATALOG.spec, entries), *kernel, *keys] for option in describe(cls).options
    ]


# Scalars, lists and tables of every type and of several kinds.
VALUES: tuple[Any, ...] = (
    *(0, 1, -1, 2, 16, 10**6, 0.0, 0.5, 1.0, 3.0, -0.5, 1e9, True, False, "", "x", "auto", "mean", "esr"),
    *([], [0], [1], [0.5, 2], ["a"], [1, "a"], [["a"], "b"], [True], [{}], {}, {"a": 1}, {"a": [0.5]}),
    *({"type": name} for name in ("gain", "l1", "film", "linear", "adam", "static", "none-such", 3)),
    *([{"type": "l1"}], {"a": {"type": "l1"}}),
)
KEYS = ("type", "weight", "controller", "lr", "freeze", "steps", "until", "parameters", "preset", "Bad Name")


@st.composite
def mutated(draw: st.DrawFn) -> dict[str, Any]:
    """Draw a valid document and change up to three of its tables' entries, half of them as options allow."""
    document = copy.deepcopy(WHOLE[draw(st.sampled_from(sorted(WHOLE)))])
    for _ in range(draw(st.integers(0, 3))):
        path = draw(st.sampled_from([path for path in tables(document) if path[:1] != ("plugins",)]))
        table = at(document, path)
        options = options_of(path, table)
        apt = [(one.name, value) for one in options for value in allowed(one)]
        change = draw(st.sampled_from(["apt", "apt", "apt", "apt", "near", "any", "gone"]))
        if change == "apt" and apt:
            name, value = draw(st.sampled_from(apt))
            table[name] = copy.deepcopy(value)
        elif change == "near" and options:
            option = draw(st.sampled_from(options))
            table[option.name] = copy.deepcopy(draw(st.sampled_from([*beside(option), *VALUES])))
        elif change == "any":
            table[draw(st.sampled_from([*table, *KEYS]))] = copy.deepcopy(draw(st.sampled_from(VALUES)))
        elif change == "gone" and table:
            table.pop(draw(st.sampled_from(sorted(table))))
    return document


def allowed(option: Option) -> list[Any]:
    """Return values that an option probably allows."""
    default = plain(option.default) if not option.required else None
    bounds = [bound for bound in (option.meta.bounds.ge, option.meta.bounds.le) if bound is not None]
    typed = [int(one) if option.type is int else float(one) for one in bounds]
    choices = [*option.meta.choices, *typing.get_args(option.type)]
    written = [one for one in (default, *typed, *choices) if isinstance(one, (bool, int, float, str, list))]
    return [value for value in written if value not in ([], "")] or [2]


def beside(option: Option) -> list[Any]:
    """Return values on and beside the bounds of an option, alone and in lists."""
    bounds = [bound for bound in attrs.astuple(option.meta.bounds) if bound is not None]
    near = [value for bound in bounds for value in (bound, bound - 1, bound + 1, float(bound))]
    return [*near, *([value] for value in near), [*near]]


@given(mutated())
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
@example(RICH)
def test_schema_and_reader_agree(document: dict[str, Any]) -> None:
    assert bool(refused(document)) == bool(read(document)), (read(document), refused(document))


@given(mutated(), st.data())
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_what_is_left_of_an_experiment_may_lie_over_others(
    document: dict[str, Any], data: st.DataObject
) -> None:
    if refused(document):
        return
    over = {"extends": ["parent.toml"], **copy.deepcopy(document)}
    for path in data.draw(st.lists(st.sampled_from(named(over)), max_size=6, unique=True)):
        *above, key = path
        try:
            del at(over, tuple(above))[key]
        except KeyError:
            continue
    assert refused(over) == []


def named(document: dict[str, Any]) -> list[Path]:
    """Return the paths, by names alone, of all that a file may leave to those that it extends."""
    inner = [path for path in tables(document) if all(isinstance(key, str) for key in path)]
    found = [(*path, key) for path in inner for key in at(document, path)]
    return [path for path in found if path[0] not in ("fxkit", "extends")]
