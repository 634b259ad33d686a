"""A process that checks plugins and reports each check as a line of JSON, so that none can stop the rest.

It reads {"jobs": [[kind, "dist/name", index of the first trial], ...]} from stdin. What plugins print goes
to stderr.
"""

from __future__ import annotations

import json
import os
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from typing import Any

Send = Callable[[Mapping[str, Any]], None]


def main() -> int:
    """Check the plugins that stdin names."""
    with os.fdopen(os.dup(1), "w", encoding="utf-8") as channel:
        os.dup2(2, 1)
        jobs = json.load(sys.stdin)["jobs"]

        def send(event: Mapping[str, Any]) -> None:
            channel.write(json.dumps(event) + "\n")
            channel.flush()

        for number, (kind, name, first) in enumerate(jobs):
            _check(number, kind, name, first, send)
    return 0


def _check(number: int, kind: str, name: str, first: int, send: Send) -> None:
    from fxkit.testing.check import summary
    from fxkit.testing.contract import trials_of

    send({"event": "plugin", "job": number})
    try:
        found = trials_of(kind, name)
    except Exception as error:
        send({"event": "unusable", "job": number, "text": _said(error)})
        return
    for index, trial in enumerate(found[first:], first):
        about = {"job": number, "index": index, "of": len(found), "check": trial.title, "label": trial.label}
        about["what"] = summary(trial.check)
        send({"event": "start", **about})
        began = time.monotonic()
        outcome, text = _outcome(trial)
        seconds = round(time.monotonic() - began, 3)
        send({"event": "end", **about, "outcome": outcome, "text": text, "seconds": seconds})


def _outcome(trial: Callable[[], str | None]) -> tuple[str, str]:
    try:
        note = trial()
    except AssertionError as error:
        return "failed", _said(error) if str(error) else f"raises {_where(error)}"
    except Exception as error:
        return "failed", f"raises {_where(error)}"
    return ("inapplicable", note) if note else ("passed", "")


def _said(error: Exception) -> str:
    return " ".join(str(error).split()) or type(error).__name__


def _where(error: Exception) -> str:
    frames = traceback.extract_tb(error.__traceback__)
    # The innermost frame that is neither the kit's nor torch's is the plugin's.
    own = [frame for frame in frames if not any(part in frame.filename for part in _FOREIGN)]
    place = (own or frames)[-1]
    return f"{type(error).__name__}: {_said(error)[:200]} ({os.path.basename(place.filename)}:{place.lineno})"


_FOREIGN = (os.path.join("fxkit", "testing"), os.sep + "torch" + os.sep, "<frozen", "<string>")


if __name__ == "__main__":
    sys.exit(main())
