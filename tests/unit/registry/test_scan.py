"""What a scan finds, and what it says of what cannot be used."""

from __future__ import annotations

import builtins
import os
import random
import sys
import zipfile
from pathlib import Path
from typing import Any

import pytest

V1 = "fxkit.v1.processors"


def rows(registry: Any) -> list[tuple[str, str, str, str]]:
    return [(entry.kind, entry.name, entry.origin, entry.status_text) for entry in registry.entries]


def test_an_entry_tells_name_distribution_version_and_target(site: Any) -> None:
    site.install("acme-fx", "1.2", {V1: {"grit": "acme.spec : Grit [extra]"}}, {"acme/spec.py": ""})
    (entry,) = site.scan().entries
    assert (entry.kind, entry.name, entry.dist, entry.version) == ("processors", "grit", "acme-fx", "1.2")
    assert (entry.target, entry.api, entry.status, entry.qualified) == (
        "acme.spec:Grit",
        1,
        "ok",
        "acme-fx/grit",
    )


def test_groups_of_others_and_comments_are_left_alone(site: Any) -> None:
    groups = {
        "console_scripts": {"grit": "acme:main"},
        V1: {"# old": "acme:Old", "grit": "acme:Grit"},
        "fxkit.vx": {"a": "b:c"},
    }
    site.install("acme-fx", "1.2", groups, {"acme.py": ""})
    assert rows(site.scan()) == [("processors", "grit", "acme-fx 1.2", "ok")]


