"""`fxkit plugins` as a person and a program see it."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from fxkit.cli.main import COMMANDS
from fxkit.kinds import KINDS


def install(
    folder: Path, dist: str, version: str, group: str, plugins: dict[str, str], **modules: str
) -> None:
    info = folder / f"{dist.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    info.joinpath("METADATA").write_text(f"Name: {dist}\nVersion: {version}\n")
    points = "".join(f"{name} = {target}\n" for name, target in plugins.items())
    info.joinpath("entry_points.txt").write_text(f"[{group}]\n{points}")
    for name, source in modules.items():
        folder.joinpath(f"{name}.py").write_text(source)


SPEC = '''
"""A plugin."""
import attrs
from fxkit import opt

print("a plugin that prints while it is imported")

@attrs.frozen(kw_only=True)
class Grit:
    """Make it gritty.

    More of it.
    """

    bits: int = opt(help="word length", ge=1, le=24, unit="bit")
    mode: str = opt("hard", help="how", choices=("hard", "soft"))

    def parameters(self, ctx):
        return ()

    def traits(self, ctx):
        raise RuntimeError("not asked without options")

    def build(self, ctx):
        return None
'''


@pytest.fixture
def strangers(tmp_path: Path) -> dict[str, str]:
    """Distributions of others, good and bad; returns the environment in which they are installed."""
    folder = tmp_path / "strangers"
    v1 = "fxkit.v1.processors"
    install(folder, "acme-fx", "1.2.0", v1, {"grit": "acme_fx:Grit", "lstm": "acme_fx:Grit"}, acme_fx=SPEC)
    install(folder, "fxkit-exits", "0.2", v1, {"exits": "exits_fx:A"}, exits_fx="raise SystemExit(3)")
    install(folder, "fxkit-typo", "0.3", v1, {"typo": "typo_fx:A"}, typo_fx="def f(:")
    install(folder, "fxkit-hollow", "0.4", v1, {"hollow": "hollow_fx.specs:A"})
    install(folder, "fxcomp", "0.5", "fxkit.v0.processors", {"comp": "exits_fx:A"})
    return {"PYTHONPATH": str(folder)}


def listed(fxkit: Any, *arguments: str, **environment: str) -> dict[str, dict[str, Any]]:
    done = fxkit("plugins", *arguments, "--json", **environment)
    assert done.returncode == 0, done.stderr
    content = json.loads(done.stdout)
    assert content["fxkit"] == 1
    return {row["qualified"]: row for row in content["plugins"]}


def test_the_list_has_a_row_per_plugin_whatever_its_state(fxkit: Any, strangers: dict[str, str]) -> None:
    done = fxkit("plugins", "processors", COLUMNS="200", **strangers)
    assert (done.returncode, done.stderr) == (0, "")
    lines = [line.split("  ") for line in done.stdout.splitlines()]
    table = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert table[0] == ["KIND", "NAME", "DIST", "STATUS", "TARGET"]
    assert ["processor", "comp", "fxcomp 0.5", "API v0, needs v1", "exits_fx:A"] in table
    assert ["processor", "exits", "fxkit-exits 0.2", "ok", "exits_fx:A"] in table
    assert ["processor", "hollow", "fxkit-hollow 0.4", "module missing", "hollow_fx.specs:A"] in table
    assert ["processor", "lstm", "acme-fx 1.2.0", "ambiguous (also fxkit)", "acme_fx:Grit"] in table
    assert ["processor", "lstm", "fxkit 0.1.0", "ambiguous (also acme-fx)", "fxkit_neural.lstm:LSTM"] in table


def test_check_imports_each_and_says_why_not(fxkit: Any, strangers: dict[str, str]) -> None:
    done = fxkit("plugins", "processors", "--check", "--json", **strangers)
    rows = {row["qualified"]: row for row in json.loads(done.stdout)["plugins"]}
    assert done.returncode == 0
    assert rows["acme-fx/grit"]["summary"] == "Make it gritty."
    exits = rows["fxkit-exits/exits"]
    assert (exits["status"], exits["summary"]) == ("broken", "")
    assert exits["reason"].startswith("SystemExit: 3 (exits_fx.py:1). Update fxkit-exits, or uninstall it")
    assert rows["fxkit-typo/typo"]["reason"].startswith("SyntaxError: invalid syntax (typo_fx.py:1)")
    assert rows["fxkit-hollow/hollow"]["status"] == "missing"
    assert "while it is imported" in done.stderr, "what a plugin prints must not end up in the JSON"


def test_strict_makes_a_row_that_is_not_ok_an_exit_code(fxkit: Any, strangers: dict[str, str]) -> None:
    assert fxkit("plugins", "losses", "--check", "--strict").returncode == 0
    assert fxkit("plugins", "processors", "--strict", **strangers).returncode == 1


@pytest.mark.parametrize("arguments", [("--help",), ("check", "small.toml"), ("plugins",)], ids=" ".join)
def test_broken_plugins_break_nothing_else(
    fxkit: Any, strangers: dict[str, str], small: str, arguments: tuple[str, ...]
) -> None:
    fxkit.write("small.toml", small.replace('type = "lstm"', 'type = "fxkit/lstm"'))
    assert fxkit(*arguments, **strangers).returncode == 0


def test_disabled_rows_stay_visible_and_say_by_what(fxkit: Any, strangers: dict[str, str]) -> None:
    rows = listed(fxkit, FXKIT_DISABLE="fxkit-exits,processor:grit", **strangers)
    assert (rows["acme-fx/grit"]["status"], rows["acme-fx/grit"]["reason"]) == (
        "disabled",
        "by FXKIT_DISABLE",
    )
    assert rows["fxkit-exits/exits"]["status"] == "disabled"
    assert rows["acme-fx/lstm"]["status"] == "ambiguous"
    rows = listed(fxkit, "--no-plugins", **strangers)
    assert rows["acme-fx/lstm"]["reason"] == "by --no-plugins"
    assert rows["fxkit/lstm"]["status"] == "ok"


def test_a_disabling_rule_that_matches_nothing_is_noted(fxkit: Any) -> None:
    done = fxkit("plugins", "losses", FXKIT_DISABLE="no-such-dist")
    assert done.stderr.strip() == 'note: FXKIT_DISABLE names "no-such-dist", which matches nothing installed'


def test_json_rows_hold_what_the_table_shows(fxkit: Any) -> None:
    row = listed(fxkit, "losses")["fxkit/esr"]
    assert row == {
        "kind": "losses",
        "name": "esr",
        "qualified": "fxkit/esr",
        "dist": "fxkit",
        "version": "0.1.0",
        "api": 1,
        "target": "fxkit_losses.esr:ESR",
        "status": "ok",
        "reason": "",
    }


@pytest.mark.parametrize("kind", ["processor", "processors"])
def test_show_tells_options_parameters_and_capabilities(fxkit: Any, kind: str) -> None:
    text = fxkit("plugins", "show", kind, "parametric-eq", COLUMNS="160", check=True).stdout
    assert "processor of fxkit 0.1.0  (fxkit_dsp.parametric_eq:ParametricEQ)" in text
    assert '[nodes.parametric_eq]\ntype = "parametric-eq"' in text
    parameters = text.partition("Parameters, which a controller sets\n")[2].partition("\n\n")[0].splitlines()
    assert parameters[0].split() == ["NAME", "UNIT", "RANGE", "MAPPING", "DEFAULT", "SIZE", "RATE", "HELP"]
    assert any(line.split()[:6] == ["frequency", "Hz", "20", "to", "20000", "log"] for line in parameters)
    for word in ("latency", "causal", "receptive field", "differentiable"):
        assert f"\n{word}" in text.partition("Capabilities")[2]
    for option in ("controller", "lr", "freeze"):
        assert f"\n{option} " in text.partition("Keys that every such table has")[2]


@pytest.mark.parametrize(("name", "table"), [("f0-error", "[metrics.f0_error]"), ("esr", "[losses.esr]")])
def test_show_puts_what_has_no_gradient_among_the_metrics(fxkit: Any, name: str, table: str) -> None:
    text = fxkit("plugins", "show", "loss", name, check=True).stdout
    assert table in text.splitlines()


def test_show_json_has_each_option_in_full(fxkit: Any, strangers: dict[str, str]) -> None:
    done = fxkit("plugins", "show", "processor", "grit", "--json", **strangers)
    plugin = json.loads(done.stdout)["plugin"]
    assert (plugin["summary"], plugin["doc"]) == ("Make it gritty.", "Make it gritty.\n\nMore of it.")
    assert plugin["options"][0] == {
        "name": "bits",
        "type": "int",
        "unit": "bit",
        "bounds": {"ge": 1, "le": 24},
        "range": "[1, 24]",
        "choices": [],
        "required": True,
        "default": None,
        "help": "word length",
    }
    assert (plugin["options"][1]["choices"], plugin["options"][1]["default"]) == (["hard", "soft"], "hard")
    assert plugin["note"] == "its parameters and traits depend on bits, which have no default"


def test_every_plugin_of_the_tree_can_be_shown(fxkit: Any) -> None:
    program = (
        "from fxkit.cli.main import main; from fxkit.catalog import Catalog; import sys\n"
        "codes = {e.qualified: main(['plugins', 'show', e.kind, e.qualified, *sys.argv[1:]])"
        " for e in Catalog.installed(in_tree_only=True).entries if e.status == 'ok'}\n"
        "sys.exit(str({name for name, code in codes.items() if code}) if any(codes.values()) else 0)"
    )
    for arguments in ([], ["--json"]):
        done = subprocess.run(
            [sys.executable, "-c", program, *arguments], capture_output=True, text=True, timeout=240
        )
        assert done.returncode == 0, done.stderr
        # What stands on a required option cannot be shown without it; nothing else is left out.
        assert "depend on where it is used" not in done.stdout


def test_a_shared_name_must_be_qualified_to_be_shown(fxkit: Any, strangers: dict[str, str]) -> None:
    done = fxkit("plugins", "show", "processor", "lstm", **strangers)
    assert done.returncode == 2
    assert (
        done.stderr
        == '"lstm" is offered by acme-fx 1.2.0 and fxkit 0.1.0; write "acme-fx/lstm" or "fxkit/lstm"\n'
    )
    assert fxkit("plugins", "show", "processor", "fxkit/lstm", **strangers).returncode == 0


def test_showing_a_broken_plugin_says_why_without_a_traceback(fxkit: Any, strangers: dict[str, str]) -> None:
    done = fxkit("plugins", "show", "processor", "exits", **strangers)
    assert done.returncode == 2
    assert done.stderr.startswith(
        '"exits" from fxkit-exits 0.2 cannot be loaded: SystemExit: 3 (exits_fx.py:1). '
    )
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize("place", ["argument", "environment"])
def test_a_traceback_is_there_for_who_asks(fxkit: Any, strangers: dict[str, str], place: str) -> None:
    flag = ["--traceback"] if place == "argument" else []
    environment = {"FXKIT_TRACEBACK": "1"} if place == "environment" else {}
    done = fxkit("plugins", "show", "processor", "exits", *flag, **strangers, **environment)
    assert done.returncode == 2
    assert "Traceback" in done.stderr
    assert "exits_fx.py" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("plugisn",), 'No such command "plugisn". Did you mean "plugins"?'),
        (("plugins", "procesors"), 'no kind of plugin is called "procesors"; did you mean "processors"?'),
        (("plugins", "loss", "esr"), "to see one plugin: fxkit plugins show loss esr"),
        (("plugins", "show", "loss"), "show takes a kind and a name"),
        (("plugins", "--chek"), "--check"),
        (("plugins", "show", "loss", "esr", "--strict"), "--check and --strict go with the list"),
    ],
)
def test_mistakes_on_the_command_line_bring_the_right_spelling(
    fxkit: Any, arguments: tuple[str, ...], words: str
) -> None:
    done = fxkit(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert words in done.stderr


@pytest.mark.parametrize("width", [30, 50, 80, 120])
def test_no_line_is_wider_than_the_page(fxkit: Any, width: int) -> None:
    for arguments in (("plugins",), ("plugins", "show", "loss", "esr")):
        lines = fxkit(*arguments, COLUMNS=str(width), check=True).stdout.splitlines()
        # One word may be longer than a very narrow page: the head line of `show` and targets.
        wide = [
            line for line in lines if len(line) > width and len(line.split()) > 1 and "fxkit_" not in line
        ]
        assert not wide


def test_a_reader_that_leaves_is_no_error(fxkit: Any) -> None:
    running = fxkit.start("plugins", "show", "processor", "parametric-eq")
    running.stdout.close()
    running.wait(timeout=60)
    assert running.stderr.read() == ""


def test_help_lists_each_command_with_an_example(fxkit: Any) -> None:
    text = fxkit("--help", check=True).stdout
    for name, entry in COMMANDS.items():
        assert f"  {name} " in text.partition("Commands:")[2].partition("Examples:")[0]
        assert f"  {entry.example}\n" in text
    for kind in KINDS:
        assert kind.name in " ".join(fxkit("plugins", "--help", check=True).stdout.split())


def test_the_summary_of_a_command_is_its_own(fxkit: Any) -> None:
    for name in COMMANDS:
        text = fxkit(name, "--help", check=True).stdout
        assert f"Usage: fxkit {name} " in text
        assert "Examples:" in text


def test_the_version_is_told(fxkit: Any) -> None:
    assert fxkit("--version").stdout == "fxkit 0.1.0\n"
