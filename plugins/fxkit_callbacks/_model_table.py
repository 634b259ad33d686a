"""A model's card as a table of its nodes and controllers, and as a tree."""

from __future__ import annotations

import io
from collections.abc import Iterator
from typing import TYPE_CHECKING

from rich.box import SIMPLE_HEAD
from rich.console import Console, RenderableType
from rich.markup import escape
from rich.table import Table

from fxkit.inspection.text import card_tree, field_text

if TYPE_CHECKING:
    from fxkit.inspection.card import ControllerCard, ModelCard, NodeCard
    from fxkit.inspection.stopwatch import Timing

_WIDTH = 110
# The table has the width that it needs.
_UNFOLDED = 1000
_COLUMNS = ("node", "plugin", "weights", "parameters", "receptive field", "latency", "MAC/sample", "time")


def model_table(card: ModelCard, timing: Timing | None) -> str:
    """Return the table with its line of totals as plain text."""
    table = Table(box=SIMPLE_HEAD, show_footer=True, pad_edge=False, title_justify="left")
    for column, total in zip(_COLUMNS, _totals(card), strict=True):
        right = column not in ("node", "plugin")
        table.add_column(column, footer=total, justify="right" if right else "left", no_wrap=True)
    for row in _rows(card, timing):
        table.add_row(*row)
    return "\n".join([_headline(card), _printed(table, _UNFOLDED), *_speed(timing)])


def model_text(card: ModelCard) -> str:
    """Return the tree of nodes with all parameters as plain text."""
    return _printed(card_tree(card))


def _headline(card: ModelCard) -> str:
    channels = f"{card.target_channels} channel{'s' if card.target_channels != 1 else ''}"
    return f"model of {card.name}, {card.sample_rate} Hz, {channels}, {card.stands}"


def _rows(card: ModelCard, timing: Timing | None) -> Iterator[tuple[str, ...]]:
    shares = {} if timing is None else timing.nodes
    for node in card.nodes.values():
        yield (
            escape(node.name),
            escape(_short(node.plugin)),
            _weights(node),
            str(len(node.parameters) or ""),
            field_text(node.receptive_field).removesuffix(" samples").removesuffix(" sample"),
            str(node.latency or ""),
            "" if node.macs is None else f"{node.macs:,.0f}",
            f"{shares[node.name]:.0%}" if node.name in shares else "",
        )
    for one in card.controllers.values():
        time = f"{shares[one.name]:.0%}" if one.name in shares else ""
        yield (escape(one.name), escape(_short(one.plugin)), _weights(one), "", "", "", "", time)


def _totals(card: ModelCard) -> tuple[str, ...]:
    field = field_text(card.receptive_field).removesuffix(" samples").removesuffix(" sample")
    count = sum(len(node.parameters) for node in card.nodes.values())
    macs = "" if card.macs is None else f"{card.macs:,.0f}"
    return ("in all", "", f"{card.weights:,}", str(count or ""), field, str(card.latency), macs, "")


def _speed(timing: Timing | None) -> Iterator[str]:
    if timing is not None:
        # Of the median, as other work on the machine makes some blocks late.
        factor = timing.block_ms / timing.median_ms
        yield (
            f"streams {factor:.3g} times faster than real time here, in blocks of {timing.block} samples"
            f" (the median takes {timing.median_ms:.2f} ms of {timing.block_ms:.2f} ms)"
        )


def _short(plugin: str) -> str:
    return plugin.removeprefix("fxkit/")


def _weights(part: NodeCard | ControllerCard) -> str:
    if not part.weights:
        return ""
    return f"{part.weights:,}" if part.trained else f"{part.weights:,} frozen"


def _printed(content: RenderableType, width: int = _WIDTH) -> str:
    stream = io.StringIO()
    Console(file=stream, width=width, highlight=False, color_system=None).print(content)
    return "\n".join(line.rstrip() for line in stream.getvalue().strip("\n").splitlines())
