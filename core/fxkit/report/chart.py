"""Line charts as SVG: text stays text, and the page's style sheet gives the colours."""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence

import attrs
from markupsafe import Markup

from fxkit.report.axis import Axis, fitted, short

WIDTH, HEIGHT = 460.0, 250.0
_LEFT, _RIGHT, _TOP, _BOTTOM = 52.0, 12.0, 10.0, 40.0
_MOST_POINTS = 600
COLOURS = 7


@attrs.frozen(kw_only=True)
class Line:
    """Hold one line; `style` is "line", "faint" (thin, behind), "dash" or "dots" (line with points).

    `colour` counts the palette of the page. A value that is not finite parts the line.
    """

    name: str
    x: Sequence[float]
    y: Sequence[float]
    colour: int = 0
    style: str = "line"


@attrs.frozen(kw_only=True)
class Chart:
    """Hold a chart: `marks` are vertical lines, each a place on x and what stands there."""

    title: str
    x_label: str
    y_label: str
    lines: tuple[Line, ...]
    log_x: bool = False
    log_y: bool = False
    marks: tuple[tuple[float, str], ...] = ()
    y_floor: float | None = None
    note: str = ""

    @property
    def legend(self) -> tuple[Line, ...]:
        """Return the lines that the legend names: none where there is one line only."""
        return self.lines if len(self.lines) > 1 else ()

    @property
    def summary(self) -> str:
        """Say in words what the picture shows."""
        ends = (_ends(line) for line in self.lines)
        return f"{self.title}: {self.y_label} over {self.x_label}. " + " ".join(ends)

    def svg(self) -> Markup:
        """Draw it."""
        x, y = self._axes()
        inner = [*_grid(x, y, self.x_label, self.y_label), *(_mark(x, *mark) for mark in self.marks)]
        inner += [_path(line, x, y) for line in self.lines]
        return Markup('<svg class="chart" viewBox="0 0 {} {}" role="img" aria-label="{}">{}</svg>').format(
            f"{WIDTH:g}", f"{HEIGHT:g}", self.summary, Markup("").join(inner)
        )

    def _axes(self) -> tuple[Axis, Axis]:
        across = [value for line in self.lines for value in line.x]
        up = [value for line in self.lines for value in line.y]
        if self.y_floor is not None:
            up = [max(value, self.y_floor) for value in up]
        x = fitted(across, start=_LEFT, stop=WIDTH - _RIGHT, log=self.log_x, margin=0.0)
        return x, fitted(up, start=HEIGHT - _BOTTOM, stop=_TOP, log=self.log_y)


def _ends(line: Line) -> str:
    known = [value for value in line.y if math.isfinite(value)]
    return f"{line.name} from {known[0]:.4g} to {known[-1]:.4g}." if known else f"{line.name}: no values."


def _grid(x: Axis, y: Axis, x_label: str, y_label: str) -> Iterator[Markup]:
    upright, level = (
        Markup('<path class="grid" d="M{} {:g}V{:g}"/>'),
        Markup('<path class="grid" d="M{:g} {}H{:g}"/>'),
    )
    for tick in x.ticks():
        yield upright.format(f"{x.place(tick):.1f}", y.stop, y.start)
        yield _text(x.place(tick), y.start + 15, short(tick))
    for tick in y.ticks():
        yield level.format(x.start, f"{y.place(tick):.1f}", x.stop)
        yield _text(x.start - 6, y.place(tick) + 4, short(tick), "end")
    yield _text(_middle(x), HEIGHT - 6, x_label)
    turned = Markup('<g transform="translate(12 {:g}) rotate(-90)">{}</g>')
    yield turned.format(_middle(y), _text(0, 0, y_label))


def _text(x: float, y: float, text: str, anchor: str = "middle") -> Markup:
    return Markup('<text x="{:.1f}" y="{:.1f}" text-anchor="{}">{}</text>').format(x, y, anchor, text)


def _middle(axis: Axis) -> float:
    return (axis.start + axis.stop) / 2


def _mark(x: Axis, value: float, text: str) -> Markup:
    place = x.place(value)
    # Near the right edge the text stands to the left of its line.
    left = place > (x.start + x.stop) / 2
    return Markup(
        '<path class="mark" d="M{:.1f} {:g}V{:g}"/><text class="mark" x="{:.1f}" y="{:g}"{}>{}</text>'
    ).format(
        place, _TOP, HEIGHT - _BOTTOM, place + (-4 if left else 4), _TOP + 10,
        Markup(' text-anchor="end"') if left else "", text,
    )  # fmt: skip


def _path(line: Line, x: Axis, y: Axis) -> Markup:
    points = [(x.place(across), _placed(y, up)) for across, up in thinned(line.x, line.y)]
    shown = Markup('<path class="{} c{}" d="{}"/>').format(line.style, line.colour % COLOURS, drawn(points))
    if line.style != "dots":
        return shown
    # A stroke without length and with round ends is a point.
    spots = "".join(f"M{a:.1f} {b:.1f}h0" for a, b in points if math.isfinite(b))
    return shown + Markup('<path class="spots c{}" d="{}"/>').format(line.colour % COLOURS, spots)


def _placed(y: Axis, value: float) -> float:
    return y.place(value) if math.isfinite(value) and (value > 0 or not y.log) else math.nan


def thinned(x: Sequence[float], y: Sequence[float]) -> list[tuple[float, float]]:
    """Return at most about 600 points that keep the least and the greatest value of each stretch."""
    points = list(zip(x, y, strict=True))
    if len(points) <= _MOST_POINTS:
        return points
    width = math.ceil(len(points) / (_MOST_POINTS / 2))
    kept: list[tuple[float, float]] = []
    for start in range(0, len(points), width):
        stretch = points[start : start + width]
        kept += sorted({min(stretch, key=_height), max(stretch, key=_height)})
    return kept


def _height(point: tuple[float, float]) -> float:
    return point[1] if math.isfinite(point[1]) else -math.inf


def drawn(points: Iterable[tuple[float, float]]) -> str:
    """Write points as the data of an SVG path; one that is not finite parts it."""
    pieces, pen = [], "M"
    for across, up in points:
        if not (math.isfinite(across) and math.isfinite(up)):
            pen = "M"
            continue
        pieces.append(f"{pen}{across:.1f} {up:.1f}")
        pen = "L"
    return "".join(pieces)
