"""A filled file says everything and asks for the same; what stood in it stands there still."""

from __future__ import annotations

import pathlib
import re
import shutil
from typing import Any

import pytest
import tomli
from hypothesis import HealthCheck, assume, given, settings
from hypothesis import strategies as st

from fxkit.catalog import Catalog
from fxkit.config.difference import differences
from fxkit.config.entries import entries
from fxkit.config.fill import fill
from fxkit.config.flatten import flatten
from fxkit.config.remarks import Comments
from fxkit.config.subject import Subject, read_subject
from fxkit.errors import ExperimentError
from fxkit.experiment.resolved import config_digest
from fxkit.experiment.shipped import shipped_experiments, shipped_folder

COMMENTS: tuple[Comments, ...] = ("trailing", "above", "none")
CATALOG = Catalog.installed(in_tree_only=True)
SETTINGS = settings(
    max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
# Every way to write a table that TOML has, with comments in all places.
VARIED = """\
# What this is.
fxkit = 1
run.name = "varied"   # by a dotted key

[data]
type = "virtual-device" # made up
"gains" = [
  0.25,  # one
  0.75,
]
segment = 4_096

# The networks.
[nodes.amp]   # the amplifier
type = "wavenet"
# head_scale = 0.5
[[nodes.amp.arrays]]
channels = 3
dilations = [1, 2]
[[nodes.amp.arrays]]
channels = 2
dilations = [
  1,
]
head_bias = true

[nodes.eq]
type = "parametric-eq"
controller = {type="static",lr=2}
parameters.q = { start = 0.8 }
parameters.gain_db.fixed = 3.0

[nodes.pair]
type = "series"
processors = [{ type = "gain" }, { type = "tanh" }]
controller.type = "static"

[nodes.clean]
type = "gain"
[nodes.clean.controller]
type = "static"

[model]
chain = ["eq", ["amp", ["pair"]], "clean"]

[losses]
esr = { type = "esr" }
mix = { type = "weighted-sum", terms = [{ type = "l1" }, { type = "filtered", inner = { type = "l2" } }] }

[train.optimizer]
type = 'adam'

[[phase]]
name = "first"
steps = 5
losses = { esr = { type = "linear", start = 0.0, final = 1.0 }, mix = 2 }
[[phase]]
steps = 5
[[phase.alternate]]
train = ["amp"]
[[phase.alternate]]
train = ["eq"] # and then this
losses.esr = 1.0

[callbacks]
listen = { type = "audio-samples" }
save = {type="checkpoint", every = 5}
"""
FILES = {"varied": VARIED, **{name: path.read_text("utf-8") for name, path in shipped_experiments().items()}}


def subject(path: pathlib.Path) -> Subject:
    return read_subject(path, catalog=CATALOG)


def reread(folder: pathlib.Path, name: str, text: str) -> Subject:
    path = folder / name
    path.write_bytes(text.encode())
    assert tomli.loads(text.replace("\r\n", "\n"))
    return subject(path)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> pathlib.Path:
    """Return a folder with all shipped files, so that all of them can be written beside their parents."""
    folder = tmp_path_factory.mktemp("files")
    shutil.copytree(shipped_folder(), folder, dirs_exist_ok=True)
    return folder


DOCS = pathlib.Path(__file__).parents[3] / "docs"
# Those of the pages that are whole experiments, and need nothing beside them.
SHOWN = [
    block
    for page in sorted(DOCS.glob("[hti]*/*.md"))
    for block in re.findall(
        r"^```toml\n(fxkit = 1\n.*?)^```", page.read_text("utf-8"), re.MULTILINE | re.DOTALL
    )
    if not re.search(r"local|ts9\.toml|sweep\.csv", block)
]


def assert_same(one: Subject, other: Subject) -> None:
    assert other.experiment == one.experiment
    assert config_digest(other.experiment.resolved) == config_digest(one.experiment.resolved)
    assert differences(one, other) == differences(other, one) == ()


def assert_filled(folder: pathlib.Path, text: str, comments: Comments) -> None:
    """Check everything that a filled file promises, of one text."""
    first = reread(folder, "first.toml", text)
    done = fill(first, comments)
    again = reread(folder, "again.toml", done)
    assert_same(first, again)
    assert fill(again, comments) == done
    assert_kept(text, done)
    flat = reread(folder, "flat.toml", flatten(first, comments))
    assert_same(first, flat)
    assert not flat.tree.get("extends")
    assert [one.name for one in entries(flat) if one.origin is None and one.value is not None] == []


def assert_kept(text: str, done: str) -> None:
    """Check that a text can be had from the filled one by taking things out."""
    rest = iter(done)
    assert all(sign in rest for sign in text)
    assert re.findall(r"#[^\n]*", text) == [
        comment for comment in re.findall(r"#[^\n]*", done) if comment in re.findall(r"#[^\n]*", text)
    ]


@pytest.mark.parametrize("name", sorted(FILES))
def test_a_filled_file_is_the_same_experiment(folder: pathlib.Path, name: str) -> None:
    for comments in COMMENTS:
        assert_filled(folder, FILES[name], comments)


@pytest.mark.parametrize("index", range(len(SHOWN)))
def test_a_file_that_the_pages_show_is_filled_as_well(folder: pathlib.Path, index: int) -> None:
    assert_filled(folder, SHOWN[index], "trailing")


def test_the_pages_show_enough_files() -> None:
    assert len(SHOWN) >= 3


def test_a_file_without_parents_leaves_nothing_out(folder: pathlib.Path) -> None:
    for name in ("varied", "quickstart"):
        again = reread(folder, "again.toml", fill(reread(folder, "first.toml", FILES[name])))
        assert [one.name for one in entries(again) if one.origin is None and one.value is not None] == []


def test_what_parents_say_stays_with_them(folder: pathlib.Path) -> None:
    done = tomli.loads(fill(reread(folder, "first.toml", FILES["amp-tcn"])))
    assert done["extends"] == ["base/amp.toml"]
    assert "losses" not in done
    assert "callbacks" not in done
    assert "root" not in done["data"]
    assert "clip_norm" not in done["train"]
    assert done["data"]["preload"] == "auto"
    assert done["nodes"]["amp"]["channels"] == 16
    # The preset's own values follow it when it is changed.
    assert "kernel" not in done["nodes"]["amp"]


@st.composite
def mutations(draw: st.DrawFn) -> str:
    """Draw a file with lines taken out, exchanged, commented out or indented, as long as it can be read."""
    text = FILES[draw(st.sampled_from(sorted(FILES)))]
    lines = text.split("\n")
    for _ in range(draw(st.integers(1, 4))):
        index = draw(st.integers(0, len(lines) - 1))
        change = draw(st.sampled_from(["drop", "swap", "comment", "indent", "note", "blank"]))
        if change == "drop":
            lines.pop(index)
        elif change == "swap" and index:
            lines[index - 1 : index + 1] = [lines[index], lines[index - 1]]
        elif change == "comment":
            lines[index] = f"# {lines[index]}"
        elif change == "indent":
            lines[index] = f"\t {lines[index]}"
        elif change == "note":
            lines[index] += "  # 'note\" ] } = #"
        else:
            lines.insert(index, "")
    end = draw(st.sampled_from(["\n", "\r\n"]))
    return end.join(lines).rstrip("\r\n" if draw(st.booleans()) else "")


@pytest.mark.slow
@given(mutations(), st.sampled_from(COMMENTS))
@SETTINGS
def test_a_changed_file_is_filled_as_well(folder: pathlib.Path, text: str, comments: Comments) -> None:
    try:
        reread(folder, "first.toml", text)
    except (ExperimentError, tomli.TOMLDecodeError):
        assume(False)
    assert_filled(folder, text, comments)


def test_defaults_stand_in_their_tables_with_help_unit_and_range(folder: pathlib.Path) -> None:
    done = fill(reread(folder, "first.toml", VARIED))
    for lines in (
        'run.name = "varied"   # by a dotted key\nrun.seed = 0                   # seed of every random',
        "segment = 4_096\nwarmup = 0                     # samples before each segment that only warm",
        "(at least 0 samples)\n",
        "# until = ...",
        'controller = {type="static",lr=2, freeze = false}\n',
        "parameters.gain_db.fixed = 3.0\nlr = 1.0 ",
        'controller.type = "static"\ncontroller.lr = 1.0 ',
        'terms = [{ type = "l1" }, { type = "filtered", inner = { type = "l2" }, filter = "pre-emphasis",',
        "\n[train]\nbatch_size = 8 ",
    ):
        assert lines in done
    # Before the table inside it that the file has, and what the file lacks altogether at its end.
    assert done.index("[train]\n") < done.index("[train.optimizer]\n") < done.index("[plugins]\ndisable = []")
    # An option that the file has in a comment is not listed once more.
    assert done.count("# head_scale =") == 1


def test_comments_go_above_or_away(folder: pathlib.Path) -> None:
    first = reread(folder, "first.toml", VARIED)
    above = fill(first, "above")
    assert (
        "\n# samples before each segment that only warm the state up (at least 0 samples)\nwarmup = 0\n"
        in above
    )
    none = fill(first, "none")
    assert "\nwarmup = 0\n" in none
    assert none.count("#") == VARIED.count("#")


def test_a_flat_file_keeps_the_comments_of_all_files(folder: pathlib.Path) -> None:
    done = flatten(reread(folder, "first.toml", FILES["amp-hybrid"]))
    assert done.startswith(FILES["amp-hybrid"].partition("fxkit = 1")[0])
    assert (
        "skip = 1.0                     # excerpts start in mid-take: the first second is not scored\n"
        in done
    )
    assert "parameters = { frequency = { start = 720.0 } }\n" in done
    order = [line for line in done.split("\n") if line.startswith("[nodes.")]
    nodes = ("clean", "pre", "drive", "clip", "tone", "level", "rest")
    assert order == [f"[nodes.{name}]" for name in nodes]


def test_relative_paths_are_written_anew_for_another_folder(tmp_path: pathlib.Path) -> None:
    (tmp_path / "base").mkdir()
    (tmp_path / "base" / "mine.toml").write_text("fxkit = 1\n[data]\nknobs = 'knobs.csv'\n")
    text = (
        'fxkit = 1\nextends = { task = "base/amp.toml", mine = "base/mine.toml" }\n'
        '[run]\ninit = "runs/old"\n[data]\nroot = "takes"\n[nodes.amp]\ntype = "lstm"\n'
        "[train]\noptimizer = { type = 'adam', lr = 1e-3 }\n"
    )
    first = reread(tmp_path, "first.toml", text)
    other = tmp_path / "other" / "place"
    other.mkdir(parents=True)
    for make in (fill, flatten):
        again = reread(other, "again.toml", make(first, folder=other))
        assert _real(again.experiment.resolved) == _real(first.experiment.resolved)
        assert 'root = "../../takes"' in (other / "again.toml").read_text()
    assert 'task = "base/amp.toml", mine = "../../base/mine.toml"' in fill(first, folder=other)


def _real(value: Any) -> Any:
    if isinstance(value, dict):
        return {name: _real(item) for name, item in value.items()}
    return str(pathlib.Path(value).resolve()) if isinstance(value, str) and "/" in value else value
