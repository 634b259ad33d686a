"""`fxkit schema` writes what editors complete experiments by, and `fxkit check` says when it is old."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import tomli

from fxkit.cli.main import main
from fxkit.experiment.shipped import shipped_experiments
from fxkit.schema.plugin_set import marked

NAME = "fxkit.schema.json"


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the schema of the installed plugins, as the command writes it."""
    folder = tmp_path_factory.mktemp("schema")
    assert main(["schema", "--out", str(folder / NAME)]) == 0
    return folder


@pytest.fixture
def folder(written: Path, tmp_path: Path, small: str, monkeypatch: pytest.MonkeyPatch) -> Path:
    shutil.copy(written / NAME, tmp_path)
    tmp_path.joinpath("small.toml").write_text(f"# A small one.\n#:schema ./{NAME}\n{small}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_it_is_one_of_draft_7_and_says_the_same_on_stdout(written: Path) -> None:
    text = written.joinpath(NAME).read_text()
    document = json.loads(text)
    assert document["$schema"].startswith("http://json-schema.org/draft-07/")
    jsonschema.Draft7Validator.check_schema(document)
    done = subprocess.run(
        [sys.executable, "-m", "fxkit", "schema"], capture_output=True, text=True, check=True
    )
    assert (done.stdout, done.stderr) == (text, "")


def parts(value: object) -> list[dict[str, object]]:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    found = [value] if isinstance(value, dict) else []
    return [*found, *(part for one in inner for part in parts(one))]


def test_it_keeps_to_the_shapes_that_editors_read(written: Path) -> None:
    for part in parts(json.loads(written.joinpath(NAME).read_text())):
        assert "const" not in part
        assert "$ref" not in part or len(part) == 1


def test_every_option_tells_what_it_is_for(written: Path) -> None:
    definitions = json.loads(written.joinpath(NAME).read_text())["definitions"]
    for name, body in definitions.items():
        for option, told in {} if name.startswith(("whole", "chain")) else body["properties"].items():
            told = told["anyOf"][0] if "anyOf" in told else told
            assert told.get("description"), f"{name}.{option}"


def test_an_option_holds_unit_bounds_default_and_choices(written: Path) -> None:
    document = json.loads(written.joinpath(NAME).read_text())
    assert document["properties"]["run"]["properties"]["sample_rate"] == {
        "description": "rate that everything runs at (Hz, [8000, 384000])",
        "type": "integer",
        "minimum": 8000,
        "maximum": 384000,
        "default": 48000,
    }
    train = document["properties"]["train"]["properties"]
    assert train["keep"]["enum"] == ["best", "last"]
    assert train["until"]["examples"] == ["90 s", "20 min", "1.5 h"]
    assert train["clip_norm"]["exclusiveMinimum"] == 0
    lstm = document["definitions"]["nodes.lstm"]["properties"]
    assert lstm["type"]["enum"] == ["lstm", "fxkit/lstm"]
    assert lstm["preset"]["enum"]
    assert {"hidden", "controller", "freeze"} <= set(lstm)


def test_every_plugin_of_the_listing_has_its_branch(
    written: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    definitions = json.loads(written.joinpath(NAME).read_text())["definitions"]
    assert main(["plugins", "--json"]) == 0
    rows = json.loads(capsys.readouterr().out)["plugins"]
    typed = [body.get("properties", {}).get("type", {}) for body in definitions.values()]
    spelt = {name for one in typed for name in one.get("enum", ())}
    inside = {
        "processors",
        "controllers",
        "losses",
        "callbacks",
        "datasets",
        "features",
        "optimizers",
        "ramps",
    }
    usable = [row for row in rows if row["status"] == "ok" and row["kind"] in inside]
    assert len(usable) > 100
    assert {row["name"] for row in usable} | {row["qualified"] for row in usable} <= spelt


def test_a_fresh_schema_is_no_matter(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["check", "small.toml"]) == 0
    assert capsys.readouterr().err == ""


def stale(folder: Path) -> None:
    path = folder / NAME
    path.write_text(path.read_text().replace(str(marked(path)), "0" * 16))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (stale, "is of other plugins than those that are installed"),
        (lambda folder: folder.joinpath(NAME).unlink(), "is missing"),
        (lambda folder: folder.joinpath(NAME).write_text("{}"), "was not written by fxkit schema"),
    ],
    ids=["stale", "missing", "strange"],
)
def test_check_warns_of_it_and_says_how_to_renew_it(
    folder: Path, capsys: pytest.CaptureFixture[str], change: object, words: str
) -> None:
    change(folder)  # type: ignore[operator]
    assert main(["check", "small.toml"]) == 0
    told = capsys.readouterr()
    assert "small.toml: ok" in told.out
    (line,) = told.err.strip().splitlines()
    assert "small.toml:2" in line
    assert words in line
    assert f"fxkit schema --out {NAME}" in line
    assert main(["schema", "--out", NAME]) == 0
    capsys.readouterr()
    assert main(["check", "small.toml"]) == 0
    assert capsys.readouterr().err == ""


