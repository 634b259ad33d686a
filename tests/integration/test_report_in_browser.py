"""The report that a run leaves, opened from disk in a real browser."""

from __future__ import annotations

import io
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

CHROMIUM = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
playwright = pytest.importorskip(
    "playwright.sync_api", reason="playwright is not installed: pip install -e .[test]"
)

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(CHROMIUM is None, reason="no Chromium on this machine: apt-get install chromium"),
]

SHORT = (
    "train.steps=20", "train.validate_every=10", "train.log_every=5", "data.train_seconds=4",
    "data.val_seconds=2", "data.test_seconds=3",
)  # fmt: skip
STATES = "[...document.querySelectorAll('audio')].map(a => [a.paused, a.currentTime])"


@pytest.fixture(scope="module")
def pages(tmp_path_factory):
    """Run the quickstart shortly; return its report, and that of comparing it with itself."""
    folder = tmp_path_factory.mktemp("browser")
    environment = {**os.environ, "FXKIT_CACHE": str(folder / "cache")}

    def fxkit(*arguments):
        command = [sys.executable, "-m", "fxkit", *arguments]
        done = subprocess.run(
            command, cwd=folder, env=environment, capture_output=True, text=True, timeout=300
        )
        assert done.returncode == 0, done.stderr

    fxkit("run", "quickstart", "--out", "first", *(part for one in SHORT for part in ("--set", one)))
    shutil.copytree(folder / "first", folder / "second")
    fxkit("eval", "first", "--against", "second", "--report", "compared.html")
    return {"run": folder / "first" / "report.html", "comparison": folder / "compared.html"}


@pytest.fixture(scope="module")
def browser():
    """A headless Chromium that may play without being asked."""
    with playwright.sync_playwright() as driver:
        arguments = [
            "--autoplay-policy=no-user-gesture-required",
            "--mute-audio",
            "--no-sandbox",
            "--disable-dev-shm-usage",
        ]
        chromium = driver.chromium.launch(executable_path=CHROMIUM, args=arguments)
        yield chromium
        chromium.close()


class Visit:
    """Open a page and note what the browser says and asks for."""

    def __init__(self, browser, path: Path, **options) -> None:
        self.context = browser.new_context(**{"viewport": {"width": 1200, "height": 900}, **options})
        self.page = self.context.new_page()
        self.messages, self.requests = [], []
        self.page.on("console", lambda message: self.messages.append(message.text))
        self.page.on("pageerror", lambda error: self.messages.append(str(error)))
        self.page.on("request", lambda request: self.requests.append(request.url))
        self.page.goto(path.as_uri())

    def pixels(self, selector: str) -> np.ndarray:
        """Take a picture of the first element that matches."""
        shot = self.page.locator(selector).first.screenshot()
        return np.asarray(Image.open(io.BytesIO(shot)).convert("RGB")).astype(int)

    def wait(self, condition: str) -> None:
        # The page's policy forbids what the driver itself would wait with.
        until = time.monotonic() + 20
        while not self.page.evaluate(condition):
            assert time.monotonic() < until, condition
            self.page.wait_for_timeout(20)


@pytest.fixture
def visit(browser, pages):
    """Open a report by its name."""
    opened = []

    def make(name="run", **options):
        opened.append(Visit(browser, pages[name], **options))
        return opened[-1]

    yield make
    for one in opened:
        one.context.close()


@pytest.mark.parametrize("name", ["run", "comparison"])
def test_it_opens_without_errors_and_asks_for_nothing(visit, pages, name):
    seen = visit(name)
    seen.wait("document.readyState === 'complete'")
    assert seen.messages == []
    assert [url for url in seen.requests if not url.startswith("data:")] == [pages[name].as_uri()]
    assert pages[name].stat().st_size < 8_000_000


