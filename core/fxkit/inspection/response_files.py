"""Write and draw frequency responses and input/output curves into a folder."""

from __future__ import annotations

import io
from collections.abc import Mapping
from pathlib import Path

import numpy as np
import numpy.typing as npt

from fxkit.figure import save
from fxkit.files import write_text
from fxkit.inspection.curve_picture import curve_picture
from fxkit.inspection.recorded import Recorded
from fxkit.inspection.response import Response, Trace
from fxkit.inspection.response_picture import movement_picture, node_pictures, response_picture
from fxkit.inspection.static_curve import Curve

Array = npt.NDArray[np.float64]


def write_response(folder: Path, response: Response, recorded: Recorded | None, title: str) -> None:
    """Write frequency-response.csv and draw frequency-response.png, and -nodes.png for a chain."""
    write_text(folder / "frequency-response.csv", table_text(columns(response, recorded)))
    whole = f"Frequency response of {title}{_knobs(response.knobs)}"
    save(response_picture(response, recorded, whole), folder / "frequency-response.png")
    if len(response.nodes) > 1:
        figures = node_pictures(response, f"Small-signal response of the nodes of {title}")
        for number, figure in enumerate(figures, start=1):
            suffix = "" if number == 1 else f"-{number}"
            save(figure, folder / f"frequency-response-nodes{suffix}.png")


def write_movement(
    folder: Path,
    frequencies: Array,
    gains: Mapping[int, Array],
    recorded: Recorded | None,
    name: str,
) -> None:
    """Write and draw how the small-signal gain moved, step by step."""
    table = {"frequency_hz": frequencies, **{f"step_{step}_db": gain for step, gain in gains.items()}}
    write_text(folder / "frequency-response-steps.csv", table_text(table))
    title = f"Small-signal response of {name} over the training"
    figure = movement_picture(frequencies, list(gains), list(gains.values()), recorded, title)
    save(figure, folder / "frequency-response-steps.png")


def write_curve(folder: Path, curve: Curve, title: str) -> None:
    """Write static-curve.csv and draw static-curve.png."""
    write_text(folder / "static-curve.csv", curve_text(curve))
    figure = curve_picture(curve, f"Input/output curve of {title}{_knobs(curve.knobs)}")
    save(figure, folder / "static-curve.png")


def curve_text(curve: Curve) -> str:
    """Return every loop as rows: whose it is, level, branch, input and output."""
    lines = ["node,level_dbfs,branch,input,output"]
    owners = {"": curve.whole, **{name: node.loops for name, node in curve.nodes.items()}}
    for name, loops in owners.items():
        for loop in loops:
            for branch, points in (("rising", loop.rising), ("falling", loop.falling)):
                where = f'"{name}",{loop.level:g},{branch}'
                lines += [f"{where},{x:.6g},{y:.6g}" for x, y in zip(*points, strict=True)]
    return "\n".join(lines) + "\n"


def columns(response: Response, recorded: Recorded | None) -> dict[str, Array]:
    """Return every curve by the name of its column."""
    small = response.whole.small
    found = {
        "frequency_hz": response.frequencies,
        "gain_db": small.magnitude_db,
        "phase_degrees": np.degrees(small.phase),
        "group_delay_ms": 1e3 * small.group_delay,
        **_swept(response.whole, ""),
    }
    if recorded is not None:
        found |= {
            "target_recorded_db": recorded.target_db,
            "target_coherence": recorded.target_coherence,
            "model_recorded_db": recorded.model_db,
            "model_coherence": recorded.model_coherence,
        }
    for name, node in response.nodes.items() if len(response.nodes) > 1 else ():
        for kind, trace in (("alone", node.alone), ("through", node.through)):
            if trace is not None:
                found[f"{name}.{kind}.gain_db"] = trace.small.magnitude_db
                found |= _swept(trace, f"{name}.{kind}.")
    return found


def _swept(trace: Trace, prefix: str) -> dict[str, Array]:
    found = {}
    for swept in trace.swept:
        at = f"at_{swept.level:g}dbfs"
        found[f"{prefix}gain_db_{at}"] = swept.magnitude_db
        for order, values in enumerate(swept.harmonics_db, start=2):
            found[f"{prefix}h{order}_db_{at}"] = values
    return found


def table_text(table: Mapping[str, Array]) -> str:
    """Return columns as CSV; empty where there is no value."""
    stream = io.StringIO()
    stream.write(",".join(f'"{name}"' if "," in name else name for name in table) + "\n")
    for row in np.stack(list(table.values()), axis=1).tolist():
        stream.write(",".join("" if value != value else f"{value:.6g}" for value in row) + "\n")
    return stream.getvalue()


def _knobs(knobs: Mapping[str, float]) -> str:
    if not knobs:
        return ""
    return " at " + ", ".join(f"{name} {100 * value:.0f} %" for name, value in knobs.items())
