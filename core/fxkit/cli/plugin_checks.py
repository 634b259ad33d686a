"""`fxkit plugins check`: put installed plugins through the contract kit, in processes of their own."""

from __future__ import annotations

import json
import os
import queue
import signal
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import attrs
import click

from fxkit.catalog import Catalog
from fxkit.cli.output import page_width, table, write_json
from fxkit.errors import PluginError
from fxkit.kinds import KINDS, kind_named
from fxkit_registry import Entry, closest
from fxkit_registry.entry import canonical

USABLE = ("ok", "ambiguous")
# Importing torch and a plugin takes its time on a busy machine.
STARTUP = 120.0
WORDS = {"passed": "ok", "failed": "FAILED", "inapplicable": "-"}


@attrs.define
class Found:
    """Hold what came of one check of a plugin over all its examples."""

    check: str
    what: str = ""
    outcome: str = "inapplicable"
    text: str = ""
    trials: int = 0
    seconds: float = 0.0

    def add(self, event: Mapping[str, Any]) -> None:
        """Take one trial in: a failure outweighs a pass, and that what does not apply."""
        self.trials += 1
        self.seconds = round(self.seconds + event.get("seconds", 0.0), 3)
        label = f"[{event['label']}] " if event["label"] else ""
        rank = ("inapplicable", "passed", "failed")
        if rank.index(event["outcome"]) > rank.index(self.outcome) or self.trials == 1:
            self.outcome = event["outcome"]
            self.text = f"{label}{event['text']}" if self.outcome == "failed" else event["text"]


@attrs.define
class Result:
    """Hold what came of one plugin; `broken` says why it could not be checked at all."""

    entry: Entry
    broken: str = ""
    checks: dict[str, Found] = attrs.field(factory=dict)

    @property
    def failed(self) -> list[Found]:
        """Return the checks that failed."""
        return [found for found in self.checks.values() if found.outcome == "failed"]

    @property
    def status(self) -> str:
        """Return "passed", "failed" or "broken"."""
        return "broken" if self.broken else "failed" if self.failed else "passed"


def check_plugins(
    catalog: Catalog, words: Sequence[str], *, timeout: float, as_json: bool, verbose: bool
) -> bool:
    """Check the plugins that `words` name, or all; write the result, and return whether all passed."""
    entries = named(catalog, words)
    results = [Result(entry, broken="" if entry.status in USABLE else entry.status_text) for entry in entries]
    _run([result for result in results if not result.broken], timeout)
    passed = all(result.status == "passed" for result in results)
    if as_json:
        write_json({"passed": passed, "plugins": [_as_json(result) for result in results]})
    else:
        _write(results, verbose or len(results) == 1)
    return passed


def named(catalog: Catalog, words: Sequence[str]) -> list[Entry]:
    """Return the plugins that words name: "name", "dist/name", "kind:name" or a distribution; all without.

    Raises `PluginError` for a word that names nothing.
    """
    there = [entry for entry in catalog.entries if entry.status != "disabled" and kind_named(entry.kind)]
    if not words:
        return there
    found = [entry for word in words for entry in _matching(word, there)]
    return list(dict.fromkeys(found))


def _matching(word: str, entries: Sequence[Entry]) -> list[Entry]:
    kind, colon, name = word.rpartition(":")
    known = kind_named(kind) if colon else None
    if colon and known is None:
        near = closest(kind, [one for k in KINDS for one in (k.singular, k.name)])
        raise PluginError(f'no kind of plugin is called "{kind}"{_hint(near)}')
    wanted = [entry for entry in entries if known is None or entry.kind == known.name]
    dist, slash, bare = name.rpartition("/")
    found = [
        entry
        for entry in wanted
        if (entry.name == bare and (not slash or canonical(entry.dist) == canonical(dist)))
        or (not colon and canonical(entry.dist) == canonical(word))
    ]
    if not found:
        names = {one for entry in wanted for one in (entry.name, entry.qualified, entry.dist)}
        raise PluginError(
            f'no installed plugin or distribution is called "{word}"{_hint(closest(name, names))}'
        )
    return found


def _hint(near: Sequence[str]) -> str:
    spelled = " or ".join(f'"{name}"' for name in near)
    return f"; did you mean {spelled}?" if near else "; `fxkit plugins` lists what there is"


def _run(results: Sequence[Result], timeout: float) -> None:
    """Check in one process after another: a plugin that ends or stalls one goes on in the next."""
    left = [(result, 0) for result in results]
    while left:
        with _Worker([(result.entry, first) for result, first in left]) as worker:
            done, following = _watched(worker, left, timeout)
        progress(None)
        left = [*following, *left[done:]]


def _watched(
    worker: _Worker, jobs: Sequence[tuple[Result, int]], timeout: float
) -> tuple[int, list[tuple[Result, int]]]:
    """Take in what a worker says; return how many jobs are done, and where to go on in the one cut short."""
    current: Mapping[str, Any] = {}
    number = -1
    for event in worker.events(timeout):
        number = event.get("job", number)
        if event["event"] == "silent":
            break
        result = jobs[number][0]
        if event["event"] == "unusable":
            result.broken = event["text"]
        if event["event"] == "end":
            result.checks.setdefault(event["check"], Found(event["check"], event["what"])).add(event)
        current = event if event["event"] == "start" else {}
        progress(f"{number + 1}/{len(jobs)} {result.entry.qualified} {event.get('check', '')}")
    else:
        if worker.ended_well:
            return len(jobs), []
    result = jobs[max(number, 0)][0]
    if not current:
        result.broken = result.broken or worker.cause(timeout)
        return max(number, 0) + 1, []
    end = {**current, "outcome": "failed", "text": worker.cause(timeout)}
    result.checks.setdefault(end["check"], Found(end["check"], end["what"])).add(end)
    return number + 1, [(result, end["index"] + 1)] if end["index"] + 1 < end["of"] else []


