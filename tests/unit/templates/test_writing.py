"""The text of a new experiment: right, complete, and made to be read."""

from __future__ import annotations

import itertools
import re
import sys
from pathlib import Path

import pytest
import tomli

from fxkit.catalog import Catalog
from fxkit.errors import ExperimentError
from fxkit.experiment.reader import read_experiment
from fxkit.experiment.shipped import shipped_experiments
from fxkit.templates.material import look
from fxkit.templates.new import Request, new_experiment
from fxkit.templates.template import TemplateError, template_named, templates

CATALOG = Catalog.installed(in_tree_only=True)
KNOWN = templates()
NAMES = [one.name for one in KNOWN]


def text_of(name, file, material=None, settings=()):
    template = template_named(name, KNOWN)
    request = Request(template=template, file=file, name="mine", material=material, settings=settings)
    return new_experiment(request, CATALOG)


def sections(text):
    return re.findall(r"^\[+([a-z]+)", text, re.MULTILINE)


@pytest.mark.parametrize("name", NAMES)
def test_without_recordings_it_is_the_template_under_another_name(name, tmp_path):
    file = shipped_experiments()[name].parent / "mine.toml"
    written = tmp_path / "mine.toml"
    written.write_text(text_of(name, file))
    mine = read_experiment(written, overrides=["run.name=mine"]).resolved
    theirs = read_experiment(name, overrides=["run.name=mine"]).resolved
    for document in (mine, theirs):
        document["data"].pop("root", None)
    assert mine == theirs


@pytest.mark.parametrize("name", NAMES)
def test_sections_stand_in_the_order_of_a_run_and_extend_nothing(name, tmp_path):
    text = text_of(name, tmp_path / "mine.toml")
    order = list(dict.fromkeys(sections(text)))
    usual = ["run", "data", "features", "controllers", "nodes", "model", "losses", "metrics", "train"]
    assert order == [name for name in [*usual, "callbacks"] if name in order]
    assert "extends" not in text


@pytest.mark.parametrize("name", NAMES)
def test_lines_fit_a_page_and_every_type_is_explained_once(name, tmp_path):
    text = text_of(name, tmp_path / "mine.toml")
    lines = text.splitlines()
    assert max(map(len, lines)) <= 110
    explained: dict[str, bool] = {}
    for above, line in itertools.pairwise(lines):
        match = re.match(r'type = ("[^"]+")(.*)', line)
        if match:
            explained.setdefault(match[1], "#" in match[2] or above.startswith("#"))
    assert explained
    assert all(explained.values())


@pytest.mark.skipif(sys.version_info < (3, 11), reason="tomllib came with Python 3.11")
@pytest.mark.parametrize("name", NAMES)
def test_the_file_is_toml_1_0(name, tmp_path):
    import tomllib

    text = text_of(name, tmp_path / "mine.toml")
    assert tomllib.loads(text) == tomli.loads(text)


def test_the_authors_words_stand_where_the_value_is_theirs(tmp_path):
    text = text_of("compressor", tmp_path / "mine.toml")
    assert "# the detector settles on these samples before the score counts\n" in text
    changed = text_of("compressor", tmp_path / "mine.toml", settings=["data.warmup=4096"])
    assert "warmup = 4096 " in changed
    assert "the detector settles" not in changed


def test_the_authors_comments_above_tables_are_kept(tmp_path):
    text = text_of("eq", tmp_path / "mine.toml")
    comment = "# The level must settle first: while it is wrong, every band tries to make up for it."
    assert f"{comment}\n[nodes.level]\n" in text


def test_an_option_is_explained_with_its_range_at_its_first_place_only(tmp_path):
    text = text_of("overdrive-graybox", tmp_path / "mine.toml")
    assert text.count("(1 to 1024)") == 1
    assert text.count("what sets the parameters") == 1


def test_a_regular_expression_is_written_without_doubled_backslashes(tmp_path):
    assert r"start = '_(\d+)s$'" in text_of("flanger", tmp_path / "mine.toml")


def test_settings_are_written_into_the_file(tmp_path):
    text = text_of("amp-lstm", tmp_path / "mine.toml", settings=["train.steps=50", "nodes.amp.hidden=8"])
    document = tomli.loads(text)
    assert (document["train"]["steps"], document["nodes"]["amp"]["hidden"]) == (50, 8)


def test_a_setting_that_does_not_fit_is_an_error_of_its_path(tmp_path):
    with pytest.raises(ExperimentError, match=r"nodes\.amp\.hiden: unknown option.*did you mean"):
        text_of("amp-lstm", tmp_path / "mine.toml", settings=["nodes.amp.hiden=8"])


def test_reasons_stand_behind_what_the_recordings_decided(pairs, tmp_path):
    root = pairs("amp", {"train": 1, "val": 1, "test": 1}, rate=44100)
    survey = template_named("amp-lstm", KNOWN).survey(CATALOG)
    text = text_of("amp-lstm", tmp_path / "mine.toml", look(root, survey(root), lambda number: None))
    assert re.search(r"^sample_rate = 44100 +# rate of the recordings$", text, re.MULTILINE)
    assert "for 3 pairs, 9 s." in text


def test_a_schema_beside_the_file_is_named_in_its_first_line(tmp_path):
    assert text_of("amp-lstm", tmp_path / "mine.toml").startswith("# Model an amplifier")
    (tmp_path / "fxkit.schema.json").write_text("{}")
    assert text_of("amp-lstm", tmp_path / "mine.toml").startswith("#:schema ./fxkit.schema.json\n# Model")


def test_every_template_says_what_it_is_for_and_what_it_costs():
    for one in KNOWN:
        assert 10 < len(one.summary) <= 130, one.name
        assert one.device, one.name
        assert re.match(r"[\d ]+ weights", one.cost), one.name


def test_a_misspelt_template_is_told_with_the_nearest():
    with pytest.raises(TemplateError, match=r'no template "amp-ltsm"; did you mean "amp-lstm"'):
        template_named("amp-ltsm", KNOWN)


def test_templates_of_other_folders_are_read_alike(tmp_path):
    path = tmp_path / "bark.toml"
    source = Path(shipped_experiments()["quickstart"]).read_text()
    path.write_text("# Model a bark (or two).\n# For: dog.\n# Cost: 3 weights, 1 min.\n\n" + source)
    (one,) = templates({"bark": path})
    assert (one.name, one.summary, one.device, one.cost) == (
        "bark",
        "Model a bark",
        "dog",
        "3 weights, 1 min",
    )
