"""Draw a model's card: boxes with plugins, parameters and costs, and the way of the signal."""

from __future__ import annotations

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.figure import Figure
from matplotlib.patches import Circle, FancyBboxPatch, Polygon

from fxkit.errors import RunError
from fxkit.files import write_atomically
from fxkit.inspection.card import ModelCard, NodeCard
from fxkit.inspection.layout import SUM, Box, Layout, Point, Size
from fxkit.inspection.text import field_text, headline, macs_text, numbers

FORMATS = ("svg", "png", "pdf")
INK, FAINT, LINE, FILL = "#1d1d1f", "#5f6368", "#0072B2", "#f3f7fb"
# Inches: a letter of the 8 point font, a line of it, and the rim of a box.
LETTER, ROW, RIM = 0.068, 0.16, 0.12
_LONGEST = 46


def picture_target(path: Path, *, force: bool) -> Path:
    """Return where a picture may be written.

    Raises `RunError` for an unknown ending, a folder that is not there, or a file that is.
    """
    if path.suffix[1:].lower() not in FORMATS:
        raise RunError(f"{path}: a picture ends in {', '.join('.' + name for name in FORMATS)}")
    if not path.parent.is_dir():
        raise RunError(f"{path}: there is no folder {path.parent}")
    if path.exists() and not force:
        raise RunError(f"{path}: exists; choose another name, or add --force")
    return path


def draw_card(card: ModelCard, path: Path) -> None:
    """Draw the graph of a model into a file whose ending says the format."""
    figure = card_figure(card)
    write_atomically(path, lambda stream: figure.savefig(stream, format=path.suffix[1:].lower(), dpi=120))


def card_figure(card: ModelCard) -> Figure:
    """Return the graph of a model as a matplotlib figure, one inch per unit of its layout."""
    rows = {name: _rows(node) for name, node in card.nodes.items()}
    layout = Layout({name: _size(lines) for name, lines in rows.items()})
    end = layout.place(card.tree)
    low = min(box.middle - box.size.height / 2 for box in layout.boxes) - 0.3
    high = max(box.middle + box.size.height / 2 for box in layout.boxes) + 0.75
    title = [card.name, headline(card)]
    right = max(end[0] + 0.9, LETTER * len(title[1]))
    figure = Figure(figsize=(right + 0.9, high - low), facecolor="white")
    FigureCanvasAgg(figure)
    axes = figure.add_axes((0, 0, 1, 1), xlim=(-0.8, right + 0.1), ylim=(low, high), frame_on=False)
    axes.set_axis_off()
    axes.text(-0.65, high - 0.25, title[0], fontsize=12, fontweight="bold", color=INK, va="center")
    axes.text(-0.65, high - 0.48, title[1], fontsize=8, color=FAINT, va="center")
    _draw_signal(axes, layout, end)
    for box in layout.boxes:
        _draw_box(axes, box, rows[box.name])
    return figure


def _rows(node: NodeCard) -> list[tuple[str, str]]:
    """Return the lines of a node's box: text and weight of the font."""
    plugin = node.plugin.removeprefix("fxkit/")
    facts = [f"{node.weights:,} weights" if node.weights else "", macs_text(node.macs)]
    facts += [f"latency {node.latency}" if node.latency else ""]
    facts += [f"field {field_text(node.receptive_field)}"] if node.receptive_field != 1 else []
    lines = [(node.name, "bold"), (plugin, "normal"), (", ".join(fact for fact in facts if fact), "normal")]
    for parameter in node.parameters:
        unit = f" {parameter.unit}" if parameter.unit else ""
        value = "moves" if parameter.values is None else numbers(parameter.values) + unit
        lines.append((f"{parameter.name}  {value}", "normal"))
    if node.parameters:
        setters = dict.fromkeys(parameter.setter for parameter in node.parameters)
        lines.append((f"set by {' and '.join(setters)}", "normal"))
    return [(_short(text), weight) for text, weight in lines if text]


def _short(text: str) -> str:
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _size(lines: list[tuple[str, str]]) -> Size:
    return Size(2 * RIM + LETTER * max(len(text) for text, _ in lines), 2 * RIM + ROW * len(lines))


def _draw_signal(axes: Axes, layout: Layout, end: Point) -> None:
    out = (end[0] + 0.4, end[1])
    for line in [*layout.lines, (end, out)]:
        axes.plot(*zip(*line, strict=True), color=LINE, linewidth=1.2, solid_joinstyle="round", zorder=1)
    for x, y in [*((box.left, box.middle) for box in layout.boxes), out]:
        axes.add_patch(Polygon([(x, y), (x - 0.1, y + 0.05), (x - 0.1, y - 0.05)], color=LINE, zorder=2))
    for point in layout.sums:
        axes.add_patch(Circle(point, SUM / 2, facecolor="white", edgecolor=LINE, linewidth=1.2, zorder=3))
        axes.text(*point, "+", fontsize=11, color=LINE, ha="center", va="center_baseline", zorder=4)
    axes.text(-0.1, 0, "in", fontsize=8, color=FAINT, ha="right", va="center")
    axes.text(out[0] + 0.08, out[1], "out", fontsize=8, color=FAINT, va="center")


def _draw_box(axes: Axes, box: Box, lines: list[tuple[str, str]]) -> None:
    top = box.middle + box.size.height / 2
    shape = FancyBboxPatch(
        (box.left, top - box.size.height), box.size.width, box.size.height,
        boxstyle="round,pad=0,rounding_size=0.08", facecolor=FILL, edgecolor=LINE, linewidth=1.2, zorder=3,
    )  # fmt: skip
    axes.add_patch(shape)
    for number, (text, weight) in enumerate(lines):
        y = top - RIM - ROW * (number + 0.5)
        colour = INK if number == 0 or "  " in text else FAINT
        axes.text(box.left + RIM, y, text, fontsize=8, fontweight=weight, color=colour, va="center", zorder=4)
