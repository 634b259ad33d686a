"""One rule merges documents, and every value stays marked with where it was written."""

from __future__ import annotations

import pathlib
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.experiment.positions import positions
from fxkit.experiment.tree import Source, Tree, merge, plant, without

names = st.sampled_from(["a", "b", "c", "type"])


def tree(document: Any, file: str = "x.toml") -> Tree:
    return plant(document, Source(file=file, folder=pathlib.Path("/")), {})


def merged(*documents: Any) -> Any:
    result = tree(documents[0])
    for document in documents[1:]:
        result = merge(result, tree(document))
    return result.plain()


def test_tables_merge_key_by_key_and_everything_else_replaces() -> None:
    base = {"x": {"p": 1, "q": [1, 2]}, "y": 1, "z": {"w": 1}}
    over = {"x": {"q": [3]}, "z": 5, "new": {"v": 1}}
    assert merged(base, over) == {"x": {"p": 1, "q": [3]}, "y": 1, "z": 5, "new": {"v": 1}}


def test_a_table_of_another_type_replaces_the_whole_table() -> None:
    base = {"type": "lstm", "hidden": 3}
    assert merged({"n": base}, {"n": {"type": "tcn"}}) == {"n": {"type": "tcn"}}
    assert merged({"n": base}, {"n": {"type": "lstm"}}) == {"n": base}
    assert merged({"n": base}, {"n": {"lr": 2}}) == {"n": {**base, "lr": 2}}
    assert merged({"n": {"lr": 2}}, {"n": base}) == {"n": {**base, "lr": 2}}


def test_keys_keep_the_order_of_the_parent_and_new_ones_follow() -> None:
    assert list(merged({"b": 1, "a": 1}, {"c": 1, "a": 2})) == ["b", "a", "c"]


def test_every_value_keeps_its_own_origin() -> None:
    base, over = "a = 1\n[t]\nb = 2\n", "[t]\nc = 3\n"
    result = merge(located(base, "base.toml"), located(over, "over.toml"))
    origins = {path: str(leaf.mark.value) for path, leaf in result.leaves()}
    assert origins == {("a",): "base.toml:1:5", ("t", "b"): "base.toml:3:5", ("t", "c"): "over.toml:2:5"}
    table = result.at(("t",))
    assert table is not None
    assert str(table.mark.value) == "over.toml:1:2"


def located(text: str, file: str) -> Tree:
    import tomli

    return plant(tomli.loads(text), Source(file=file, folder=pathlib.Path("/")), positions(text))


def test_without_takes_one_path_out() -> None:
    assert without(tree({"a": {"b": 1, "c": 2}, "d": 3}), ("a", "b")).plain() == {"a": {"c": 2}, "d": 3}


def shapes(type_names: list[str]) -> Any:
    """Return documents in which a path is always a table or never, so that merging is associative."""
    leaves = st.integers(0, 9) | st.lists(st.integers(0, 9), max_size=2)
    inner = st.fixed_dictionaries(
        {}, optional={"p": leaves, "q": leaves, "type": st.sampled_from(type_names)}
    )
    return st.fixed_dictionaries({}, optional={"x": inner, "y": inner, "z": leaves})


@given(shapes(["lstm"]), shapes(["lstm"]), shapes(["lstm"]))
@settings(max_examples=200)
def test_merging_is_associative_where_types_agree(a: Any, b: Any, c: Any) -> None:
    left = merge(merge(tree(a), tree(b)), tree(c))
    right = merge(tree(a), merge(tree(b), tree(c)))
    assert left.plain() == right.plain()


@given(shapes(["lstm", "tcn"]), shapes(["lstm", "tcn"]))
@settings(max_examples=200)
def test_what_the_upper_document_says_always_holds(a: Any, b: Any) -> None:
    result = merged(a, b)
    for name, value in b.items():
        if isinstance(value, dict):
            assert value.items() <= result[name].items()
        else:
            assert result[name] == value


@given(shapes(["lstm", "tcn"]))
def test_merging_a_document_with_itself_changes_nothing(a: Any) -> None:
    assert merged(a, a) == a
    assert merged({}, a) == a
    assert merged(a, {}) == a