@pytest.mark.parametrize(("name", "signals"), [("run", 4), ("comparison", 6)])
def test_every_signal_is_ready_and_as_long_as_it_says(visit, name, signals):
    seen = visit(name)
    seen.wait("[...document.querySelectorAll('audio')].every(a => a.readyState >= 3)")
    found = seen.page.evaluate(
        "[...document.querySelectorAll('audio')].map(a => [a.duration, Number(a.dataset.seconds)])"
    )
    assert len(found) == signals
    for duration, said in found:
        assert duration == pytest.approx(said, abs=0.001)
        assert said == pytest.approx(3.0, abs=0.01)


def test_every_signal_plays(visit):
    seen = visit()
    for number in range(4):
        audio = f"document.querySelectorAll('audio')[{number}]"
        seen.page.evaluate(f"{audio}.play()")
        seen.wait(f"{audio}.currentTime > 0.2")
        seen.page.evaluate(f"{audio}.pause()")


def test_another_signal_goes_on_where_the_one_before_was(visit):
    seen = visit()
    seen.page.click(".play")
    seen.wait("document.querySelectorAll('audio')[1].currentTime > 0.5")
    before = seen.page.evaluate(STATES)[1][1]
    seen.page.keyboard.press("3")
    seen.wait("document.querySelectorAll('audio')[1].paused && !document.querySelectorAll('audio')[2].paused")
    states = seen.page.evaluate(STATES)
    assert [paused for paused, _ in states] == [True, True, False, True]
    assert abs(states[2][1] - states[1][1]) < 0.3
    assert states[2][1] >= before
    assert seen.page.locator(".lane.heard").get_attribute("class") == "lane heard"
    assert seen.page.locator(".lane input").nth(2).is_checked()


def test_choosing_while_it_stands_keeps_the_position_to_the_sample(visit):
    seen = visit()
    seen.wait("[...document.querySelectorAll('audio')].every(a => a.readyState >= 3)")
    seen.page.evaluate("players[0].moveTo(1.25)")
    for key, number in (("1", 0), ("4", 3), ("2", 1)):
        seen.page.keyboard.press(key)
        assert seen.page.evaluate(STATES)[number] == [True, 1.25]
    assert seen.page.locator(".time").first.inner_text() == "1.3 / 3.0 s"


def test_keys_and_waveforms_play_pause_and_move(visit):
    seen = visit()
    heard = "document.querySelectorAll('audio')[1]"
    seen.page.keyboard.press("ArrowRight")
    seen.wait(f"{heard}.currentTime === 1")
    seen.page.keyboard.press("ArrowLeft")
    seen.wait(f"{heard}.currentTime === 0")
    seen.page.keyboard.press(" ")
    seen.wait(f"!{heard}.paused && {heard}.currentTime > 0.05")
    seen.page.keyboard.press(" ")
    seen.wait(f"{heard}.paused")
    seen.page.locator(".wave").nth(3).click()
    paused, position = seen.page.evaluate(STATES)[3]
    assert paused
    assert position == pytest.approx(1.5, abs=0.02)


def test_it_repeats_until_told_not_to(visit):
    seen = visit()
    heard = "document.querySelectorAll('audio')[1]"
    seen.page.evaluate("players[0].moveTo(2.8)")
    seen.page.click(".play")
    seen.wait(f"!{heard}.paused && {heard}.currentTime < 1 && {heard}.currentTime > 0")
    seen.page.keyboard.press("l")
    seen.page.evaluate("players[0].moveTo(2.8)")
    seen.wait(f"{heard}.ended")
    assert seen.page.locator(".play").first.get_attribute("aria-label") == "Play"


@pytest.mark.parametrize("selector", [".chart", ".picture", ".wave svg", ".spectrogram img"])
def test_pictures_are_there_to_be_seen(visit, selector):
    seen = visit()
    places = seen.page.locator(selector)
    # What stands in a closed <details> has no place yet.
    shown = [places.nth(n) for n in range(places.count()) if places.nth(n).is_visible()]
    boxes = [one.bounding_box() for one in shown]
    assert boxes
    assert all(box["width"] > 100 and box["height"] > 30 for box in boxes)
    assert len(np.unique(seen.pixels(selector).reshape(-1, 3), axis=0)) > 5


