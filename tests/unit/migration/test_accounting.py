from __future__ import annotations

import copy
import json
import pathlib
import random

import pytest
import tomli
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.migration.bringing import PROGRAMS, bring, detect
from fxkit.migration.ledger import Ledger
from fxkit.migration.reading import read_source

SOURCES = pathlib.Path(__file__).parent / "sources"
NAMES = {
    "nablafx": ("nablafx-data.yaml", "nablafx-chain.yaml", "nablafx-tcn.yaml", "nablafx-trainer.yaml"),
    "nam": ("nam-data.json", "nam-wavenet.json", "nam-lstm.json", "nam-learning.json"),
    "stable-audio-tools": ("stable-model.json", "stable-data.json", "stable.ini"),
}
ODD = [None, True, False, 0, -1, 3, 0.5, 1e9, "", "static", "x", [], [1], ["a", 2.5], {}, {"odd": 1}]


def leaves(sources):
    return [(leaf.file, leaf.key) for source in sources for leaf in source.leaves()]


@pytest.mark.parametrize("program", NAMES)
def test_every_leaf_is_in_exactly_one_list(program, sets):
    for name, paths in sets.items():
        if not name.startswith(program.partition("-")[0]):
            continue
        found = bring(paths)
        told = [(one.entry.file, one.entry.key) for one in found.ledger.of()]
        assert sorted(told) == sorted(leaves([read_source(path) for path in paths]))
        assert found.program == program


def spoilt(data, seed):
    """Change, add, take away and nest values at random places."""
    chance = random.Random(seed)
    data = copy.deepcopy(data)

    def walk(value):
        if isinstance(value, dict):
            for key in list(value):
                luck = chance.random()
                if luck < 0.06:
                    value[key] = copy.deepcopy(chance.choice(ODD))
                elif luck < 0.08:
                    del value[key]
                else:
                    walk(value[key])
            if chance.random() < 0.05:
                value["unheard_of"] = copy.deepcopy(chance.choice(ODD))
        elif isinstance(value, list):
            for index, one in enumerate(value):
                if chance.random() < 0.03:
                    value[index] = copy.deepcopy(chance.choice(ODD))
                else:
                    walk(one)

    walk(data)
    return data


@settings(max_examples=120, deadline=None)
@given(program=st.sampled_from(sorted(NAMES)), seed=st.integers(0, 10**9), epoch=st.sampled_from([None, 40]))
def test_whatever_the_sources_say_each_leaf_is_accounted_for_and_the_file_is_toml(
    tmp_path_factory, program, seed, epoch
):
    chance = random.Random(seed)
    folder = tmp_path_factory.mktemp("any")
    paths = []
    for name in NAMES[program]:
        data = spoilt(read_source(SOURCES / name).plain(), chance.random())
        paths.append(folder / f"{pathlib.PurePath(name).stem}.json")
        paths[-1].write_text(json.dumps(data))
    sources = [read_source(path) for path in paths]
    found = bring(paths, program, steps_per_epoch=epoch)
    told = [(one.entry.file, one.entry.key) for one in found.ledger.of()]
    assert sorted(told) == sorted(leaves(sources))
    assert tomli.loads(found.text)["fxkit"] == 1
    for one in found.ledger.of("missing"):
        assert one.note
        assert one.short_key.rpartition(".")[2] in found.text
    assert all(one.note for one in found.ledger.of("unneeded"))


def test_a_leaf_is_not_judged_twice(sets):
    entry = next(read_source(sets["stable"][1]).leaves())
    ledger = Ledger()
    ledger.mapped(entry, "data.type")
    with pytest.raises(ValueError, match="judged twice"):
        ledger.unneeded(entry, "why")


@pytest.mark.parametrize("name", ["nablafx-chain", "nablafx-tcn", "nablafx-saved", "nam-wavenet", "nam-lstm"])
def test_what_has_counterparts_is_read_without_problems(brought, name):
    found = brought(name, steps_per_epoch=40)
    assert found.problems == ()


def test_what_is_left_open_has_no_need_of_a_counterpart(brought):
    assert brought("nablafx-saved", steps_per_epoch=20).ledger.is_complete
    assert brought("nablafx-chain").ledger.is_complete


def test_a_figure_that_no_loss_measures_has_no_counterpart(brought):
    missing = [one.entry.key for one in brought("nablafx-tcn").ledger.of("missing")]
    assert missing == ["trainer.callbacks[2].init_args.monitor"]


def test_programs_are_told_by_their_keys(sets):
    assert detect([read_source(path) for path in sets["stable"]]) == "stable-audio-tools"
    assert sorted(PROGRAMS) == sorted(NAMES)


def test_files_of_two_programs_or_of_none_are_refused(sets, tmp_path):
    with pytest.raises(Exception, match="one experiment at a time"):
        bring([sets["stable"][0], sets["nam-lstm"][0]])
    path = tmp_path / "a.json"
    path.write_text('{"a": 1}')
    with pytest.raises(Exception, match="by its keys; say --from PROGRAM"):
        bring([path])