class _Worker:
    """Run `fxkit.testing.worker` and read what it says."""

    def __init__(self, jobs: Sequence[tuple[Entry, int]]) -> None:
        # Many small blocks, for which threads cost more than they give.
        environment = {"OMP_NUM_THREADS": "1", **os.environ}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fxkit.testing.worker"],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, encoding="utf-8", env=environment,
        )  # fmt: skip
        self.jobs = [[entry.kind, entry.qualified, first] for entry, first in jobs]
        self.lines: queue.Queue[str | None] = queue.Queue()

    def __enter__(self) -> _Worker:
        assert self.process.stdin is not None
        threading.Thread(target=self._read, daemon=True).start()
        self.process.stdin.write(json.dumps({"jobs": self.jobs}))
        self.process.stdin.close()
        return self

    def __exit__(self, *error: object) -> None:
        if self.process.poll() is None:
            self.process.kill()
        self.process.wait()

    def _read(self) -> None:
        for line in self.process.stdout or ():
            self.lines.put(line)
        self.lines.put(None)

    def events(self, timeout: float) -> Iterator[Mapping[str, Any]]:
        """Yield what it says until it ends; {"event": "silent"} after `timeout` seconds without a word."""
        patience = max(timeout, STARTUP)
        while True:
            try:
                line = self.lines.get(timeout=patience)
            except queue.Empty:
                yield {"event": "silent"}
                return
            if line is None:
                return
            event = json.loads(line)
            patience = timeout if event["event"] == "start" else max(timeout, STARTUP)
            yield event

    @property
    def ended_well(self) -> bool:
        """Tell whether it ended by itself, once it has said its last."""
        return self.process.wait() == 0

    def cause(self, timeout: float) -> str:
        """Say how it ended."""
        code = self.process.poll()
        if code is None:
            return f"takes longer than {timeout:g} s"
        return (
            f"ends the process by {signal.Signals(-code).name}"
            if code < 0
            else f"ends the process with {code}"
        )


def progress(text: str | None) -> None:
    """Show on a terminal's stderr what is going on; None wipes it away."""
    if sys.stderr.isatty():
        click.echo(f"\r\x1b[K{(text or '')[: (page_width() or 80) - 1]}", err=True, nl=False)


def _as_json(result: Result) -> dict[str, Any]:
    entry = result.entry
    return {
        "kind": entry.kind,
        "name": entry.name,
        "qualified": entry.qualified,
        "dist": entry.dist,
        "version": entry.version,
        "status": result.status,
        "reason": result.broken,
        "checks": [attrs.asdict(found) for found in result.checks.values()],
    }


def _write(results: Sequence[Result], full: bool) -> None:
    for result in results if full else ():
        rows = [
            (found.check, WORDS[found.outcome], found.text or found.what) for found in result.checks.values()
        ]
        click.echo(f"{_title(result.entry)}{f': {result.broken}' if result.broken else ''}")
        if rows:
            click.echo(
                table(("CHECK", "RESULT", "WHAT IS PROMISED, OR WAS FOUND"), rows, page_width()) + "\n"
            )
    if not full:
        lines = [row for result in results for row in _rows(result)]
        click.echo(table(("KIND", "NAME", "DIST", "RESULT", "WHAT WAS FOUND"), lines, page_width()) + "\n")
    click.echo(_summary(results))


def _title(entry: Entry) -> str:
    kind = kind_named(entry.kind)
    return f"{entry.name}, {kind.singular if kind else entry.kind} of {entry.origin}"


def _rows(result: Result) -> Iterator[Sequence[str]]:
    kind, entry = kind_named(result.entry.kind), result.entry
    head = (kind.singular if kind else entry.kind, entry.name, entry.origin)
    if result.status != "failed":
        said = result.broken or f"{_count(len(result.checks), 'check')}"
        yield (*head, "ok" if result.status == "passed" else result.status, said)
    for found in result.failed:
        yield (*head, "FAILED", f"{found.check}: {found.text}")
        head = ("", "", "")


def _summary(results: Sequence[Result]) -> str:
    by_status = {word: sum(r.status == word for r in results) for word in ("passed", "failed", "broken")}
    told = ", ".join(f"{number} {word}" for word, number in by_status.items() if number)
    return f"{_count(len(results), 'plugin')}: {told}"


def _count(number: int, what: str) -> str:
    return f"{number} {what}" if number == 1 else f"{number} {what}s"


def list_checks(words: Sequence[str], as_json: bool) -> None:
    """Write the checks of each kind, or of the kinds that `words` name, as their code describes them."""
    from fxkit.testing.check import summary, title
    from fxkit.testing.suite import checks_of

    unknown = [word for word in words if kind_named(word) is None]
    if unknown:
        near = closest(unknown[0], [kind.name for kind in KINDS])
        raise PluginError(f'no kind of plugin is called "{unknown[0]}"{_hint(near)}')
    kinds = [kind for kind in KINDS if not words or kind in map(kind_named, words)]
    told: dict[str, list[tuple[str, str]]] = {
        kind.name: [(title(check), summary(check)) for check in checks_of(kind.name)] for kind in kinds
    }
    if as_json:
        write_json({"checks": {k: [{"check": c, "what": s} for c, s in rows] for k, rows in told.items()}})
        return
    for kind, rows in told.items():
        click.echo(table((kind.upper(), "WHAT IS CHECKED"), rows, page_width()) + "\n")
