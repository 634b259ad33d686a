"""How names resolve, and what is said when they do not."""

from __future__ import annotations

from typing import Any

import pytest

from fxkit_registry import LookupFailure

V1 = "fxkit.v1.processors"


@pytest.fixture
def two(site: Any) -> Any:
    """Two distributions that share one name."""
    site.install("fxkit", "0.1.0", {V1: {"lstm": "m:A", "parametric-eq": "m:B", "tcn": "m:C"}}, {"m.py": ""})
    site.install("acme-fx", "1.2.0", {V1: {"lstm": "m:D", "grit": "m:E"}, "fxkit.v1.losses": {"esr": "m:F"}})
    site.install("fxcomp", "0.3", {"fxkit.v0.processors": {"comp": "m:G"}})
    site.install("hollow", "2", {V1: {"void": "void_fx:H"}})
    return site


def message(site: Any, name: str, kind: str = "processors", **options: Any) -> str:
    with pytest.raises(LookupFailure) as caught:
        site.scan(**options).find(kind, name)
    assert (caught.value.kind, caught.value.name) == (kind, name)
    return str(caught.value)


@pytest.mark.parametrize(
    ("name", "target"),
    [
        ("grit", "m:E"),
        ("fxkit/lstm", "m:A"),
        ("acme-fx/lstm", "m:D"),
        ("Acme_FX/lstm", "m:D"),
        ("acme-fx/grit", "m:E"),
    ],
)
def test_bare_and_qualified_names_resolve(two: Any, name: str, target: str) -> None:
    assert two.scan().find("processors", name).target == target


def test_a_shared_name_prints_both_qualified_spellings(two: Any) -> None:
    expected = '"lstm" is offered by acme-fx 1.2.0 and fxkit 0.1.0; write "acme-fx/lstm" or "fxkit/lstm"'
    assert message(two, "lstm") == expected
    with pytest.raises(LookupFailure) as caught:
        two.scan().find("processors", "lstm")
    assert caught.value.suggestions == ("acme-fx/lstm", "fxkit/lstm")


@pytest.mark.parametrize(
    ("name", "near"),
    [
        ("parametric_eq", '"parametric-eq" (fxkit 0.1.0)'),
        ("parametrc-eq", '"parametric-eq" (fxkit 0.1.0)'),
        ("Grit", '"grit" (acme-fx 1.2.0)'),
        ("tnc", '"tcn" (fxkit 0.1.0)'),
        ("lstn", '"acme-fx/lstm" (acme-fx 1.2.0), "fxkit/lstm" (fxkit 0.1.0)'),
        ("acme-fx/girt", '"acme-fx/grit" (acme-fx 1.2.0)'),
    ],
)
def test_an_unknown_name_brings_the_closest_with_their_origin(two: Any, name: str, near: str) -> None:
    assert (
        message(two, name) == f'no processor "{name}"; closest: {near}. `fxkit plugins processors` lists all'
    )


def test_an_unknown_name_without_neighbours_only_says_where_to_look(two: Any) -> None:
    assert (
        message(two, "spaghettifier") == 'no processor "spaghettifier". `fxkit plugins processors` lists all'
    )


def test_a_name_of_another_kind_is_recognised(two: Any) -> None:
    assert '"esr" is one of the losses' in message(two, "esr")


def test_a_distribution_that_is_not_installed_is_named(two: Any) -> None:
    assert '(no distribution "elsewhere" with plugins is installed)' in message(two, "elsewhere/lstm")


def test_another_api_tells_which_side_to_renew(two: Any) -> None:
    expected = 'processor "comp" of fxcomp 0.3 targets fxkit API v0, this is v1; '
    assert message(two, "comp") == f"{expected}a newer fxcomp, for API v1, is needed"
    two.install("future", "9", {"fxkit.v2.processors": {"next": "m:N"}})
    assert message(two, "next").endswith("targets fxkit API v2, this is v1; upgrade fxkit")


def test_a_missing_module_is_named_with_the_way_out(two: Any) -> None:
    expected = 'processor "void" of hollow 2 is not installed correctly (module missing: void_fx:H)'
    assert message(two, "void") == f"{expected}; reinstall or uninstall hollow"


def test_a_target_that_one_distribution_declares_twice_cannot_be_chosen(site: Any) -> None:
    site.install("acme", "1", {V1: {"b": "m:B\nb = m:C"}}, {"m.py": ""})
    assert message(site, "acme/b").startswith('acme 1 declares "acme/b" twice (m:B and m:C)')


@pytest.mark.parametrize(
    ("options", "by"),
    [
        ({"environ": {"FXKIT_DISABLE": "processor:grit"}}, "FXKIT_DISABLE"),
        ({"disable": ["acme_fx"]}, "[plugins] disable"),
        ({"only": "fxkit"}, "--no-plugins"),
    ],
)
def test_a_disabled_plugin_says_by_what(two: Any, options: Any, by: str) -> None:
    expected = f'processor "grit" of acme-fx 1.2.0 is disabled by {by}; remove it there to use it'
    assert message(two, "grit", **options) == expected


def test_disabling_one_of_two_makes_the_bare_name_usable(two: Any) -> None:
    assert two.scan(disable=["acme-fx"]).find("processors", "lstm").dist == "fxkit"
    assert two.scan(disable=["processors:acme-fx/lstm"]).find("processors", "lstm").dist == "fxkit"


@pytest.mark.parametrize("pattern", ["acme-fx", "processor:grit", "processors:grit", " processors : grit "])
def test_each_spelling_of_a_rule_disables(two: Any, pattern: str) -> None:
    registry = two.scan(environ={"FXKIT_DISABLE": f"{pattern},,nothing"})
    grit = next(entry for entry in registry.entries if entry.name == "grit")
    assert grit.status_text == "disabled (by FXKIT_DISABLE)"
    assert [rule.pattern for rule in registry.unused] == ["nothing"]


def test_a_rule_for_one_kind_leaves_others(two: Any) -> None:
    registry = two.scan(disable=["losses:lstm"])
    assert registry.find("processors", "fxkit/lstm").status == "ambiguous"
    assert [rule.pattern for rule in registry.unused] == ["losses:lstm"]


def test_a_local_plugin_is_found_and_loaded(two: Any) -> None:
    target = object()
    registry = two.scan().with_local("processors", "mine", target, "grit.py:Grit")
    entry = registry.find("processors", "mine")
    assert (entry.qualified, entry.origin, entry.target) == ("local/mine", "local", "grit.py:Grit")
    assert registry.load(entry) is target


def test_a_local_plugin_clashes_like_any_other(two: Any) -> None:
    registry = two.scan().with_local("processors", "tcn", object(), "a.py:A")
    with pytest.raises(LookupFailure, match='write "fxkit/tcn" or "local/tcn"'):
        registry.find("processors", "tcn")
    assert registry.find("processors", "fxkit/tcn").target == "m:C"
