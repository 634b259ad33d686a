"""What the model does to tones: frequency response, harmonics, delay, and the input/output curve."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np
import numpy.typing as npt

from fxkit.report.chart import Chart, Line
from fxkit.report.contents import Contents

if TYPE_CHECKING:
    from fxkit.inspection.response import Response, Trace
    from fxkit.inspection.static_curve import Curve, Loop

Array = npt.NDArray[np.float64]

_HERTZ = "frequency in Hz"
# Below this, under the peak, a response is a matter of rounding.
_DEPTH_DB = 80.0
_HARMONICS_FLOOR_DB = -100.0


def response_charts(contents: Contents, names: Sequence[str]) -> tuple[Chart, ...]:
    """Return the charts of frequency responses that were measured."""
    measured = [
        (names[number], number, run.response)
        for number, run in enumerate(contents.runs)
        if run.response is not None
    ]
    if not measured:
        return ()
    if len(contents.runs) > 1:
        return (_overlaid(measured),)
    response = measured[0][2]
    charts = [_levels(response), *_harmonics(response), _delay(response), *_nodes(response)]
    return tuple(chart for chart in charts if chart.lines)


def _overlaid(measured: Sequence[tuple[str, int, Response]]) -> Chart:
    lines = [
        _response_line(response, response.whole.small.magnitude_db, name, number)
        for name, number, response in measured
    ]
    return _magnitudes("Frequency response, small signal", lines)


def _levels(response: Response) -> Chart:
    whole = response.whole
    lines = [_response_line(response, whole.small.magnitude_db, "small signal", 0)]
    for number, sweep in enumerate(whole.swept):
        name = f"at {sweep.level:g} dBFS"
        lines.append(_response_line(response, sweep.magnitude_db, name, number + 1))
    return _magnitudes("Frequency response", lines)


def _response_line(response: Response, values: Array, name: str, colour: int) -> Line:
    return Line(name=name, x=response.frequencies.tolist(), y=values.tolist(), colour=colour)


def _magnitudes(title: str, lines: Sequence[Line]) -> Chart:
    known = [value for line in lines for value in line.y if np.isfinite(value)]
    floor = max(known, default=0.0) - _DEPTH_DB
    return Chart(
        title=title, x_label=_HERTZ, y_label="gain in dB", lines=tuple(lines), log_x=True, y_floor=floor
    )


def _harmonics(response: Response) -> list[Chart]:
    if not response.whole.swept:
        return []
    sweep = response.whole.swept[-1]
    lines = [
        _response_line(response, level, f"H{order + 2}", order)
        for order, level in enumerate(sweep.harmonics_db)
        if np.isfinite(level).any() and np.nanmax(level) > _HARMONICS_FLOOR_DB
    ]
    return [
        Chart(
            title=f"Harmonics of a tone at {sweep.level:g} dBFS",
            x_label=f"{_HERTZ} of the tone",
            y_label="level in dB",
            lines=tuple(lines),
            log_x=True,
            y_floor=_HARMONICS_FLOOR_DB,
        )
    ]


def _delay(response: Response) -> Chart:
    small = response.whole.small
    audible = small.magnitude_db > np.nanmax(small.magnitude_db) - _DEPTH_DB / 2
    delay = np.where(audible, small.group_delay * 1000, np.nan)
    return Chart(
        title="Group delay, small signal",
        x_label=_HERTZ,
        y_label="delay in ms",
        lines=(_response_line(response, delay, "group delay", 0),),
        log_x=True,
    )


def _nodes(response: Response) -> list[Chart]:
    alone: dict[str, Trace] = {
        name: node.alone for name, node in response.nodes.items() if node.alone is not None
    }
    if len(response.nodes) < 2 or not alone:
        return []
    lines = [
        _response_line(response, trace.small.magnitude_db, name, number)
        for number, (name, trace) in enumerate(alone.items())
    ]
    return [_magnitudes("Each node alone, small signal", lines)]


def curve_charts(contents: Contents, names: Sequence[str]) -> tuple[Chart, ...]:
    """Return the input/output curves that were measured."""
    measured = [
        (names[number], number, run.curve)
        for number, run in enumerate(contents.runs)
        if run.curve is not None
    ]
    if not measured:
        return ()
    if len(contents.runs) > 1:
        loudest = [(name, number, curve.whole[-1]) for name, number, curve in measured if curve.whole]
        return (_curve_chart("Output over input", [_loop_line(*one) for one in loudest]),)
    curve = measured[0][2]
    return (
        _curve_chart(f"Output over input, {curve.frequency:g} Hz", _loops(curve.whole)),
        *_shapers(curve),
    )


def _loops(loops: Sequence[Loop]) -> list[Line]:
    # The loudest is drawn first, so that the others are seen upon it.
    ordered = list(enumerate(loops))[::-1]
    return [_loop_line(f"{loop.level:g} dBFS", number, loop) for number, loop in ordered]


def _loop_line(name: str, number: int, loop: Loop) -> Line:
    said = f"{name}, {loop.hysteresis:.1%} hysteresis"
    return Line(name=said, x=loop.input.tolist(), y=loop.output.tolist(), colour=number)


def _curve_chart(title: str, lines: Sequence[Line]) -> Chart:
    return Chart(title=title, x_label="input", y_label="output", lines=tuple(lines))


def _shapers(curve: Curve) -> list[Chart]:
    """Draw the curves of nodes that bend the signal and remember nothing, together."""
    if len(curve.nodes) < 2 or not curve.shapers:
        return []
    lines = [
        Line(name=name, x=loop.rising[0].tolist(), y=loop.rising[1].tolist(), colour=number)
        for number, (name, loop) in enumerate(curve.shapers.items())
    ]
    return [_curve_chart("Curves of the nodes without memory", lines)]