def test_all_charts_are_drawn(visit):
    seen = visit()
    seen.page.evaluate("document.querySelectorAll('details').forEach(one => { one.open = true; })")
    titles = seen.page.locator(".charts figcaption").all_inner_texts()
    for wanted in ("Around the peak", "Frequency response", "total loss", "pre.frequency"):
        assert wanted in titles
    lengths = seen.page.evaluate(
        "[...document.querySelectorAll('.chart')].map(c => Math.max(...[...c.querySelectorAll("
        "'path:not(.grid):not(.mark)')].map(p => p.getTotalLength())))"
    )
    assert len(lengths) == len(titles)
    assert min(lengths) > 20


def test_it_is_dark_where_the_reader_wants_it_dark(visit):
    for scheme, dark in (("light", False), ("dark", True)):
        seen = visit(color_scheme=scheme)
        ground = seen.pixels("body")[5, 5].mean()
        assert (ground < 60) if dark else (ground > 220)
        for selector in ("h1", ".chart text", ".picture text", ".hint"):
            colour = seen.page.evaluate(
                "s => { const one = document.querySelector(s), style = getComputedStyle(one);"
                " return one instanceof SVGElement ? style.fill : style.color; }",
                selector,
            )
            text = np.mean([int(part) for part in colour.strip("rgb()").split(",")])
            assert abs(text - ground) > 90, (scheme, selector, colour)


@pytest.mark.parametrize("name", ["run", "comparison"])
@pytest.mark.parametrize("width", [360, 768])
def test_it_fits_a_telephone(visit, name, width):
    seen = visit(name, viewport={"width": width, "height": 700})
    wide = seen.page.evaluate("[document.documentElement.scrollWidth, document.documentElement.clientWidth]")
    assert wide[0] <= wide[1]
    for selector in (".play", ".seek", ".lane label"):
        box = seen.page.locator(selector).first.bounding_box()
        assert box["x"] >= 0
        assert box["x"] + box["width"] <= width


def test_recordings_are_sorted_by_the_heading_chosen(browser, tmp_path, contents_of_takes):
    from fxkit.report.report import write_report

    path = tmp_path / "report.html"
    write_report(path, contents_of_takes)
    seen = Visit(browser, path)
    names = seen.page.locator("#recordings tbody th")
    assert names.all_inner_texts() == ["take 10", "take 9", "take 1"]
    by_name, by_esr = (seen.page.locator("#recordings thead button").nth(n) for n in (0, 1))
    by_name.click()
    assert names.all_inner_texts() == ["take 1", "take 9", "take 10"]
    by_esr.click()
    assert names.all_inner_texts() == ["take 9", "take 10", "take 1"]
    by_esr.click()
    assert names.all_inner_texts() == ["take 1", "take 10", "take 9"]
    assert seen.page.locator("#recordings thead th").nth(1).get_attribute("aria-sort") == "descending"
    seen.context.close()


@pytest.fixture
def contents_of_takes():
    """A report's contents with figures of three recordings and nothing else."""
    from fxkit.engine.evaluation import Evaluation
    from fxkit.report.contents import Contents, RunContents
    from fxkit.runs.folder import RunFolder
    from fxkit.scores import Interval, Scores

    figures = {"take 10": {"esr": 0.2}, "take 9": {"esr": 0.1}, "take 1": {"esr": 0.3}}
    scores = Scores(run="r", split="test", metrics={"esr": Interval(0.2)}, recordings=figures, baselines={})
    evaluation = Evaluation(split="test", step=1, sample_rate=8000, metrics={"esr": 0.2}, examples=())
    return Contents(runs=(RunContents(folder=RunFolder(Path("r")), scores=scores, evaluation=evaluation),))
