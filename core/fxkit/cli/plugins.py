"""`fxkit plugins`: list what is installed, check that it loads, show one plugin, prove what it declares."""

from __future__ import annotations

import contextlib
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from fxkit.catalog import Catalog
from fxkit.cli.output import page_width, table, write_json
from fxkit.errors import PluginError
from fxkit.kinds import KINDS, Kind, kind_named
from fxkit_registry import Entry, LoadFailure

EPILOG = """Kinds: {kinds}.

\b
Examples:
  fxkit plugins
  fxkit plugins losses
  fxkit plugins --check --strict
  fxkit plugins show processor parametric-eq
  fxkit plugins show loss esr --json
  fxkit plugins check parametric-eq loss:esr
  fxkit plugins check some-dist --json
  fxkit plugins check --list
  fxkit plugins new processor soft-clip
  FXKIT_DISABLE=some-dist,loss:esr fxkit plugins
""".format(kinds=", ".join(kind.name for kind in KINDS))


@click.command("plugins", epilog=EPILOG)
@click.argument("words", nargs=-1, metavar="[KIND] | show KIND NAME | check [NAME]... | new KIND NAME")
@click.option("--check", is_flag=True, help="Import each plugin and say which cannot be used.")
@click.option("--strict", is_flag=True, help="Exit with 1 when a row is not ok.")
@click.option("--list", "list_them", is_flag=True, help="With check: list the checks of each kind instead.")
@click.option("-v", "--verbose", is_flag=True, help="With check: show every check of every plugin.")
@click.option(
    "--timeout", type=click.FloatRange(min=1), default=300, show_default=True, metavar="SECONDS",
    help="With check: the longest that one check may take.",
)  # fmt: skip
@click.option("--no-plugins", is_flag=True, help="Use fxkit's own plugins only.")
@click.option("--json", "as_json", is_flag=True, help="Write JSON.")
def command(
    words: tuple[str, ...],
    check: bool,
    strict: bool,
    list_them: bool,
    verbose: bool,
    timeout: float,
    no_plugins: bool,
    as_json: bool,
) -> None:
    """List the installed plugins, all or of one KIND; show one with its options; check what they declare; or
    begin a distribution of your own.

    A name that two distributions offer is written "distribution/name". Listing imports no plugin. `check`
    puts plugins through the contract tests: those named (NAME, DIST or KIND:NAME), or all. `new` writes the
    files of a distribution with one processor or loss, which installs and passes its tests as it is.
    """
    if words[:1] == ("new",):
        if len(words) != 3 or check or strict or list_them or verbose or as_json:
            raise click.UsageError(
                "new takes a kind and a name, nothing else: fxkit plugins new processor soft-clip"
            )
        _begin(words[1], words[2])
        return
    catalog = Catalog.installed(in_tree_only=no_plugins)
    if words[:1] == ("check",):
        if check or strict:
            raise click.UsageError("--check and --strict go with the list, not with check")
        _check(catalog, words[1:], list_them, verbose, timeout, as_json)
        return
    if list_them or verbose:
        raise click.UsageError("--list and --verbose go with check: fxkit plugins check --list")
    if words[:1] != ("show",):
        rows = listing(catalog, _kinds(words), check=check)
        _write_list(rows, check, as_json)
        _note_unused(catalog)
        if strict and any(row["status"] != "ok" for row in rows):
            raise click.exceptions.Exit(1)
        return
    if len(words) != 3:
        raise click.UsageError("show takes a kind and a name: fxkit plugins show processor parametric-eq")
    if check or strict:
        raise click.UsageError("--check and --strict go with the list, not with show")
    _show(catalog, words[1], words[2], as_json)


def _check(
    catalog: Catalog, words: Sequence[str], list_them: bool, verbose: bool, timeout: float, as_json: bool
) -> None:
    from fxkit.cli import plugin_checks

    if list_them:
        plugin_checks.list_checks(words, as_json)
    elif not plugin_checks.check_plugins(catalog, words, timeout=timeout, as_json=as_json, verbose=verbose):
        raise click.exceptions.Exit(1)


def _kinds(words: Sequence[str]) -> tuple[Kind, ...]:
    if not words:
        return KINDS
    kind = kind_named(words[0])
    if kind is None or len(words) > 1:
        raise click.UsageError(_unknown(words))
    return (kind,)


