"""Write the table of models from docs/models.json, the one place where its figures stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fxkit_docs.markdown import code, table

NOTHING = "No figures recorded yet."


def models_table(path: Path) -> str:
    """Show a row per model: what it costs, and for each device what it reached; or say that there is none."""
    cells = json.loads(path.read_text(encoding="utf-8"))["cells"]
    if not cells:
        return NOTHING
    devices = list(dict.fromkeys(cell["device"] for cell in cells))
    by_model: dict[str, dict[str, Any]] = {}
    for cell in cells:
        by_model.setdefault(cell["model"], {})[cell["device"]] = cell
    headers = ["Model", "Weights", "MACs per sample", "Real time"]
    headers += [f"{device}: {what}" for device in devices for what in ("ESR", "MR-STFT", "minutes")]
    return table(tuple(headers), [_row(name, found, devices) for name, found in by_model.items()])


def _row(name: str, found: dict[str, Any], devices: list[str]) -> tuple[str, ...]:
    first = next(iter(found.values()))
    costs = (code(name), str(first["weights"]), _whole(first["macs"]), f"{_number(first['real_time'])}x")
    reached = (
        _number(found.get(device, {}).get(what))
        for device in devices
        for what in ("esr", "mr_stft", "minutes")
    )
    return (*costs, *reached)


def _whole(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3g}"
