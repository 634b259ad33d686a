"""Write the reference pages from the installed fxkit each time that the documentation is built.

The modules beside this one make Markdown text and know nothing of Sphinx, so that tests can read the
same text; `setup` is the extension that writes it below docs/generated/.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any


def write_pages(docs: Path) -> None:
    """Write all generated files below `docs`/generated; a file that would not change is left alone."""
    from fxkit_docs.pages import generated_files

    target = docs / "generated"
    files = generated_files(docs)
    for path in target.rglob("*"):
        if path.is_file() and path.relative_to(target).as_posix() not in files:
            path.unlink()
    for name, content in files.items():
        path = target / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if not path.exists() or path.read_bytes() != content:
            path.write_bytes(content)


def setup(app: Any) -> dict[str, Any]:
    """Connect to Sphinx."""
    app.connect("builder-inited", lambda app: write_pages(Path(app.srcdir)))
    return {"version": "1", "parallel_read_safe": True, "parallel_write_safe": True}
