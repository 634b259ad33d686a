"""What the schema allows is what the reader reads, short of checks that take more than one value."""

from __future__ import annotations

import copy
import pathlib
from collections.abc import Iterator
from typing import Any

import jsonschema
import pytest
import tomli
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from fxkit.catalog import Catalog
from fxkit.experiment import structure
from fxkit.experiment.composition import compose
from fxkit.experiment.document import check_format
from fxkit.experiment.draft import draft
from fxkit.experiment.report import Report
from fxkit.experiment.shipped import shipped_bases, shipped_experiments
from fxkit.experiment.tree import Source, plant
from fxkit.schema.document import experiment_schema
from fxkit.spec import describe

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


def options_of(kind_table: dict[str, Any]) -> list[Any]:
    """Return the options of every plugin that a table's type could be."""
    name = str(kind_table.get("type", "")).rpartition("/")[2]
    entries = [one for one in CATALOG.entries if one.name == name and one.status == "ok"]
    return [option for one in entries for option in describe(CATALOG.spec(one)).options]


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
    """Draw a valid document and change up to three values, by what options are near and what they allow."""
    document = copy.deepcopy(WHOLE[draw(st.sampled_from(sorted(WHOLE)))])
    for _ in range(draw(st.integers(0, 3))):
        places = [path for path in tables(document) if path[:1] not in [("plugins",)]]
        table = at(document, draw(st.sampled_from(places)))
        options = options_of(table)
        names = sorted({*table, *KEYS, *(option.name for option in options)})
        key = draw(st.sampled_from(names))
        if draw(st.booleans()) and key in table and key != "fxkit":
            del table[key]
            continue
        near = [option for option in options if option.name == key]
        table[key] = copy.deepcopy(draw(st.sampled_from([*VALUES, *limits(near)])))
    return document


def limits(options: list[Any]) -> list[Any]:
    """Return values on, beside and between the bounds, and the choices, of options."""
    found: list[Any] = []
    for option in options:
        bounds = option.meta.bounds
        for bound in (bounds.ge, bounds.gt, bounds.le, bounds.lt):
            if bound is not None:
                found += [bound, bound - 1, bound + 1, [bound], [bound - 1, bound], float(bound)]
        found += list(option.meta.choices)
    return found


@given(mutated())
@settings(max_examples=250, deadline=None, suppress_health_check=list(HealthCheck))
@example(RICH)
def test_schema_and_reader_agree(document: dict[str, Any]) -> None:
    assert bool(refused(document)) == bool(read(document)), (read(document), refused(document))


@given(mutated(), st.data())
@settings(max_examples=100, deadline=None, suppress_health_check=list(HealthCheck))
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