def _unknown(words: Sequence[str]) -> str:
    from fxkit_registry import closest

    if kind_named(words[0]):
        return f"to see one plugin: fxkit plugins show {' '.join(words)}"
    near = closest(words[0], ["show", "check", *(kind.name for kind in KINDS)])
    hint = " or ".join(f'"{name}"' for name in near) or ", ".join(kind.name for kind in KINDS)
    return f'no kind of plugin is called "{words[0]}"; {"did you mean" if near else "there are"} {hint}' + (
        "?" if near else ""
    )


def listing(catalog: Catalog, kinds: Sequence[Kind], *, check: bool) -> list[dict[str, Any]]:
    """Return one row per entry; entries of kinds that this fxkit does not know only join the full list."""
    names = {kind.name for kind in kinds}
    known = {kind.name for kind in KINDS}
    wanted = (
        entry
        for entry in catalog.entries
        if entry.kind in names or (len(kinds) > 1 and entry.kind not in known)
    )
    return [_row(catalog, entry, check) for entry in wanted]


def _row(catalog: Catalog, entry: Entry, check: bool) -> dict[str, Any]:
    row = identity(entry)
    if not check or entry.status not in ("ok", "ambiguous"):
        return row
    from fxkit.spec import describe

    try:
        with stdout_kept():
            summary = describe(catalog.spec(entry)).summary
    except PluginError as error:
        return {**row, "status": "broken", "reason": _cause(error), "summary": ""}
    return {**row, "summary": summary}


def identity(entry: Entry) -> dict[str, Any]:
    """Return what is known of a plugin without importing it, as JSON shows it."""
    return {
        "kind": entry.kind,
        "name": entry.name,
        "qualified": entry.qualified,
        "dist": entry.dist,
        "version": entry.version,
        "api": entry.api,
        "target": entry.target,
        "status": entry.status,
        "reason": entry.reason,
    }


@contextlib.contextmanager
def stdout_kept() -> Iterator[None]:
    """Send what a plugin prints while it is imported to stderr, so that stdout stays a list or JSON."""
    with contextlib.redirect_stdout(sys.stderr):
        yield


def _cause(error: PluginError) -> str:
    failure = error.__cause__
    return f"{failure.reason}. {failure.fix}" if isinstance(failure, LoadFailure) else str(error)


def _write_list(rows: Sequence[dict[str, Any]], check: bool, as_json: bool) -> None:
    if as_json:
        write_json({"plugins": rows})
        return
    headers = ("KIND", "NAME", "DIST", "STATUS", "SUMMARY" if check else "TARGET")
    click.echo(table(headers, [_cells(row, check) for row in rows], page_width()))


def _cells(row: dict[str, Any], check: bool) -> tuple[str, ...]:
    kind = kind_named(row["kind"])
    broken = row["status"] == "broken"
    last = (row["reason"] if broken else row.get("summary") or row["target"]) if check else row["target"]
    return (
        kind.singular if kind else row["kind"],
        row["name"],
        f"{row['dist']} {row['version']}".rstrip(),
        "broken" if broken else _status(row),
        last,
    )


def _status(row: dict[str, Any]) -> str:
    if row["status"] in ("api", "missing"):
        return str(row["reason"])
    return f"{row['status']} ({row['reason']})" if row["reason"] else str(row["status"])


def _note_unused(catalog: Catalog) -> None:
    for rule in catalog.registry.unused:
        click.echo(f'note: {rule.source} names "{rule.pattern}", which matches nothing installed', err=True)


def _begin(kind: str, name: str) -> None:
    from fxkit.scaffold.distribution import scaffold

    folder = scaffold(kind, name, Path())
    click.echo(f"wrote {folder}")
    click.echo(f"next: pip install -e {folder} && pytest {folder}", err=True)


def _show(catalog: Catalog, kind: str, name: str, as_json: bool) -> None:
    from fxkit.cli import description

    entry = catalog.find(kind, name)
    with stdout_kept():
        told = description.of_plugin(catalog.spec(entry), entry)
    if as_json:
        write_json({"plugin": {**identity(entry), **told}})
        return
    click.echo(description.as_text(entry, told, page_width()))
