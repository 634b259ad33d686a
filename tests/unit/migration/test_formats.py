from __future__ import annotations

import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.errors import ExperimentError
from fxkit.experiment.positions import dotted
from fxkit.experiment.reader import read_experiment
from fxkit.migration.formats import Change, Rewriting, upgrade
from fxkit.migration.own import upgrade_file, write_upgraded
from fxkit.migration.rewriting import Pair
from fxkit.migration.sketch import toml

OLD = """# an old experiment
fxkit = 1

[run]
name = "old"  # kept

[data]
type = "virtual-device"

[nodes.amp]     # the net
type = "tcn"
# how many knobs it has
conditions = 2  # two
blocks = 3
controller = { type = "static" }

[model]
chain = ["amp"]

[losses.error]
type = "esr"

[train]
steps = 100
optimizer = { type = "adam" }

[callbacks.plots]  # pictures
type = "parameter-plots"
every = 100

# the end
"""
NEW = (
    OLD.replace("conditions = 2 ", 'conditioning = { type = "concat", size = 2 } ')
    .replace('"parameter-plots"', '"training-plots"')
    .replace(
        "every = 100\n", 'every = 100\n\n[callbacks.plots-tracks]\ntype = "parameter-tracks"\nevery = 100\n'
    )
)


def renaming(old, new, place="run"):
    """Make a step that renames a key of a table."""

    def find(data, found):
        table = data.get(place, {})
        if isinstance(table, dict) and old in table and new not in table:
            path = (place, old)
            value = table[old]
            yield Rewriting(
                change=Change(line=found[path].key.line, path=dotted(path), before=old, after=new),
                values={path: None, (place, new): value},
                edits=(Pair(path=path, key=new, value=toml(value)),),
            )

    return find


STEPS = {1: (renaming("a", "b"),), 2: (renaming("b", "c"), renaming("x", "y")), 3: (renaming("z", "w"),)}
NAMES = st.sampled_from(["a", "b", "x", "z", "other"])
SCALARS = st.integers(-5, 5) | st.booleans() | st.text("ab c#'\"\\=]", max_size=6)
TEXTS = st.builds(
    lambda number, pairs, inline, comment: "\n".join(
        [
            f"fxkit = {number} # {comment}",
            *(
                [f"run = {{ {', '.join(f'{k} = {toml(v)}' for k, v in pairs.items())} }}"]
                if inline
                else ["[run] # r", *(f"  {k} = {toml(v)}  # {k}" for k, v in pairs.items())]
            ),
            "[rest]",
            "q = [1, # one",
            "  2]",
        ]
    ),
    st.integers(1, 3),
    st.dictionaries(NAMES, SCALARS, max_size=5),
    st.booleans(),
    st.text("ab ", max_size=4),
)


@settings(deadline=None)
@given(text=TEXTS)
def test_steps_follow_each_other_to_the_newest_format_and_nothing_is_lost(text):
    before = tomli.loads(text)
    after, changes = upgrade(text, STEPS, newest=3)
    data = tomli.loads(after)
    assert data["fxkit"] == 3
    assert data["rest"] == before["rest"]
    assert list(data["run"].values()) == list(before["run"].values())
    assert not {"z", *("x" if before["fxkit"] < 3 else "")} & data["run"].keys()
    numbers = [change for change in changes if change.path == "fxkit"]
    assert [change.after for change in numbers] == [str(n) for n in range(before["fxkit"] + 1, 4)]


@settings(deadline=None)
@given(text=TEXTS)
def test_upgrading_twice_is_upgrading_once(text):
    once, _ = upgrade(text, STEPS, newest=3)
    assert upgrade(once, STEPS, newest=3) == (once, [])


@settings(deadline=None)
@given(text=TEXTS)
def test_comments_and_all_other_lines_stay(text):
    after, changes = upgrade(text, STEPS, newest=3)
    touched = {change.line for change in changes}
    kept = [line for number, line in enumerate(text.split("\n"), 1) if number not in touched]
    assert [line for line in after.split("\n") if line in kept][: len(kept)] == kept
    assert after.count("#") == text.count("#")


