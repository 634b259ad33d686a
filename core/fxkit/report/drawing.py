"""The picture of the model as SVG for the page: text stays text, colours follow the page."""

from __future__ import annotations

import io
import re

import matplotlib
from markupsafe import Markup, escape

from fxkit.inspection.card import ModelCard
from fxkit.inspection.picture import FAINT, FILL, INK, LINE, card_figure
from fxkit.inspection.text import headline

_COLOURS = {INK: "var(--ink)", FAINT: "var(--faint)", LINE: "var(--c0)", FILL: "var(--raised)"}


def model_svg(card: ModelCard) -> Markup:
    """Return the picture of a model; it grows to the width of the page at most."""
    stream = io.StringIO()
    # A fixed salt and no date: the same model gives the same bytes. Names may hold dollar signs.
    with matplotlib.rc_context({"svg.fonttype": "none", "svg.hashsalt": "fxkit", "text.parse_math": False}):
        figure = card_figure(card)
        figure.savefig(stream, format="svg", transparent=True, metadata={"Date": None, "Creator": None})
    return Markup(_for_page(stream.getvalue(), f"The model {card.name}: {headline(card)}"))


def _for_page(text: str, label: str) -> str:
    inner = text[text.index("<svg") :]
    # The metadata name schemes of the web, which a page that loads nothing has no use for.
    inner = re.sub(r"<metadata>.*?</metadata>", "", inner, flags=re.DOTALL)
    inner = re.sub(r"\s*\n\s*", "\n", inner)
    for colour, name in _COLOURS.items():
        inner = inner.replace(colour.lower(), name)
    inner = inner.replace("#ffffff", "var(--page)")
    view = re.findall(r'viewBox="([^"]+)"', inner)[0]
    width = float(view.split()[2])
    opening = (
        f'<svg class="picture" role="img" aria-label="{escape(label)}" viewBox="{view}"'
        f' style="width:min({width:.0f}pt, max(100%, {0.72 * width:.0f}pt))"'
    )
    return re.sub(r"<svg[^>]*", lambda _: opening, inner, count=1)
