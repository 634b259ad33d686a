from __future__ import annotations

import json
import sys

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.errors import ExperimentError
from fxkit.migration.entry import Entry
from fxkit.migration.reading import read_source

NUMBERS = st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False)


def values(text):
    return st.recursive(
        NUMBERS | text,
        lambda inner: st.lists(inner, max_size=4) | st.dictionaries(text, inner, max_size=4),
        max_leaves=20,
    )


VALUES = values(st.text(max_size=8))
# Without digits: what has an exponent and no point is text for PyYAML, and a number here.
WORDS = values(st.text(st.characters(exclude_categories=["Cs", "Nd"]), max_size=8))
TABLES = st.dictionaries(st.text(max_size=5), VALUES, max_size=5)


def read(tmp_path, name, text):
    path = tmp_path / name
    path.write_bytes(text.encode())
    return read_source(path)


def by_key(entry):
    return {leaf.key: (leaf.line, leaf.plain()) for leaf in entry.leaves()}


@settings(deadline=None)
@given(data=TABLES, indent=st.sampled_from([None, 2]))
def test_json_is_read_as_json_is(tmp_path_factory, data, indent):
    text = json.dumps(data, indent=indent)
    assert read(tmp_path_factory.getbasetemp(), "any.json", text).plain() == json.loads(text)


def test_json_knows_the_line_of_every_value(tmp_path):
    entry = read(tmp_path, "a.json", '{\n "a": [1,\n  2],\n "b": {"c": 1e-4,\n  "d": [{"e": null}]}\n}\n')
    assert by_key(entry) == {"a": (2, [1, 2]), "b.c": (4, 1e-4), "b.d[0].e": (5, None)}


@pytest.mark.parametrize(
    ("text", "line", "said"),
    [
        ('{\n "a": 01\n}', 2, "'01'"),
        ('{\n "a": 1,\n}', 3, "double quotes"),
        ('{"a": 1\n "b": 2}', 2, "expected ,"),
        ('{"a": 1, "a": 2}', 1, '"a" is given for the second time'),
        ('{"a": NaN}', 1, "'NaN'"),
        ("{} {}", 1, "behind the end"),
        ("[1]", 1, "no table"),
        ('{"a": "b\n"}', 1, "not JSON"),
        ('{"a":' * 5000, 0, "too deeply"),
    ],
)
def test_what_is_no_json_is_refused_with_its_line(tmp_path, text, line, said):
    with pytest.raises(ExperimentError) as caught:
        read(tmp_path, "a.json", text)
    (problem,) = caught.value.problems
    assert problem.line == line
    assert said in problem.message


@settings(deadline=None)
@given(data=st.dictionaries(st.from_regex(r"[a-z]{1,6}", fullmatch=True), WORDS, max_size=5))
def test_yaml_is_read_as_pyyaml_does(tmp_path_factory, data):
    import yaml

    text = yaml.safe_dump(data)
    got = read(tmp_path_factory.getbasetemp(), "any.yaml", text).plain()
    assert got == json.loads(json.dumps(yaml.safe_load(text)))


def test_yaml_knows_lines_takes_floats_without_a_point_and_merges(tmp_path):
    text = "base: &b\n  lr: 1e-3\n  n: 2\nused:\n  <<: *b\n  n: 3\nlist:\n- on\n- 1.5e2\n"
    assert by_key(read(tmp_path, "a.yml", text)) == {
        "base.lr": (2, 1e-3),
        "base.n": (3, 2),
        "used.lr": (2, 1e-3),
        "used.n": (6, 3),
        "list": (8, [True, 150.0]),
    }


def test_what_is_no_yaml_is_refused_with_its_line(tmp_path):
    with pytest.raises(ExperimentError, match=r"a\.yaml:2:1  not YAML"):
        read(tmp_path, "a.yaml", "a: [1\nb: 2\n")


def test_ini_is_read_with_lines_comments_and_quotes(tmp_path):
    text = "[DEFAULTS]\n# no\nname = a = b\n\nempty = ''\nnumber: 3\nrate = 1e-4\nyes = true\nno = None\n"
    assert by_key(read(tmp_path, "a.ini", text)) == {
        "DEFAULTS.name": (3, "a = b"),
        "DEFAULTS.empty": (5, ""),
        "DEFAULTS.number": (6, 3),
        "DEFAULTS.rate": (7, 1e-4),
        "DEFAULTS.yes": (8, True),
        "DEFAULTS.no": (9, None),
    }


@pytest.mark.parametrize(("text", "line"), [("a = 1\n", 1), ("[A]\nwords\n", 2)])
def test_what_is_no_ini_is_refused_with_its_line(tmp_path, text, line):
    with pytest.raises(ExperimentError, match=rf"a\.ini:{line}:1  not INI"):
        read(tmp_path, "a.ini", text)


def test_other_files_and_missing_ones_are_refused(tmp_path):
    with pytest.raises(ExperimentError, match=r"there are \.json, \.yaml, \.yml, \.ini, \.toml"):
        read(tmp_path, "a.nam", "{}")
    with pytest.raises(ExperimentError, match="cannot be read"):
        read_source(tmp_path / "none.json")
    (tmp_path / "b.json").write_bytes(b"\xff\xfe")
    with pytest.raises(ExperimentError, match="not UTF-8"):
        read_source(tmp_path / "b.json")


def test_leaves_are_scalars_empty_tables_and_lists_without_tables():
    entry = Entry(
        {"a": Entry({}, "f", 1, "a"), "b": Entry((Entry(1, "f", 1, "b[0]"),), "f", 1, "b")}, "f", 1, ""
    )
    assert [leaf.key for leaf in entry.leaves()] == ["a", "b"]


def test_yaml_without_its_library_says_how_to_get_it(tmp_path, monkeypatch):
    monkeypatch.setitem(sys.modules, "yaml", None)
    with pytest.raises(ExperimentError, match=r'pip install "fxkit\[migrate\]"'):
        read(tmp_path, "a.yaml", "a: 1")