def test_a_format_that_is_newer_or_no_number_stays_as_it_is():
    for text in ("fxkit = 9\n[run]\na = 1\n", 'fxkit = "1"\n', "[run]\na = 1\n"):
        assert upgrade(text, STEPS, newest=3) == (text, [])


def test_old_spellings_are_errors_that_name_the_new_ones_and_the_command(tmp_path):
    path = tmp_path / "old.toml"
    path.write_text(OLD)
    try:
        read_experiment(path)
    except ExperimentError as error:
        problems = [one for one in error.problems if "migrate" in one.message]
        told = [(one.line, one.path, one.message) for one in problems]
    assert told == [
        (
            13,
            "nodes.amp.conditions",
            'unknown option of processor "tcn"; it is conditioning = { type = "concat", size = N } now.'
            " `fxkit migrate FILE` rewrites it",
        ),
        (
            28,
            "callbacks.plots.type",
            '"parameter-plots" is "training-plots" and "parameter-tracks" now.'
            " `fxkit migrate FILE` rewrites it",
        ),
    ]


def test_old_spellings_are_rewritten_and_everything_else_stays_where_it_was(tmp_path):
    path = tmp_path / "old.toml"
    path.write_text(OLD)
    found = upgrade_file(path)
    assert found.after.decode() == NEW
    assert [(one.line, one.path) for one in found.changes] == [(13, "nodes.amp"), (28, "callbacks.plots")]
    copy = write_upgraded(found, None)
    assert copy is not None
    assert copy.read_text() == OLD
    assert path.read_text() == NEW
    assert read_experiment(path).nodes["amp"].spec.conditioning.size == 2


WRITTEN = st.sampled_from(
    [
        '[nodes.{n}]\ntype = "{t}"\nconditions = {c}\n',
        'nodes.{n}.type = "{t}"\nnodes.{n}.conditions = {c}\n',
        'nodes.{n} = {{ conditions = {c}, type = "{t}" }}\n',
        '[nodes]\n{n} = {{ type = "fxkit/{t}", conditions = {c} }}\n',
        '[nodes]\n{n}.conditions = {c}\n{n}.type = "{t}"\n',
        '[nodes."{n}"]\r\n"conditions" = {c}\r\ntype = "{t}"\r\n',
        '[callbacks.{n}]\ntype = "parameter-plots"\nevery = {c}\n[callbacks.{n}-tracks]\ntype = "ema"\n',
        '[callbacks]\n  {n} = {{ type = "parameter-plots", every = {c} }}\n',
        'callbacks.{n}.type = "parameter-plots"\n',
        '[nodes.{n}]\ntype = "{t}"\nconditions = {c}\nconditioning = {{ type = "film" }}\n',
    ]
)


@settings(deadline=None)
@given(
    shape=WRITTEN,
    name=st.sampled_from(["amp", "a-b", "x1"]),
    kind=st.sampled_from(["lstm", "tcn", "gcn"]),
    number=st.integers(0, 9),
)
def test_old_spellings_are_rewritten_however_they_are_written(shape, name, kind, number):
    text = "fxkit = 1\n" + shape.format(n=name, t=kind, c=number)
    before = tomli.loads(text)
    after, changes = upgrade(text)
    data = tomli.loads(after)
    table = data.get("nodes", {}).get(name)
    if table is not None and kind != "gcn":
        old = before["nodes"][name]
        plain = {"type": "concat", "size": number} if number else None
        assert "conditions" not in table
        assert table.get("conditioning") == old.get("conditioning", plain)
    elif table is not None:
        assert after == text
    else:
        callbacks = data["callbacks"]
        assert callbacks[name]["type"] == "training-plots"
        twin = next(one for key, one in callbacks.items() if one["type"] == "parameter-tracks")
        assert {**callbacks[name], "type": ""} == {**twin, "type": ""}
        assert len(callbacks) == len(before["callbacks"]) + 1
    assert upgrade(after) == (after, [])
    assert bool(changes) == (after != text)
