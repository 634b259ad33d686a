"""Do work beside the training, such as drawing: in a process of its own, so that nothing waits for it."""

from __future__ import annotations

import contextlib
import importlib
import json
import os
import pickle
import queue
import subprocess
import sys
import tempfile
import threading
from collections import defaultdict
from pathlib import Path
from typing import IO, Any

from fxkit.errors import RunError

_MOST_WAITING = 64
_PATIENCE = 120.0


class Background:
    """Hand calls to a helper process, which makes them one after another, in their order.

    The helper starts with the first call, at low priority, and ends with `close` or with this process. What
    a call raises is raised again to its owner, by that one's next `call` or `settle`.
    """

    def __init__(self) -> None:
        self._helper: subprocess.Popen[bytes] | None = None
        self._folder: tempfile.TemporaryDirectory[str] | None = None
        self._answers: queue.Queue[bytes | None] = queue.Queue()
        self._owners: list[int] = []
        self._answered = 0
        self._errors: defaultdict[int, list[str]] = defaultdict(list)

    def call(self, owner: object, function: str, *arguments: Any) -> None:
        """Let the helper call "module:function" with arguments that can be pickled.

        Raises `RunError` for what an earlier call of the owner raised, and when the helper has ended.
        """
        while len(self._owners) - self._answered > _MOST_WAITING:
            self._take(self._answers.get())
        self._take_all()
        self._raise(owner)
        helper, folder = self._started()
        path = Path(folder) / f"{len(self._owners)}.pickle"
        with path.open("wb") as stream:
            # By this protocol, arrays go to the file without a copy in between.
            pickle.dump((function, arguments), stream, protocol=5)
        try:
            _stream(helper.stdin).write(f"{path}\n".encode())
            _stream(helper.stdin).flush()
        except OSError as error:
            raise RunError(f"the process that works beside the run has ended ({helper.poll()})") from error
        self._owners.append(id(owner))

    def settle(self, owner: object) -> None:
        """Wait until all calls have been made; raises `RunError` for what those of the owner raised."""
        while self._answered < len(self._owners):
            self._take(self._answers.get())
        self._raise(owner)

    def close(self) -> None:
        """Let the helper finish what it was given, and end it."""
        if self._helper is not None:
            # What could not be handed to a helper that has ended stays in the stream, and fails once more.
            with contextlib.suppress(OSError):
                _stream(self._helper.stdin).close()
            try:
                self._helper.wait(_PATIENCE)
            except subprocess.TimeoutExpired:
                self._helper.kill()
                self._helper.wait()
        if self._folder is not None:
            self._folder.cleanup()
        self._helper, self._folder = None, None

    def _started(self) -> tuple[subprocess.Popen[bytes], str]:
        if self._helper is None or self._folder is None:
            self._folder = tempfile.TemporaryDirectory(prefix="fxkit-")
            paths = os.pathsep.join(path for path in sys.path if path)
            self._helper = subprocess.Popen(
                [sys.executable, "-c", "from fxkit.background import serve; serve()"],
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                env={**os.environ, "PYTHONPATH": paths, "OMP_NUM_THREADS": "1"},
                # An interrupt from the keyboard is the run's: what it has handed over is still done.
                start_new_session=True,
            )
            listen = threading.Thread(target=_listen, args=(self._helper, self._answers), daemon=True)
            listen.start()
        return self._helper, self._folder.name

    def _take_all(self) -> None:
        with contextlib.suppress(queue.Empty):
            while True:
                self._take(self._answers.get_nowait())

    def _take(self, answer: bytes | None) -> None:
        if answer is None:
            # Nobody will answer the rest.
            self._answered = len(self._owners)
            raise RunError("the process that works beside the run has ended")
        error = json.loads(answer)
        if error is not None:
            self._errors[self._owners[self._answered]].append(error)
        self._answered += 1

    def _raise(self, owner: object) -> None:
        errors = self._errors.pop(id(owner), [])
        if errors:
            raise RunError(errors[0])


def _stream(stream: IO[bytes] | None) -> IO[bytes]:
    assert stream is not None
    return stream


def _listen(helper: subprocess.Popen[bytes], answers: queue.Queue[bytes | None]) -> None:
    with _stream(helper.stdout) as stream:
        for line in stream:
            answers.put(line)
    answers.put(None)


def serve() -> None:
    """Be the helper: make the calls whose files stdin names, and answer each with its error or null."""
    if hasattr(os, "nice"):
        os.nice(10)
    answers = os.fdopen(os.dup(1), "w")
    # What a call prints is no answer.
    os.dup2(2, 1)
    for line in sys.stdin:
        error = _made(Path(line.rstrip("\n")))
        answers.write(json.dumps(error) + "\n")
        answers.flush()


def _made(path: Path) -> str | None:
    try:
        function, arguments = pickle.loads(path.read_bytes())
        path.unlink()
        module, _, name = function.partition(":")
        getattr(importlib.import_module(module), name)(*arguments)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    return None
