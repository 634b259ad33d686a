"""The catalogue as the kernel sees it: in-tree plugins, kinds by either name, specs on demand."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
import tomli

from fxkit.catalog import Catalog
from fxkit.errors import PluginError
from fxkit.kinds import KINDS

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def catalog() -> Catalog:
    return Catalog.installed()


def test_installed_metadata_says_what_pyproject_says() -> None:
    declared = tomli.loads(ROOT.joinpath("pyproject.toml").read_text())["project"]["entry-points"]
    expected = {
        (group.rpartition(".")[2], name, target)
        for group, items in declared.items()
        for name, target in items.items()
    }
    entries = Catalog.installed(in_tree_only=True).entries
    found = {(entry.kind, entry.name, entry.target) for entry in entries if entry.dist == "fxkit"}
    assert found == expected, 'entry points are fixed at installation: run "pip install -e ."'


def test_entries_come_in_the_order_of_the_kinds(catalog: Catalog) -> None:
    order = [kind.name for kind in KINDS]
    positions = [order.index(entry.kind) for entry in catalog.entries if entry.kind in order]
    assert positions == sorted(positions)


@pytest.mark.parametrize("kind", ["processor", "processors"])
def test_a_kind_goes_by_singular_and_plural(catalog: Catalog, kind: str) -> None:
    assert catalog.find(kind, "lstm").target == "fxkit_neural.lstm:LSTM"


def test_an_unknown_kind_lists_the_kinds(catalog: Catalog) -> None:
    with pytest.raises(
        PluginError, match='no kind of plugin is called "gadget"; there are processors, controllers'
    ):
        catalog.find("gadget", "lstm")


def test_an_unknown_name_is_an_error_for_users(catalog: Catalog) -> None:
    with pytest.raises(PluginError, match='no loss "ers"; closest: "esr"') as caught:
        catalog.find("loss", "ers")
    assert caught.value.exit_code == 2


def test_a_spec_is_loaded_once(catalog: Catalog) -> None:
    entry = catalog.find("loss", "esr")
    assert catalog.spec(entry) is catalog.spec(entry)
    assert catalog.spec(entry).__name__ == "ESR"


def test_a_field_without_help_makes_a_spec_unusable(catalog: Catalog) -> None:
    import attrs

    @attrs.frozen(kw_only=True)
    class Careless:
        """A spec."""

        size: int = 3

        def build(self, ctx: object) -> None:
            """Build nothing."""

    local = catalog.with_local({("losses", "careless"): (Careless, "mine.py:Careless")})
    with pytest.raises(
        PluginError, match=r"Careless.size is not declared with opt\(\).*Correct mine.py:Careless"
    ):
        local.spec(local.find("loss", "careless"))


def test_a_plain_callable_of_the_users_own_is_wrapped(catalog: Catalog) -> None:
    def difference(prediction: object, target: object, weight: float = 1.0) -> object:
        return prediction

    local = catalog.with_local({("losses", "difference"): (difference, "mine.py:difference")})
    spec = local.spec(local.find("loss", "difference"))
    assert spec().weight == 1.0


def test_disabling_everything_else_leaves_the_tree(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    info = tmp_path / "acme_fx-1.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text("Name: acme-fx\nVersion: 1\n")
    info.joinpath("entry_points.txt").write_text("[fxkit.v1.losses]\nacme = acme_fx:Loss\n")
    tmp_path.joinpath("acme_fx.py").write_text("raise SystemExit(1)")
    monkeypatch.setattr(sys, "path", [*sys.path, str(tmp_path)])
    found = {entry.name: entry.status_text for entry in Catalog.installed(in_tree_only=True).entries}
    assert (found["acme"], found["esr"]) == ("disabled (by --no-plugins)", "ok")
    assert Catalog.installed().find("loss", "acme").dist == "acme-fx"
    with pytest.raises(
        PluginError, match=r'"acme" from acme-fx 1 cannot be loaded: SystemExit: 1 \(acme_fx.py:1\)'
    ):
        Catalog.installed().spec(Catalog.installed().find("loss", "acme"))


def test_every_plugin_of_the_tree_loads_and_explains_each_option(catalog: Catalog) -> None:
    from fxkit.spec import describe

    failed = []
    for entry in catalog.entries:
        if entry.dist != "fxkit":
            continue
        try:
            described = describe(catalog.spec(entry))
        except PluginError as error:
            failed.append(str(error))
            continue
        failed += [f"{entry.qualified}.{option.name}" for option in described.options if not option.meta.help]
        failed += [] if described.summary else [f"{entry.qualified} has no summary"]
    assert not failed, "\n".join(failed)
