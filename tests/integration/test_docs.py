"""Examples in the pages work as they are written, and the reference leaves nothing out."""

from __future__ import annotations

import ast
import inspect
import json
import re
import sys
from pathlib import Path
from typing import Any

import click
import pytest
import tomli

from fxkit.catalog import Catalog
from fxkit.cli.main import COMMANDS, group
from fxkit.errors import ExperimentError
from fxkit.experiment.reader import read_experiment
from fxkit.experiment.tables import ARRAYS, PLACES, TABLES, ParameterKeys, TurnTable
from fxkit.hooks import Hooks, hook_names
from fxkit.kinds import KINDS
from fxkit.runs.folder import RunFolder
from fxkit.spec import describe

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
THIRD_PARTY = ROOT / "tests" / "thirdparty"
sys.path.insert(0, str(DOCS / "_ext"))

from fxkit_docs import broken, catalogue, figures, models, reference  # noqa: E402
from fxkit_docs.examples import Example, commands, examples  # noqa: E402
from fxkit_docs.pages import generated_files  # noqa: E402

PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    *(page for page in sorted(DOCS.rglob("*.md")) if not {"generated", "_build"} & set(page.parts)),
]
TOML = [example for page in PAGES for example in examples(page, "toml")]
PYTHON_PAGES = [page for page in PAGES if page.parent != ROOT and examples(page, "python")]
COMMAND_LINES = [example for page in PAGES for example in examples(page, "console", "sh")]
CATALOG = Catalog.installed(in_tree_only=True)
ENTRIES = [entry for entry in CATALOG.entries if entry.status != "disabled"]

# What a block that is marked "partial" is laid over.
BASE = """
fxkit = 1

[data]
type = "virtual-device"

[nodes.amp]
type = "lstm"

[model]
chain = ["amp"]

[losses.esr]
type = "esr"

[train]
optimizer = { type = "adam", lr = 1e-3 }

[callbacks.listen]
type = "audio-samples"
"""
# What only the rest of a file can mend.
LEFT_OUT = re.compile(r'no node "|not in model\.chain|no node uses it')


