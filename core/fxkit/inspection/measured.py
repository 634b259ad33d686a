"""Measure what a model does to tones, and write it into a folder."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch

from fxkit.errors import RunError
from fxkit.inspection.response import Response, frequency_response
from fxkit.inspection.response_files import write_curve, write_response
from fxkit.inspection.static_curve import static_curve
from fxkit.inspection.subject import Subject
from fxkit.model.graph import Model

_OCTAVES = (31.25, 62.5, 125.0, 250.0, 500.0, 1000.0, 2000.0, 4000.0, 8000.0, 16000.0)


def measure_into(
    subject: Subject, folder: Path, knobs: Mapping[str, float], *, force: bool
) -> dict[str, Any]:
    """Write a model's frequency response and input/output curve into `folder`, as pictures and tables.

    `knobs` are the device's by name, in its units; those that are not named stand in the middle. Returns the
    figures, the response in octaves, and notes, as plain values. Raises `RunError` for a folder that holds
    such files already unless `force`, for unknown knobs, and for a model that has no response.
    """
    _refuse_folder(folder, force)
    values = scaled_knobs(subject.model, knobs)
    response = frequency_response(subject.model, knobs=values, nodes=len(subject.model.plan.nodes) > 1)
    curve = static_curve(subject.model, knobs=values)
    title = f"{subject.experiment.run.name} {subject.stands}"
    write_response(folder, response, None, title)
    write_curve(folder, curve, title)
    figures = {**response.figures(), **curve.figures()}
    return {"figures": figures, "octaves": _octaves(response), "notes": list(response.notes)}


def scaled_knobs(model: Model, knobs: Mapping[str, float]) -> torch.Tensor | None:
    """Return a model's knobs scaled to [0, 1], in its order; None for one without.

    Raises `RunError` for a knob that it does not have, and for a value out of range.
    """
    ctx = next(iter(model.plan.nodes.values())).ctx
    ranges = {name: ctx.knob_ranges.get(name, (0.0, 1.0)) for name in ctx.knobs}
    listed = ", ".join(f"{name} ({low:g} to {high:g})" for name, (low, high) in ranges.items()) or "none"
    for name, value in knobs.items():
        if name not in ranges or not ranges[name][0] <= value <= ranges[name][1]:
            raise RunError(f"knob {name} = {value:g} does not fit; the model has: {listed}")
    if not ranges:
        return None
    middles = {name: (low + high) / 2 for name, (low, high) in ranges.items()}
    settings = {**middles, **knobs}
    return torch.tensor([(settings[name] - low) / (high - low) for name, (low, high) in ranges.items()])


def _refuse_folder(folder: Path, force: bool) -> None:
    if folder.exists() and not folder.is_dir():
        raise RunError(f"{folder}: is a file; name a folder")
    there = [path for name in ("frequency-response", "static-curve") for path in folder.glob(f"{name}*")]
    if there and not force:
        raise RunError(f"{there[0]}: exists; choose another folder, or add --force")


def _octaves(response: Response) -> list[dict[str, float | None]]:
    """Return gain, harmonics and delay at the middles of octaves."""
    small, loud = response.whole.small, max(response.whole.swept, key=lambda one: one.level)
    columns = {"gain_db": small.magnitude_db, f"gain_at_{loud.level:g}dbfs_db": loud.magnitude_db}
    columns |= {f"h{order}_db": one for order, one in enumerate(loud.harmonics_db, start=2)}
    columns["group_delay_ms"] = 1e3 * small.group_delay
    return [
        {"hz": hz, **{name: _number(response.at(values, hz)) for name, values in columns.items()}}
        for hz in _OCTAVES
        if hz <= response.sample_rate / 2
    ]


def _number(value: float) -> float | None:
    return value if np.isfinite(value) else None
