from __future__ import annotations

from typing import Any

import pytest

from fxkit.errors import ExperimentError

GOOD = """
fxkit = 1
[data]
type = "virtual-device"
[nodes.amp]
type = "tcn"
channels = 8
[model]
chain = ["amp"]
[losses.esr]
type = "esr"
[train]
optimizer = { type = "adamw" }
"""
AMP = 'type = "tcn"\nchannels = 8'


@pytest.fixture
def amp(write: Any, read: Any) -> Any:
    """Read an experiment whose node "amp" has the given table, and return that node."""

    def node(table: str, *overrides: str) -> Any:
        write(a=GOOD.replace(AMP, table))
        return read("a.toml", *overrides).nodes["amp"]

    return node


def test_a_preset_stands_for_its_options(amp: Any) -> None:
    spec = amp('type = "tcn"\npreset = "small"').spec
    assert (spec.channels, spec.dilations, spec.activation) == (4, (1, 3), "tanh")


def test_what_is_written_beside_a_preset_wins(amp: Any) -> None:
    spec = amp('type = "tcn"\npreset = "small"\nchannels = 5').spec
    assert (spec.channels, spec.dilations) == (5, (1, 3))


def test_a_preset_can_be_chosen_and_overruled_from_outside(amp: Any) -> None:
    spec = amp('type = "tcn"', "nodes.amp.preset=large", "nodes.amp.channels=48").spec
    assert (spec.channels, spec.activation) == (48, "gated")


def test_a_child_may_choose_another_preset_than_its_parent(write: Any, read: Any) -> None:
    write(a=GOOD.replace(AMP, 'type = "tcn"\npreset = "small"'))
    write(b='fxkit = 1\nextends = ["a.toml"]\n[nodes.amp]\npreset = "large"\n')
    spec = read("b.toml").nodes["amp"].spec
    assert (spec.channels, spec.dilations, spec.activation) == (64, (1, 2, 4), "gated")


def test_the_resolved_file_has_the_options_and_not_the_preset(write: Any, read: Any) -> None:
    write(a=GOOD.replace(AMP, 'type = "tcn"\npreset = "small"'))
    table = read("a.toml").resolved["nodes"]["amp"]
    assert "preset" not in table
    assert (table["channels"], table["dilations"]) == (4, [1, 3])


def test_a_plugin_inside_an_option_has_presets_too(amp: Any) -> None:
    table = 'type = "wrapped"\ninner = { type = "wrapped", inner = { type = "tcn", preset = "small" } }'
    assert amp(table).spec.inner.inner.channels == 4


@pytest.mark.parametrize(
    ("table", "message"),
    [
        ('preset = "smal"', 'no preset "smal"; did you mean "small"?'),
        ('preset = "xyz"', 'no preset "xyz"; there are small, large'),
        ("preset = 3", "expected text, got int 3"),
    ],
)
def test_a_wrong_preset_is_named_with_what_there_is_and_hides_no_other_mistake(
    amp: Any, table: str, message: str
) -> None:
    with pytest.raises(ExperimentError) as caught:
        amp(f'type = "tcn"\n{table}\nchanels = 3')
    assert f"nodes.amp.preset: {message}" in str(caught.value)
    assert 'did you mean "channels"' in str(caught.value)


def test_plugins_without_presets_know_no_such_key(amp: Any) -> None:
    with pytest.raises(ExperimentError, match="unknown option"):
        amp('type = "gain"\npreset = "small"')