def test_the_schema_is_looked_for_beside_the_file_that_names_it(
    folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(folder.parent)
    assert main(["check", f"{folder.name}/small.toml"]) == 0
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize(
    "first", ["#:schema https://example.org/fxkit.json", "x = 1\n#:schema ./none.json", ""]
)
def test_other_lines_are_none_of_its_business(tmp_path: Path, first: str) -> None:
    from fxkit.catalog import Catalog
    from fxkit.schema.directive import schema_warning

    path = tmp_path / "x.toml"
    path.write_text(first)
    assert schema_warning(path, Catalog.installed()) is None


def test_a_place_that_cannot_be_written_is_an_error_of_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    tmp_path.joinpath("file").write_text("")
    assert main(["schema", "--out", str(tmp_path / "file" / NAME)]) == 1
    assert len(capsys.readouterr().err.strip().splitlines()) == 1


EDITORS = {
    "taplo": ("lint", "--no-auto-config", "--colors", "never"),
    "tombi": ("lint", "--offline", "--error-on-warnings"),
}
MISTAKES = {
    "unknown": ("hidden = 4", "hiden = 4"),
    "bound": ("hidden = 4", "hidden = 0"),
    "type": ("hidden = 4", 'hidden = "4"'),
    "name": ('type = "lstm"', 'type = "lstn"'),
    "missing": ('type = "lstm"\n', ""),
}


def lint(editor: str, file: Path) -> subprocess.CompletedProcess[str]:
    program = Path(sys.executable).parent / editor
    schema = ["--schema", (file.parent / NAME).as_uri()] if editor == "taplo" else []
    command = [str(program), *EDITORS[editor], *schema, str(file)]
    return subprocess.run(command, cwd=file.parent, capture_output=True, text=True, timeout=60)


@pytest.mark.parametrize("editor", EDITORS)
def test_editors_read_it(folder: Path, editor: str) -> None:
    if not (Path(sys.executable).parent / editor).exists():
        pytest.skip(f"needs {editor}")
    right = lint(editor, folder / "small.toml")
    assert right.returncode == 0, right.stdout + right.stderr
    text = folder.joinpath("small.toml").read_text()
    for name, (old, new) in MISTAKES.items():
        assert old in text
        folder.joinpath("wrong.toml").write_text(text.replace(old, new))
        assert lint(editor, folder / "wrong.toml").returncode != 0, name


class Editor:
    """Speak to a language server as an editor does."""

    def __init__(self, folder: Path) -> None:
        command = [str(Path(sys.executable).parent / "tombi"), "lsp"]
        self.server = subprocess.Popen(
            command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert self.server.stdin is not None
        assert self.server.stdout is not None
        self.out, self.answers = self.server.stdin, self.server.stdout
        self.ask(1, "initialize", {"processId": None, "rootUri": folder.as_uri(), "capabilities": {}})
        self.send(method="initialized", params={})

    def send(self, **message: object) -> None:
        body = json.dumps({"jsonrpc": "2.0", **message}).encode()
        self.out.write(b"Content-Length: %d\r\n\r\n" % len(body) + body)
        self.out.flush()

    def ask(self, number: int, method: str, params: object) -> Any:
        self.send(id=number, method=method, params=params)
        while True:
            length = 0
            while line := self.answers.readline().strip():
                length = (
                    int(line.rpartition(b" ")[2]) if line.lower().startswith(b"content-length") else length
                )
            message = json.loads(self.answers.read(length))
            if "method" in message and "id" in message:
                self.send(id=message["id"], result=None)
            elif message.get("id") == number:
                return message["result"]

    def offered(self, file: Path, line: int, column: int) -> list[str]:
        """Return what is offered in a file at a place, both counted from 0."""
        document = {"uri": file.as_uri(), "languageId": "toml", "version": 1, "text": file.read_text()}
        self.send(method="textDocument/didOpen", params={"textDocument": document})
        place = {"textDocument": {"uri": file.as_uri()}, "position": {"line": line, "character": column}}
        # It reads the schema after it has opened the file, and offers nothing until then.
        for number in range(2, 200):
            found = self.ask(number, "textDocument/completion", place)
            if found:
                break
            time.sleep(0.1)
        return [item["label"] for item in (found["items"] if isinstance(found, dict) else found or ())]


@pytest.fixture
def editor(folder: Path) -> Iterator[Editor]:
    if not (Path(sys.executable).parent / "tombi").exists():
        pytest.skip("needs tombi")
    editor = Editor(folder)
    yield editor
    editor.server.kill()
    editor.server.wait()


@pytest.mark.parametrize(
    ("text", "column", "offered", "others"),
    [
        ("\n", 0, {"train", "nodes", "extends"}, {"steps", "fxkit"}),
        ("[run]\n", 0, {"sample_rate", "seed"}, {"steps"}),
        ('[nodes.a]\ntype = "lstm"\n', 0, {"hidden", "controller", "preset"}, {"dilations", "bands"}),
        ("[nodes.a]\ntype = ", 7, {'"lstm"', '"fxkit/gain"'}, {'"esr"'}),
        ("[train]\nkeep = ", 7, {'"best"', '"last"'}, {'"lstm"'}),
    ],
    ids=["table", "key", "option of the type", "type", "choice"],
)
def test_an_editor_completes_by_it(
    editor: Editor, folder: Path, text: str, column: int, offered: set[str], others: set[str]
) -> None:
    file = folder / "half.toml"
    file.write_text(f"#:schema ./{NAME}\nfxkit = 1\n{text}\n")
    found = set(editor.offered(file, 1 + len(text.splitlines()) + text.endswith("\n"), column))
    assert offered <= found
    assert not others & found


@pytest.mark.parametrize("editor", EDITORS)
def test_editors_find_nothing_in_what_ships(folder: Path, editor: str) -> None:
    if not (Path(sys.executable).parent / editor).exists():
        pytest.skip(f"needs {editor}")
    for name, path in shipped_experiments().items():
        folder.joinpath(f"{name}.toml").write_text(f"#:schema ./{NAME}\n{path.read_text()}")
        assert tomli.loads(folder.joinpath(f"{name}.toml").read_text())
        found = lint(editor, folder / f"{name}.toml")
        assert found.returncode == 0, found.stdout + found.stderr