def _install(dist: str, site: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Put a distribution's files on the path, with the metadata that pip would write."""
    project = tomli.loads((THIRD_PARTY / dist / "pyproject.toml").read_text())["project"]
    info = site / f"{dist.replace('-', '_')}-{project['version']}.dist-info"
    info.mkdir(parents=True)
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {dist}\nVersion: {project['version']}\n")
    lines = [
        "\n".join([f"[{name}]", *(f"{key} = {value}" for key, value in points.items())])
        for name, points in project["entry-points"].items()
    ]
    (info / "entry_points.txt").write_text("\n".join(lines) + "\n")
    monkeypatch.syspath_prepend(site)
    monkeypatch.syspath_prepend(THIRD_PARTY / dist)


@pytest.mark.parametrize("subject", TOML, ids=str)
def test_toml_examples_are_experiments(
    subject: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for mark in subject.marks:
        if mark.startswith("needs="):
            _install(mark.removeprefix("needs="), tmp_path / "site", monkeypatch)
    path = tmp_path / "example.toml"
    if "partial" not in subject.marks:
        path.write_text(subject.text, encoding="utf-8")
        _write_files(subject.page, tmp_path)
        assert read_experiment(path, allow_local="local" in subject.marks).nodes
        return
    (tmp_path / "base.toml").write_text(BASE, encoding="utf-8")
    head = "fxkit = 1\n" + ("" if "extends =" in subject.text else 'extends = ["base.toml"]\n')
    path.write_text(head + subject.text, encoding="utf-8")
    try:
        read_experiment(path)
    except ExperimentError as error:
        wrong = [str(problem) for problem in error.problems if not LEFT_OUT.search(str(problem))]
        assert not wrong, "\n".join(wrong)


def _write_files(page: Path, folder: Path) -> None:
    """Write the blocks that a page shows as files."""
    for example in examples(page, "python", "text"):
        for mark in example.marks:
            if mark.startswith("file="):
                (folder / mark.removeprefix("file=")).write_text(example.text, encoding="utf-8")


@pytest.mark.slow
@pytest.mark.parametrize("subject", PYTHON_PAGES, ids=lambda page: page.stem)
def test_python_examples_run(subject: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    namespace: dict[str, Any] = {"__name__": subject.stem}
    for example in examples(subject, "python"):
        # The page's own lines in tracebacks.
        tree = ast.parse("\n" * example.line + example.text, str(subject))
        if "no-run" in example.marks:
            tree.body = [node for node in tree.body if isinstance(node, (ast.Import, ast.ImportFrom))]
        exec(compile(tree, str(subject), "exec"), namespace)


@pytest.mark.parametrize("subject", COMMAND_LINES, ids=str)
def test_command_lines_name_what_exists(
    subject: Example, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    third_party = [path.name for path in THIRD_PARTY.iterdir() if (path / "README.md").exists()]
    for dist in third_party:
        _install(dist, tmp_path / "site", monkeypatch)
    for words in commands(subject):
        program = Path(words[0]).name
        if program == "fxkit":
            _accept(words[1:])
        elif program == "torchrun":
            assert words[words.index("-m") + 1] == "fxkit", words
            _accept(words[words.index("-m") + 2 :])
        else:
            assert program in ("python3", "python", "pip", "pytest", "sphinx-build", "tensorboard"), words


def _accept(words: list[str]) -> None:
    """Parse a command line of fxkit as the command would; read what it names that is there."""
    command = group.get_command(click.Context(group), words[0])
    assert command is not None, f"no command {words[0]}"
    given = command.make_context(words[0], words[1:]).params
    experiment = given.get("experiment")
    if experiment and not experiment.endswith(".toml"):
        read_experiment(experiment, overrides=given["settings"])
    if given.get("words", ())[:1] == ("show",) and given["words"][2].islower():
        assert Catalog.installed().find(*given["words"][1:]).status == "ok"


@pytest.mark.parametrize("name", hook_names())
def test_every_hook_is_described_with_its_arguments(name: str) -> None:
    text = reference.hook_reference()
    assert f"`{name}`" in text
    assert (inspect.getdoc(getattr(Hooks, name)) or "").split("\n")[0] in text
    for argument in list(inspect.signature(getattr(Hooks, name)).parameters)[1:]:
        assert re.search(rf"{name}\([^)]*\b{argument}: ", text)


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: kind.name)
def test_every_kind_is_in_the_catalogue(kind: Any) -> None:
    index = catalogue.catalogue_pages()["index.md"]
    assert f"`{kind.group}`" in index
    assert kind.summary in index


@pytest.mark.parametrize("entry", ENTRIES, ids=lambda entry: f"{entry.kind}-{entry.name}")
def test_every_option_of_every_plugin_is_in_the_catalogue(entry: Any) -> None:
    page = catalogue.catalogue_pages()[f"{entry.kind}.md"]
    section = page.partition(f"({catalogue.anchor(entry)})=")[2].partition("\n## ")[2].partition("\n## ")[0]
    told = describe(CATALOG.spec(entry))
    assert told.summary in section
    for option in told.options:
        row = next(line for line in section.splitlines() if line.startswith(f"| `{option.name}` |"))
        assert option.meta.help.replace("|", "\\|") in row
        assert option.meta.unit in row
        assert option.required == ("| required |" in row)
        assert option.meta.bounds.is_open or str(option.meta.bounds) in row


@pytest.mark.parametrize(
    "keys", [*TABLES.values(), *ARRAYS.values(), TurnTable, *(place.keys for place in PLACES), ParameterKeys]
)
def test_every_key_of_the_kernel_is_described(keys: type) -> None:
    text = reference.kernel_tables()
    for option in describe(keys).options:
        assert option.meta.help.replace("|", "\\|") in text


@pytest.mark.parametrize("path", [*TABLES, *(place.path for place in PLACES)])
def test_every_table_of_the_file_is_described(path: str) -> None:
    assert re.search(rf"^### \[{path}(\.NAME)?\]$", reference.kernel_tables(), re.MULTILINE)


@pytest.mark.parametrize("name", COMMANDS)
def test_every_command_and_option_is_described(name: str) -> None:
    section = reference.command_reference().partition(f"\n## fxkit {name}\n")[2].partition("\n## ")[0]
    command = group.get_command(click.Context(group), name)
    assert command is not None
    for parameter in command.params:
        if isinstance(parameter, click.Option):
            assert all(spelling in section for spelling in parameter.opts)
            assert (parameter.help or "").split()[0] in section


def test_the_run_folder_is_described_in_full() -> None:
    text = reference.run_folder()
    folder = RunFolder(Path("x"))
    for name, member in vars(RunFolder).items():
        if isinstance(member, property):
            assert f"`{getattr(folder, name).relative_to('x').as_posix()}`" in text


def test_every_generated_fragment_is_in_a_page() -> None:
    pages = "\n".join(page.read_text(encoding="utf-8") for page in PAGES)
    fragments = [name for name in generated_files(DOCS) if name.startswith("fragments/")]
    assert fragments
    for name in fragments:
        assert f"generated/{name}\n" in pages


def test_shown_messages_are_those_of_the_corpus() -> None:
    text = broken.message_examples(ROOT) + broken.message_examples(ROOT, broken.TOGETHER)
    for name in (*broken.CHOSEN, *broken.TOGETHER):
        messages = broken.corpus_file(ROOT, name).with_suffix(".txt").read_text(encoding="utf-8")
        assert messages.strip() in text


def test_every_decision_is_in_the_index() -> None:
    listed = (DOCS / "adr" / "index.md").read_text(encoding="utf-8")
    for path in (DOCS / "adr").glob("0*.md"):
        assert f"\n{path.stem}\n" in listed


def test_figures_are_shown_from_their_file(tmp_path: Path) -> None:
    path = tmp_path / "figures.json"
    path.write_text('{"figures": []}', encoding="utf-8")
    assert figures.figures_table(path) == figures.NOTHING
    path.write_text(
        '{"figures": [{"experiment": "amp-lstm", "data": "overdrive", "weights": 1200, "steps": 3000,'
        ' "minutes": 12.5, "esr": 0.0123, "mr_stft": 0.75,'
        ' "baselines": {"silence": {"esr": 1.0, "mr_stft": 9.0}, "gain": {"esr": 0.51, "mr_stft": 1.5}}}]}',
        encoding="utf-8",
    )
    row = figures.figures_table(path).splitlines()[-1]
    assert row == "| `amp-lstm` | overdrive | 1200 | 3000 | 12.5 | 0.0123 | 0.75 | 1 / 9 | - | 0.51 / 1.5 |"


def test_committed_figures_can_be_shown() -> None:
    assert figures.figures_table(DOCS / "figures.json")
    assert models.models_table(DOCS / "models.json")


def test_models_are_shown_in_one_row_with_what_they_reach_on_each_device(tmp_path: Path) -> None:
    cost = {"model": "amp-lstm", "weights": 4513, "macs": 4256.0, "real_time": 12.34}
    first = {**cost, "device": "overdrive", "esr": 0.05, "mr_stft": 0.8, "minutes": 5.0}
    second = {**cost, "device": "compressor", "esr": 0.2, "mr_stft": None, "minutes": 5.1}
    path = tmp_path / "models.json"
    path.write_text(json.dumps({"cells": []}), encoding="utf-8")
    assert models.models_table(path) == models.NOTHING
    path.write_text(json.dumps({"cells": [first, second, {**first, "model": "amp-gru"}]}), encoding="utf-8")
    rows = models.models_table(path).splitlines()[2:]
    assert rows == [
        "| `amp-lstm` | 4513 | 4256 | 12.3x | 0.05 | 0.8 | 5 | 0.2 | - | 5.1 |",
        "| `amp-gru` | 4513 | 4256 | 12.3x | 0.05 | 0.8 | 5 | - | - | - |",
    ]
