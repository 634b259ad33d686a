"""What differs between two experiments is what they ask for, not how their files look."""

from __future__ import annotations

import pathlib
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fxkit.catalog import Catalog
from fxkit.config.difference import Change, differences
from fxkit.config.entries import entries
from fxkit.config.selection import select
from fxkit.config.subject import Subject, read_subject
from fxkit.errors import ExperimentError
from fxkit.experiment.resolved import dump_toml
from fxkit.experiment.shipped import shipped_experiments

CATALOG = Catalog.installed(in_tree_only=True)
GOOD = """
fxkit = 1
[data]
type = "virtual-device"
[nodes.amp]
type = "tcn"
preset = "45-s"
channels = 8
[model]
chain = ["amp"]
[losses.esr]
type = "esr"
[train]
optimizer = { type = "adam", lr = 1e-3 }
[callbacks.save]
type = "checkpoint"
[callbacks.listen]
type = "audio-samples"
"""


@pytest.fixture
def read(tmp_path: pathlib.Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Return a function that reads a text, or a shipped experiment by its name."""
    monkeypatch.chdir(tmp_path)

    def read(text: str, *settings: str, name: str = "a.toml") -> Subject:
        if "\n" not in text:
            return read_subject(text, settings=settings, catalog=CATALOG)
        (tmp_path / name).write_text(text)
        return read_subject(name, settings=settings, catalog=CATALOG)

    return read


def told(one: Subject, other: Subject) -> list[tuple[str, Any, Any]]:
    return [(change.path, change.old, change.new) for change in differences(one, other)]


@pytest.mark.parametrize("name", sorted(shipped_experiments()))
def test_nothing_differs_from_itself_nor_from_its_resolved_form(read: Any, name: str) -> None:
    one = read(name)
    assert differences(one, one) == ()
    resolved = read(dump_toml(one.experiment.resolved))
    assert differences(one, resolved) == differences(resolved, one) == ()


def test_layout_comments_order_of_keys_and_defaults_do_not_count(read: Any) -> None:
    other = """
    # Another hand.
    fxkit = 1
    losses = { esr = { weight = 1, type = "esr" } }
    model.chain = ["amp"]
    [train]
    optimizer.lr = 0.001
    optimizer.type = "fxkit/adam"
    batch_size = 8
    [nodes]
    amp.channels = 8
    amp.type = "tcn"
    amp.bounded = true
    [data]
    type = "virtual-device"
    [callbacks.save]
    type = "checkpoint"
    [callbacks.listen]
    type = "audio-samples"
    """
    assert told(read(GOOD), read(other)) == []


def test_each_change_has_its_path_its_values_and_where_they_come_from(read: Any) -> None:
    one = read(GOOD)
    other = read(GOOD.replace("channels = 8", "channels = 9"), "train.clip_norm=1", "nodes.amp.kernel=5")
    assert differences(one, other) == (
        Change(
            path="nodes.amp.kernel",
            old=7,
            new=5,
            old_source='preset "45-s" in a.toml:7',
            new_source="--set #2",
        ),
        Change(path="nodes.amp.channels", old=8, new=9, old_source="a.toml:8", new_source="a.toml:8"),
        Change(path="train.clip_norm", old=None, new=1.0, old_source="", new_source="--set #1"),
    )
    assert {change.path: change.kind for change in differences(other, one)} == {
        "train.clip_norm": "removed",
        "nodes.amp.kernel": "changed",
        "nodes.amp.channels": "changed",
    }


def test_what_only_one_has_is_told_without_its_defaults(read: Any) -> None:
    more = GOOD + '[metrics.spectral]\ntype = "multi-resolution-stft"\nquiet = -50\n'
    assert told(read(GOOD), read(more)) == [
        ("metrics.spectral.type", None, "multi-resolution-stft"),
        ("metrics.spectral.quiet", None, -50.0),
    ]


def test_another_type_is_told_with_the_options_that_only_one_has(read: Any) -> None:
    lstm = GOOD.replace('type = "tcn"\npreset = "45-s"\nchannels = 8', 'type = "lstm"\nhidden = 48')
    assert told(read(GOOD), read(lstm)) == [
        ("nodes.amp.type", "tcn", "lstm"),
        ("nodes.amp.channels", 8, None),
        ("nodes.amp.bounded", True, None),
        ("nodes.amp.hidden", None, 48),
    ]


def test_the_order_of_callbacks_counts(read: Any) -> None:
    head, save, listen = GOOD.partition('[callbacks.save]\ntype = "checkpoint"\n')
    assert told(read(GOOD), read(head + listen + save)) == [
        ("callbacks", ["save", "listen"], ["listen", "save"])
    ]


def test_a_list_of_tables_is_compared_member_by_member(read: Any) -> None:
    wavenet = GOOD.replace('type = "tcn"\npreset = "45-s"\nchannels = 8', 'type = "wavenet"')
    phases = "[[phase]]\nsteps = 3\n[[phase]]\nsteps = 4\n"
    assert told(read(wavenet), read(wavenet, "nodes.amp.preset=standard")) == []
    assert ("nodes.amp.arrays[0].channels", 16, 4) in told(
        read(wavenet), read(wavenet, "nodes.amp.preset=nano")
    )
    assert told(read(GOOD + phases), read(GOOD + phases.replace("4", "5"))) == [("phase[1].steps", 4, 5)]


def test_every_value_of_the_resolved_document_is_listed_once(read: Any) -> None:
    for name in shipped_experiments():
        subject = read(name)
        found = [(one.path, one.value) for one in entries(subject) if one.value is not None]
        assert sorted(map(str, found)) == sorted(map(str, _leaves(subject.experiment.resolved)))


def _leaves(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, Any]]:
    if isinstance(value, dict):
        pairs = [(key, item) for key, item in value.items() if (path, key) != ((), "fxkit")]
    elif isinstance(value, list) and any(isinstance(item, dict) for item in value):
        pairs = list(enumerate(value))
    else:
        return [(path, value)]
    return [leaf for key, item in pairs for leaf in _leaves(item, (*path, key))]


def test_values_say_where_they_came_from(read: Any) -> None:
    child = 'fxkit = 1\nextends = ["a.toml"]\n[nodes.amp]\nkernel = 5\n'
    read(GOOD)
    found = {one.name: one for one in entries(read(child, "run.seed=3", name="b.toml"))}
    assert found["nodes.amp.kernel"].source == "b.toml:4"
    assert found["nodes.amp.channels"].source == "a.toml:8"
    assert found["nodes.amp.growth"].source == 'preset "45-s" in a.toml:7'
    assert found["nodes.amp.bias"].source == "default of fxkit/tcn"
    assert found["nodes.amp.lr"].source == "default"
    assert found["run.seed"].source == "--set #1"
    assert found["train.optimizer.lr"].source == "a.toml:14"
    assert found["train.steps"].source == "default"


def test_a_path_selects_what_is_there_and_below(read: Any) -> None:
    found = list(entries(read(GOOD)))
    assert [one.name for one in select(found, ["train.optimizer", "run.seed"], "a.toml")] == [
        "run.seed",
        *(f"train.optimizer.{name}" for name in ("type", "lr", "beta1", "beta2", "eps")),
    ]
    with pytest.raises(
        ExperimentError, match=r'a.toml  nodes.am: there is nothing; did you mean "nodes.amp"'
    ):
        select(found, ["nodes.am"], "a.toml")
    with pytest.raises(ExperimentError, match=r"train\.clip_norm: is left out, and has no default"):
        select(found, ["train.clip_norm"], "a.toml")


SETTINGS = st.lists(
    st.sampled_from(
        [
            "run.seed=0",
            "run.seed=1",
            "train.steps=1000",
            "train.clip_norm=1",
            "train.optimizer.lr=1e-3",
            "train.optimizer.eps=1e-7",
            "nodes.amp.channels=9",
            "nodes.amp.kernel=7",
            "nodes.amp.preset=45-l",
            "nodes.amp.conditioning={ type = 'tfilm' }",
            "nodes.amp.bounded=true",
            "losses.esr.weight={ type = 'linear', final = 1.0 }",
            "losses.esr.weight=1.0",
            "callbacks.listen.clips=['a', 'b']",
            "data.gains=[0.5]",
            "data.gains=[0.5, 1.0]",
        ]
    ),
    max_size=3,
)


@given(SETTINGS, SETTINGS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_there_is_a_difference_exactly_where_two_ask_for_something_else(
    read: Any, these: list[str], those: list[str]
) -> None:
    one, other = read(GOOD, *these), read(GOOD, *those)
    changes = differences(one, other)
    assert bool(changes) == (one.experiment != other.experiment)
    assert sorted((change.path, str(change.new), str(change.old)) for change in changes) == sorted(
        (change.path, str(change.old), str(change.new)) for change in differences(other, one)
    )


def test_a_file_that_ships_is_shown_without_where_it_is_installed(read: Any) -> None:
    found = {one.name: one.source for one in entries(read("amp-tcn"))}
    assert found["model.chain"].startswith("fxkit_configs/base/amp.toml:")
    assert found["nodes.amp.kernel"].startswith('preset "45-s" in fxkit_configs/amp-tcn.toml:')
