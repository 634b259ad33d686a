"""The page itself: fill the template and put it in place."""

from __future__ import annotations

import base64
import hashlib
from importlib.resources import files
from pathlib import Path

import jinja2
from markupsafe import Markup

from fxkit.files import write_text
from fxkit.report.contents import Contents
from fxkit.report.page import page_of


def write_report(path: Path, contents: Contents) -> None:
    """Write the report as one HTML file that needs nothing else; the same contents give the same bytes.

    A reader sees the file of before or the new one, whole. Raises `OSError` when it cannot be written.
    """
    write_text(path, render_report(contents))


def render_report(contents: Contents) -> str:
    """Return the report's HTML. Names of runs and files are text to it, whatever they hold."""
    environment = jinja2.Environment(
        loader=jinja2.PackageLoader("fxkit.report"),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    script = _asset("report.js")
    template = environment.get_template("report.html.j2")
    return template.render(
        page=page_of(contents),
        style=Markup(_asset("report.css")),
        script=Markup(script),
        # No script but this one may run, whatever else finds its way into the page.
        script_hash=base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii"),
    )


def _asset(name: str) -> str:
    return (files("fxkit.report") / "templates" / name).read_text(encoding="utf-8")