def test_the_result_does_not_depend_on_the_order_of_directory_listings(
    site: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = type(site)(tmp_path / "other")
    for number in range(12):
        home = site if number % 2 else other
        home.install(
            f"dist-{number}",
            "1",
            {V1: {"same": f"m{number}:S", f"own-{number}": f"m{number}:S"}},
            {f"m{number}.py": ""},
        )
    expected = site.scan(other.root).entries
    plain = os.listdir
    for seed in range(5):
        monkeypatch.setattr(
            os, "listdir", lambda path, seed=seed: random.Random(seed).sample(plain(path), len(plain(path)))
        )
        assert site.scan(other.root).entries == expected
        assert other.scan(site.root).entries == expected


def test_one_distribution_on_the_path_twice_is_one(site: Any, tmp_path: Path) -> None:
    site.install("acme-fx", "1.2", {V1: {"grit": "acme:Grit"}}, {"acme.py": ""})
    link = tmp_path / "link"
    link.symlink_to(site.root)
    copy = type(site)(tmp_path / "copy")
    copy.install("Acme_FX", "1.2", {V1: {"grit": "acme:Grit"}})
    registry = site.scan(site.root, link, copy.root)
    assert rows(registry) == [("processors", "grit", "acme-fx 1.2", "ok")]


def test_the_first_folder_of_the_path_provides_a_distribution_as_with_imports(
    site: Any, tmp_path: Path
) -> None:
    site.install("acme-fx", "2.0", {}, {})
    old = type(site)(tmp_path / "old")
    old.install("acme-fx", "1.0", {V1: {"gone": "acme:Gone"}}, {"acme.py": ""})
    assert site.scan(old.root).entries == ()
    assert rows(old.scan(site.root)) == [("processors", "gone", "acme-fx 1.0", "ok")]


@pytest.mark.parametrize(("left", "right"), [("1.9", "1.10"), ("1.10", "1.9")])
def test_of_two_versions_in_one_folder_the_newer_counts(site: Any, left: str, right: str) -> None:
    for version in (left, right):
        site.install("acme-fx", version, {V1: {"grit": "acme:Grit"}}, {"acme.py": ""})
    assert rows(site.scan()) == [("processors", "grit", "acme-fx 1.10", "ok")]


def test_egg_info_and_archives_are_read_too(site: Any, tmp_path: Path) -> None:
    site.install("dev-fx", "0.1", {V1: {"dev": "dev:Dev"}}, {"dev.py": ""}, suffix="egg-info")
    archive = tmp_path / "bundle.zip"
    with zipfile.ZipFile(archive, "w") as file:
        file.writestr("zipped_fx-3.0.dist-info/METADATA", "Name: zipped-fx\nVersion: 3.0\n")
        file.writestr("zipped_fx-3.0.dist-info/entry_points.txt", f"[{V1}]\nzipped = dev:Zipped\n")
    assert rows(site.scan(archive)) == [
        ("processors", "dev", "dev-fx 0.1", "ok"),
        ("processors", "zipped", "zipped-fx 3.0", "ok"),
    ]


def test_metadata_is_read_for_distributions_with_plugins_alone(
    site: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    site.install("plain", "1", {"console_scripts": {"plain": "plain:main"}})
    site.install("acme-fx", "1", {V1: {"grit": "acme:Grit"}}, {"acme.py": ""})
    opened: list[str] = []
    plain_open = builtins.open

    def recording_open(file: Any, *args: Any, **kwargs: Any) -> Any:
        opened.append(os.path.relpath(str(file), site.root))
        return plain_open(file, *args, **kwargs)

    monkeypatch.setattr(builtins, "open", recording_open)
    site.scan()
    assert [path for path in opened if path.endswith("METADATA")] == [
        os.path.join("acme_fx-1.dist-info", "METADATA")
    ]


def test_damaged_metadata_costs_nothing_but_its_words(site: Any) -> None:
    site.install("acme-fx", "1.2", {V1: {"grit": "acme:Grit"}}, {"acme.py": ""})
    site.root.joinpath("acme_fx-1.2.dist-info", "METADATA").write_bytes(b"\xff\xfe\x00")
    site.root.joinpath("empty-1.dist-info").mkdir()
    site.root.joinpath("file-1.dist-info").write_text("not a folder")
    assert rows(site.scan()) == [("processors", "grit", "acme_fx 1.2", "ok")]


def test_a_name_that_two_distributions_offer_is_ambiguous_for_both(site: Any) -> None:
    site.install("acme-fx", "1.2", {V1: {"lstm": "acme:A"}}, {"acme.py": ""})
    site.install("fxkit", "0.1", {V1: {"lstm": "kit:B"}}, {"kit.py": ""})
    assert rows(site.scan()) == [
        ("processors", "lstm", "acme-fx 1.2", "ambiguous (also fxkit)"),
        ("processors", "lstm", "fxkit 0.1", "ambiguous (also acme-fx)"),
    ]


def test_a_name_is_not_shared_across_kinds(site: Any) -> None:
    site.install("acme-fx", "1.2", {V1: {"x": "acme:A"}, "fxkit.v1.losses": {"x": "acme:B"}}, {"acme.py": ""})
    assert {entry.status for entry in site.scan().entries} == {"ok"}


def test_another_api_is_a_row_and_does_not_make_a_name_ambiguous(site: Any) -> None:
    site.install("fxcomp", "0.3", {"fxkit.v0.processors": {"comp": "fxcomp:Comp"}}, {"fxcomp.py": ""})
    site.install("future", "9", {"fxkit.v2.processors": {"comp": "fxcomp:Comp"}})
    site.install("today", "1", {V1: {"comp": "fxcomp:Comp"}})
    assert rows(site.scan()) == [
        ("processors", "comp", "future 9", "API v2, needs v1"),
        ("processors", "comp", "fxcomp 0.3", "API v0, needs v1"),
        ("processors", "comp", "today 1", "ok"),
    ]


def test_a_distribution_that_serves_two_apis_is_right_for_this_one(site: Any) -> None:
    site.install("both", "1", {"fxkit.v0.processors": {"comp": "c:Old"}, V1: {"comp": "c:New"}}, {"c.py": ""})
    assert rows(site.scan()) == [("processors", "comp", "both 1", "ok")]


def test_a_kind_that_is_not_known_is_a_row(site: Any) -> None:
    site.install("future", "9", {"fxkit.v1.widgets": {"w": "f:W"}}, {"f.py": ""})
    assert rows(site.scan()) == [("widgets", "w", "future 9", 'unknown kind "widgets"')]


def test_a_module_that_is_not_there_is_seen_without_importing_anything(importable: Any) -> None:
    importable.install("hollow", "1", {V1: {"a": "hollow_fx.specs:A"}})
    importable.install(
        "bad", "1", {V1: {"b": "bad_fx.specs:B"}}, {"bad_fx/__init__.py": "raise SystemExit(3)"}
    )
    importable.install("odd", "1", {V1: {"c": "no colon"}})
    assert rows(importable.scan()) == [
        ("processors", "a", "hollow 1", "module missing"),
        ("processors", "b", "bad 1", "ok"),
        ("processors", "c", "odd 1", "target is not module:attribute"),
    ]
    assert "bad_fx" not in sys.modules


def test_the_same_name_twice_in_one_distribution_is_one_row_when_it_is_one_target(site: Any) -> None:
    site.install("acme", "1", {V1: {"a": "m:A\na = m:A\nb = m:B\nb = m:C"}}, {"m.py": ""})
    assert rows(site.scan()) == [
        ("processors", "a", "acme 1", "ok"),
        ("processors", "b", "acme 1", "ambiguous (also m:C)"),
        ("processors", "b", "acme 1", "ambiguous (also m:B)"),
    ]
