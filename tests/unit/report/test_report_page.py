"""The page is one file that needs nothing else, says only what is known, and takes names as text."""

from __future__ import annotations

import base64
import hashlib
import re
from html.parser import HTMLParser

import attrs
import pytest

from fxkit.report.contents import Contents
from fxkit.report.report import render_report, write_report
from fxkit.scores import Comparison, Interval

HOSTILE = "<script>alert(1)</script>\"'><img src=x onerror=alert(1)> & {{ 7 * 7 }}"
VOID = {"meta", "link", "input", "img", "br", "hr"}


class Checker(HTMLParser):
    """Gather tags, and see that each is closed where it should be."""

    def __init__(self):
        super().__init__()
        self.open, self.tags, self.text = [], [], []

    def handle_starttag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attributes):
        self.tags.append((tag, dict(attributes)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag

    def handle_data(self, data):
        self.text.append(data)


def parsed(html):
    checker = Checker()
    checker.feed(html)
    checker.close()
    assert checker.open == []
    return checker


def test_the_same_contents_give_the_same_bytes(contents, tmp_path):
    for name in ("a.html", "b.html"):
        write_report(tmp_path / name, contents())
    assert (tmp_path / "a.html").read_bytes() == (tmp_path / "b.html").read_bytes()
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a.html", "b.html"]


def test_an_old_page_stays_whole_when_a_new_one_cannot_be_made(contents, tmp_path, monkeypatch):
    path = tmp_path / "report.html"
    path.write_text("before", encoding="utf-8")
    broken = attrs.evolve(contents().runs[0], resolved={"run": None})
    with pytest.raises(AttributeError):
        write_report(path, Contents(runs=(broken,)))
    assert path.read_text(encoding="utf-8") == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_nothing_is_loaded_from_elsewhere(contents):
    html = render_report(contents())
    for tag, attributes in parsed(html).tags:
        for name in ("src", "href", "srcset", "action", "data", "poster"):
            if name in attributes and (tag, name) != ("a", "href"):
                assert attributes[name].startswith("data:"), (tag, attributes[name][:80])
        if tag == "a":
            assert attributes["href"].startswith("#")
    assert not re.search(r"@import|url\(\s*['\"]?(?!#)", html)


def test_no_script_but_its_own_may_run(contents):
    html = render_report(contents())
    (script,) = re.findall(r"<script>(.*?)</script>", html, flags=re.DOTALL)
    policy = next(
        a["content"] for tag, a in parsed(html).tags if a.get("http-equiv") == "Content-Security-Policy"
    )
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    assert f"script-src 'sha256-{digest}';" in policy
    assert "default-src 'none'" in policy


def test_links_inside_the_page_lead_somewhere(contents):
    checker = parsed(render_report(contents()))
    places = {attributes["id"] for _, attributes in checker.tags if "id" in attributes}
    links = {attributes["href"][1:] for tag, attributes in checker.tags if tag == "a"}
    assert links
    assert links <= places


def test_hostile_names_are_text_everywhere(run, example):
    one = run(
        path=f"runs/{HOSTILE.replace('/', '')}",
        examples=(example(name=HOSTILE),),
        baselines={HOSTILE: {"esr": 1.0, "error": 1.0}},
        records=(
            {"kind": HOSTILE, "step": 1, HOSTILE: 1.0},
            {"kind": HOSTILE, "step": 2, HOSTILE: 2.0},
            {"kind": "val", "step": 1, HOSTILE: 1.0},
            {"kind": "callback-errors", "step": 2, HOSTILE: {HOSTILE: 1}},
        ),
    )
    hostile = {"run": {"name": HOSTILE}}
    one = attrs.evolve(one, resolved=hostile, resolved_text=HOSTILE, lock_text=HOSTILE, unmeasured=HOSTILE)
    two = attrs.evolve(one, scores=attrs.evolve(one.scores, run="other"))
    difference = Comparison(
        runs=(one.scores, two.scores), differences={"other": {"esr": Interval(1, 0, 2)}}, notes=(HOSTILE,)
    )
    for made in (Contents(runs=(one,)), Contents(runs=(one, two), comparison=difference)):
        checker = parsed(render_report(made))
        assert [tag for tag, _ in checker.tags].count("script") == 1
        assert not [tag for tag, attributes in checker.tags if tag == "img" and attributes["src"] == "x"]
        assert not [name for _, attributes in checker.tags for name in attributes if name.startswith("on")]
        assert HOSTILE in "".join(checker.text)


def test_sections_without_material_are_left_out(contents):
    html = render_report(contents(bare=True, examples=()))
    found = {attributes["id"] for tag, attributes in parsed(html).tags if tag == "section"}
    assert found == {"figures"}
    everything = {a["id"] for tag, a in parsed(render_report(contents())).tags if tag == "section"}
    assert everything == {"listen", "figures", "recordings", "training", "again"}


def test_header_tells_when_how_long_and_with_what(contents):
    text = " ".join("".join(parsed(render_report(contents())).text).split())
    for fact in (
        "2024-02-03 04:05",
        "300 steps, 65 s",
        "of step 200",
        "fxkit 0.1.0, torch 2.11.0",
        "cpu, x86_64",
    ):
        assert fact in text
    assert re.search(r"1 train, 1 test \(SHA-256 [0-9a-f]{12}\)", text)


def test_every_signal_has_a_player_with_a_name(contents):
    tags = parsed(render_report(contents())).tags
    players = [attributes for tag, attributes in tags if tag == "audio"]
    assert [one["title"].split()[0] for one in players] == ["input", "target", "prediction", "residual"]
    assert all(one["src"].startswith("data:audio/flac;base64,") for one in players)
    assert all(a.get("alt") for tag, a in tags if tag == "img")
    assert all(a.get("aria-label") or a.get("aria-hidden") for tag, a in tags if tag == "svg")


def test_recordings_carry_the_values_they_are_sorted_by(contents, example):
    many = (example(name="take 1"), example(name="take 2"))
    tags = parsed(render_report(contents(examples=many))).tags
    values = [
        attributes["data-value"] for tag, attributes in tags if tag == "td" and "data-value" in attributes
    ]
    assert values == ["0.02", "0.01"] * 2


def test_the_command_names_the_resolved_experiment(run):
    one = run(path="runs/my pedal")
    text = "".join(parsed(render_report(Contents(runs=(one,)))).text)
    assert "fxkit run 'runs/my pedal/resolved.toml'" in text


def test_a_response_that_could_not_be_measured_says_why(run, card):
    one = attrs.evolve(run(), card=card(), unmeasured="it plays by itself")
    text = " ".join("".join(parsed(render_report(Contents(runs=(one,)))).text).split())
    assert "Response not measured: it plays by itself" in text
    assert "Harmonics" not in text
