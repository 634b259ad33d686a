"""Draw the graph of an experiment that ships, as `fxkit inspect --picture` does."""

from __future__ import annotations

import io

GRAPHS = ("overdrive-graybox",)


def graph_files() -> dict[str, bytes]:
    """Return NAME.svg for each experiment that the pages show."""
    return {f"{name}.svg": _drawn(name) for name in GRAPHS}


def _drawn(name: str) -> bytes:
    from fxkit.inspection.picture import card_figure
    from fxkit.inspection.subject import describe_subject, open_subject

    page = io.BytesIO()
    figure = card_figure(describe_subject(open_subject(name)))
    figure.savefig(page, format="svg", metadata={"Date": None})
    return page.getvalue()
