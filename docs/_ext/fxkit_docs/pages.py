"""Collect everything that is generated: file name below docs/generated -> content."""

from __future__ import annotations

from pathlib import Path

from fxkit_docs.broken import TOGETHER, message_examples
from fxkit_docs.catalogue import catalogue_pages
from fxkit_docs.contract import contract_checks
from fxkit_docs.figures import figures_table
from fxkit_docs.graphs import graph_files
from fxkit_docs.migration import migration_tables
from fxkit_docs.models import models_table
from fxkit_docs.notebook import notebook_files
from fxkit_docs.reference import command_reference, hook_reference, kernel_tables, run_folder


def generated_files(docs: Path) -> dict[str, bytes]:
    """Return the pages and the fragments that other pages include."""
    texts = {
        **{f"plugins/{name}": text for name, text in catalogue_pages().items()},
        "commands.md": command_reference(),
        "fragments/tables.md": kernel_tables(),
        "fragments/checks.md": contract_checks(),
        "fragments/hooks.md": hook_reference(),
        "fragments/run-folder.md": run_folder(),
        "fragments/migration.md": migration_tables(),
        "fragments/messages.md": message_examples(docs.parent),
        "fragments/together.md": message_examples(docs.parent, TOGETHER),
        "fragments/figures.md": figures_table(docs / "figures.json"),
        "fragments/models.md": models_table(docs / "models.json"),
    }
    pages = {name: (text.rstrip() + "\n").encode() for name, text in texts.items()}
    notebooks = {
        f"notebooks/{name}": content
        for path in sorted((docs / "notebooks").glob("*.ipynb"))
        for name, content in notebook_files(path).items()
    }
    graphs = {f"graphs/{name}": content for name, content in graph_files().items()}
    return {**pages, **notebooks, **graphs}
