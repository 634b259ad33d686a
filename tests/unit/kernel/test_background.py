"""Work beside the run: in order, in another process, with its errors where they belong."""

from __future__ import annotations

import os
import signal
import time

import pytest

from fxkit.background import Background
from fxkit.errors import RunError


@pytest.fixture
def background():
    made = Background()
    yield made
    made.close()


def appended(path):
    return path.read_text().split() if path.exists() else []


HERE = "background_work"


@pytest.fixture(autouse=True)
def work(tmp_path, monkeypatch):
    """Put the functions where the helper can import them."""
    lines = [
        "import os, time",
        "def append(path, text, wait=0.0):",
        "    time.sleep(wait)",
        "    with open(path, 'a') as stream: stream.write(f'{text}\\n')",
        "    print('printed')",
        "def pid(path): append(path, os.getpid())",
        "def fail(text): raise ValueError(text)",
        "def modules(path):",
        "    import sys",
        "    append(path, 'torch' in sys.modules)",
    ]
    (tmp_path / "code").mkdir()
    (tmp_path / "code" / f"{HERE}.py").write_text("\n".join(lines))
    monkeypatch.syspath_prepend(tmp_path / "code")
    return tmp_path / "out.txt"


def test_calls_are_made_in_order_elsewhere_and_are_done_when_settled(background, work):
    for number in range(20):
        background.call(background, f"{HERE}:append", work, number)
    background.call(background, f"{HERE}:pid", work)
    background.settle(background)
    *numbers, process = appended(work)
    assert numbers == [str(number) for number in range(20)]
    assert int(process) != os.getpid()


def test_a_call_is_not_waited_for(background, work):
    background.call(background, f"{HERE}:append", work, "first")
    background.settle(background)
    began = time.perf_counter()
    background.call(background, f"{HERE}:append", work, "late", 1.0)
    assert time.perf_counter() - began < 0.5
    assert appended(work) == ["first"]
    background.settle(background)
    assert appended(work) == ["first", "late"]


def test_an_error_is_raised_to_its_owner_alone_and_once(background, work):
    mine, other = object(), object()
    background.call(mine, f"{HERE}:fail", "no ink")
    background.call(other, f"{HERE}:append", work, "drawn")
    background.settle(other)
    with pytest.raises(RunError, match="ValueError: no ink"):
        background.call(mine, f"{HERE}:append", work, "never")
    background.settle(mine)
    assert appended(work) == ["drawn"]


def test_closing_finishes_what_was_handed_over(background, work):
    background.call(background, f"{HERE}:append", work, "last", 0.3)
    background.close()
    assert appended(work) == ["last"]
    background.close()


def test_a_helper_that_was_killed_is_an_error_and_no_hang(background, work):
    background.call(background, f"{HERE}:append", work, "never", 60.0)
    os.kill(background._helper.pid, signal.SIGKILL)
    with pytest.raises(RunError, match="has ended"):
        background.settle(background)


def test_closing_behind_a_helper_that_was_killed_is_no_further_error(background, work):
    background.call(background, f"{HERE}:append", work, "first")
    background.settle(background)
    background._helper.kill()
    background._helper.wait()
    with pytest.raises(RunError, match="has ended"):
        background.call(background, f"{HERE}:append", work, "never")
    with pytest.raises(RunError, match="has ended"):
        background.call(background, f"{HERE}:append", work, "nor this")
    folder = background._folder.name
    background.close()
    assert not os.path.exists(folder)
    assert appended(work) == ["first"]


def test_the_helper_loads_no_torch_by_itself(background, work):
    background.call(background, f"{HERE}:modules", work)
    background.settle(background)
    assert appended(work) == ["False"]


def test_nothing_starts_without_work(background):
    background.settle(background)
    assert background._helper is None
