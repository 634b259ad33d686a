"""Lay out folders as pip leaves them: metadata beside modules."""

from __future__ import annotations

import sys
from collections.abc import Iterator, Mapping
from pathlib import Path

import pytest

from fxkit_registry import Registry

KINDS = {"processors": "processor", "losses": "loss"}


class SitePackages:
    """A folder of installed distributions."""

    def __init__(self, root: Path) -> None:
        self.root = root
        root.mkdir(parents=True, exist_ok=True)

    def install(
        self,
        dist: str,
        version: str,
        groups: Mapping[str, Mapping[str, str]],
        modules: Mapping[str, str] | None = None,
        suffix: str = "dist-info",
    ) -> None:
        folder = self.root / f"{dist.replace('-', '_')}-{version}.{suffix}"
        folder.mkdir()
        header = f"Metadata-Version: 2.1\nName: {dist}\nVersion: {version}\n\nName: decoy\n"
        folder.joinpath("METADATA" if suffix == "dist-info" else "PKG-INFO").write_text(header)
        lines = [
            f"[{group}]\n" + "".join(f"{k} = {v}\n" for k, v in items.items())
            for group, items in groups.items()
        ]
        folder.joinpath("entry_points.txt").write_text("\n".join(lines))
        for file, source in (modules or {}).items():
            path = self.root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(source)

    def scan(self, *more: Path, environ: Mapping[str, str] | None = None, **options: object) -> Registry:
        return Registry.scan(
            list(KINDS),
            singular=KINDS,
            path=[str(self.root), *map(str, more)],
            environ=environ or {},
            **options,  # type: ignore[arg-type]
        )


@pytest.fixture
def site(tmp_path: Path) -> SitePackages:
    return SitePackages(tmp_path / "site-packages")


@pytest.fixture
def importable(site: SitePackages, monkeypatch: pytest.MonkeyPatch) -> Iterator[SitePackages]:
    """Put the folder on the path of this process, and forget afterwards what was imported from it."""
    before = set(sys.modules)
    monkeypatch.syspath_prepend(str(site.root))
    yield site
    for name in set(sys.modules) - before:
        if str(getattr(sys.modules[name], "__file__", "")).startswith(str(site.root)):
            del sys.modules[name]
