"""Lay links to recordings out in a new folder, as a dataset needs them."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from fxkit.survey import Arrangement
from fxkit.templates.template import TemplateError


def arrange(arrangement: Arrangement, target: Path, *, keep_out: Path) -> None:
    """Make `target` with links and texts; what is there already must be right, or it is refused.

    Raises `TemplateError` where `target` lies inside `keep_out`, the folder of recordings, or holds
    other files.
    """
    if target.resolve().is_relative_to(keep_out.resolve()):
        raise TemplateError(f"{target}: lies inside the folder of recordings, which is never written into")
    if target.exists() and not _holds_no_more(arrangement, target):
        raise TemplateError(f"{target}: is there already, with other files in it; name a new folder")
    for name, source in arrangement.links.items():
        _link(target / name, source)
    for name, text in arrangement.texts.items():
        (target / name).write_text(text, encoding="utf-8")


def _holds_no_more(arrangement: Arrangement, target: Path) -> bool:
    """Tell whether a folder holds nothing, or nothing but what would be laid there."""
    if not target.is_dir():
        return False
    files = [path for path in target.rglob("*") if path.is_symlink() or not path.is_dir()]
    return all(_is_right(path, path.relative_to(target).as_posix(), arrangement) for path in files)


def _is_right(path: Path, name: str, arrangement: Arrangement) -> bool:
    if name in arrangement.texts:
        return path.read_text(encoding="utf-8") == arrangement.texts[name]
    source = arrangement.links.get(name)
    return source is not None and path.exists() and path.stat().st_size == source.stat().st_size


def _link(place: Path, source: Path) -> None:
    place.parent.mkdir(parents=True, exist_ok=True)
    if place.exists():
        return
    try:
        os.symlink(source.resolve(), place)
    except OSError:
        # Links need a privilege on some systems; copies serve as well.
        shutil.copy2(source, place)
