"""Write the table of measured figures from docs/figures.json, the one place where they stand."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from fxkit_docs.markdown import code, table

HEADERS = (
    "Experiment",
    "Data",
    "Weights",
    "Steps",
    "Minutes",
    "Test ESR",
    "Test MR-STFT",
    "Silence (ESR / MR-STFT)",
    "Input unchanged",
    "Best single gain",
)
NOTHING = "No figures recorded yet."


def figures_table(path: Path) -> str:
    """Show the recorded figures, or say that there are none."""
    rows = json.loads(path.read_text(encoding="utf-8"))["figures"]
    return table(HEADERS, [_row(row) for row in rows]) if rows else NOTHING


def _row(row: dict[str, Any]) -> tuple[str, ...]:
    baselines = row["baselines"]
    return (
        code(row["experiment"]),
        row["data"],
        str(row["weights"]),
        str(row["steps"]),
        f"{row['minutes']:.3g}",
        _figure(row.get("esr")),
        _figure(row.get("mr_stft")),
        *(_pair(baselines.get(name)) for name in ("silence", "input", "gain")),
    )


def _pair(figures: dict[str, float] | None) -> str:
    return f"{_figure(figures.get('esr'))} / {_figure(figures.get('mr_stft'))}" if figures else "-"


def _figure(value: float | None) -> str:
    return "-" if value is None else f"{value:.4g}"
