"""Turn an executed notebook into a page: text, code, and the outputs that are stored in it."""

from __future__ import annotations

import base64
import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from fxkit_docs.markdown import block


def notebook_files(path: Path) -> dict[str, bytes]:
    """Return file name -> content: the page NAME.md and a PNG for each picture."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    files: dict[str, bytes] = {}
    parts: list[str] = []
    for number, cell in enumerate(cells):
        source = "".join(cell["source"])
        if cell["cell_type"] == "markdown":
            parts.append(source)
            continue
        parts.append(block(source, "python"))
        parts.extend(_outputs(cell, f"{path.stem}-{number}", files))
    files[f"{path.stem}.md"] = ("\n\n".join(parts) + "\n").encode()
    return files


def _outputs(cell: dict[str, Any], stem: str, files: dict[str, bytes]) -> Iterator[str]:
    for position, output in enumerate(cell["outputs"]):
        data = output.get("data", {})
        if "image/png" in data:
            name = f"{stem}-{position}.png"
            files[name] = base64.b64decode(data["image/png"])
            yield f"![output of the cell above]({name})"
        elif text := output.get("text") or data.get("text/plain"):
            yield block(_plain("".join(text)))


def _plain(text: str) -> str:
    return re.sub(r"\x1b\[[0-9;]*m", "", text)
