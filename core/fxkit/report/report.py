"""The page itself: fill the template and put it in place."""

from __future__ import annotations

from pathlib import Path

import jinja2

from fxkit.files import write_text
from fxkit.report.contents import Contents


def write_report(path: Path, contents: Contents) -> None:
    """Write the report as one HTML file that needs nothing else; the same contents give the same bytes.

    A reader sees the file of before or the new one, whole. Raises `OSError` when it cannot be written.
    """
    write_text(path, render_report(contents))


def render_report(contents: Contents) -> str:
    """Return the report's HTML."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fxkit.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    return environment.get_template("report.html.j2").render(contents=contents)
