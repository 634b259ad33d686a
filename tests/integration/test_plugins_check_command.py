"""`fxkit plugins check` on a sound plugin of somebody else's, and on copies of it with one fault each."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from fxkit.kinds import KINDS

SAMPLE = Path(__file__).parents[1] / "thirdparty" / "fxkit-bitcrush" / "fxkit_bitcrush"
SPEC, MODULE = "bitcrush.py", "_bitcrush.py"

OUTPUT = "return straight_through_round(held[..., 1:] * levels) / levels, after"
LEVELS = 'levels = 2 ** (params["bits"] - 1)'
DECLARED = "receptive_field=self.hold, "
HELD = "        self.hold = hold\n"
FORWARD = "    def _held(self"
IMPORTS = "from torch import Tensor, nn"

# Name -> (edits of the sample: file, what is written, what is written instead), the checks that fail for
# it (the first is the one that it breaks), and words of the complaint.
FAULTS: dict[str, tuple[list[tuple[str, str, str]], tuple[str, ...], str]] = {
    "heavy": (
        [(SPEC, "import attrs\n", "import attrs\nimport torch\n")],
        ("light import",),
        "when described: torch",
    ),
    "loose": (
        [(SPEC, "@attrs.frozen(kw_only=True)", "@attrs.define(kw_only=True)")],
        ("frozen",),
        "can be changed once it is made",
    ),
    "mute": ([(SPEC, ', help="word length"', "")], ("described",), "no help for the parameter bits"),
    "untyped": ([(SPEC, "hold: int", "hold: object")], ("toml round trip",), "which no file can express"),
    "idle": (
        [(SPEC, "    @classmethod", '    mood: float = opt(0.5, help="nothing")\n\n    @classmethod')],
        ("options",),
        "the same whatever the option mood is",
    ),
    "wide": (
        [(MODULE, OUTPUT, OUTPUT.replace("/ levels", "/ levels.double()"))],
        ("output shape",),
        "yields torch.float64 for float32",
    ),
    "late": (
        [
            (SPEC, DECLARED, "receptive_field=self.hold + 1, "),
            (MODULE, '"held": held[..., -1:]}', '"held": held[..., -1:], "last": held[..., -1:]}'),
            (MODULE, OUTPUT, OUTPUT.replace("held[..., 1:]", "held[..., :-1]")),
            (MODULE, "known[..., :1], known[..., anchors]", 'state["last"], known[..., anchors]'),
            (MODULE, '"held": audio.new_zeros(*audio.shape[:2], 1),',
             '"held": audio.new_zeros(*audio.shape[:2], 1), "last": audio.new_zeros(*audio.shape[:2], 1),'),
        ],
        ("latency",),
        "declares a latency of 0; a change of the audio acts 1 samples later at the soonest",
    ),
    "modest": (
        [(SPEC, DECLARED, "receptive_field=self.hold + 2, ")],
        ("receptive field",),
        "declares a receptive field of 3 samples; 1 were measured",
    ),
    "nosy": (
        [(MODULE, LEVELS, LEVELS.replace('params["bits"]', 'params["bits"].mean(0, keepdim=True)'))],
        ("items apart", "causality"),
        "when its neighbours in the batch change",
    ),
    "moody": (
        [
            (MODULE, IMPORTS, "from torch import Tensor, nn\nimport random"),
            (MODULE, HELD, f"{HELD}        self.gain = random.random()\n"),
            (MODULE, "/ levels, after", "/ levels * self.gain, after"),
        ],
        ("repeatable", "weights travel"),
        "yields other values when rebuilt",
    ),
    "careless": (
        [
            (SPEC, "cls(hold=3)", "cls(hold=7)"),
            (MODULE, 'state["position"] + audio.shape[-1]', 'state["position"].add_(audio.shape[-1])'),
        ],
        ("state is a value",),
        "changes the state it is given",
    ),
    "forgetful": (
        [(MODULE, '"held": held[..., -1:]}', '"held": 0 * held[..., -1:]}')],
        ("streaming", "still parameters"),
        "differs from offline by",
    ),
    "prescient": (
        [(MODULE, "known[..., anchors]", "known[..., (anchors + 1).clamp(max=audio.shape[-1])]")],
        ("causality", "streaming", "still parameters", "receptive field"),
        "is not causal: audio from sample",
    ),
    "unmoved": (
        [(MODULE, HELD, f"{HELD}        self.spare = nn.Parameter(torch.zeros(3))\n")],
        ("gradients reach",),
        "gives spare no gradient",
    ),
    "steep": (
        [(SPEC, ", straight_through=True", "")],
        ("gradient magnitude", "gradcheck"),
        "finite differences give",
    ),
    "loud": (
        [(MODULE, OUTPUT, OUTPUT.replace(", after", " + 0 * audio.abs().amax(-1, True).log(), after"))],
        ("silence",),
        "is not finite on silence",
    ),
    "fragile": (
        [(MODULE, LEVELS, f'{LEVELS} + 0 / (16 - params["bits"])')],
        ("extremes",),
        "is not finite with bits at 1 to 16 bit",
    ),
    "slow": (
        [(MODULE, '"held": held[..., -1:]}', '"held": held[..., -1:], "rest": torch.full((1,), 1e-40)}')],
        ("denormals",),
        "keeps denormal numbers in its state",
    ),
    "pickled": (
        [
            (MODULE, IMPORTS, "from torch import Tensor, nn\nfrom fractions import Fraction"),
            (MODULE, FORWARD, f"""    def get_extra_state(self):
        return Fraction(1, 3)

    def set_extra_state(self, state):
        pass

{FORWARD}"""),
        ],
        ("weights travel",),
        "cannot be loaded without running code",
    ),
    "timeless": (
        [
            (SPEC, "cls(hold=3)", "cls(hold=7)"),
            (MODULE, FORWARD, f"""    def state_at(self, starts):
        return None

{FORWARD}"""),
        ],
        ("later start",),
        "from silence with state_at(960)",
    ),
    "twofaced": (
        [(MODULE, LEVELS, f"{LEVELS}\n        audio = audio * (1 + torch.compiler.is_compiling())"),
         (MODULE, "        held = self._held(audio, state)\n", ""),
         (MODULE, "        after = {", "        held = self._held(audio, state)\n        after = {")],
        ("compile",),
        "once it is compiled",
    ),
    "ending": (
        [(MODULE, LEVELS, f"{LEVELS}\n        if audio.shape[-1] == 7: import os; os._exit(3)")],
        ("streaming", "still parameters"),
        "ends the process with 3",
    ),
}  # fmt: skip


def install(folder: Path, name: str, edits: list[tuple[str, str, str]]) -> None:
    """Put a copy of the sample, with edits, where Python finds it as an installed distribution."""
    package = folder / f"fx_{name}"
    package.mkdir(parents=True)
    for source in SAMPLE.glob("*.py"):
        text = source.read_text(encoding="utf-8")
        for file, old, new in edits:
            if file == source.name:
                assert old in text, f"{name}: the sample has no {old!r}"
                text = text.replace(old, new)
        package.joinpath(source.name).write_text(
            text.replace("fxkit_bitcrush", f"fx_{name}"), encoding="utf-8"
        )
    info = folder / f"fx_{name}-1.0.dist-info"
    info.mkdir()
    info.joinpath("METADATA").write_text(f"Name: fx-{name}\nVersion: 1.0\n")
    points = f"[fxkit.v1.processors]\n{name} = fx_{name}.bitcrush:Bitcrush\n"
    if name == "sound":
        points += "[fxkit.v1.losses]\nslope = fx_sound.slope_l1:SlopeL1\nhuber = torch.nn:HuberLoss\n"
    info.joinpath("entry_points.txt").write_text(points)


@pytest.fixture
def sound(tmp_path: Path) -> dict[str, str]:
    """The sample as it is; returns the environment in which it is installed."""
    install(tmp_path / "site", "sound", [])
    return {"PYTHONPATH": str(tmp_path / "site"), "COLUMNS": "200"}


def checked(fxkit: Any, *arguments: str, code: int = 0, **environment: str) -> list[dict[str, Any]]:
    done = fxkit("plugins", "check", *arguments, "--json", **environment)
    assert done.returncode == code, done.stdout + done.stderr
    content = json.loads(done.stdout)
    assert content["passed"] is (code == 0)
    return content["plugins"]


@pytest.mark.slow
def test_a_sound_distribution_passes(fxkit: Any, sound: dict[str, str]) -> None:
    plugins = checked(fxkit, "fx-sound", **sound)
    assert {plugin["qualified"]: plugin["status"] for plugin in plugins} == {
        "fx-sound/sound": "passed", "fx-sound/slope": "passed", "fx-sound/huber": "passed",
    }  # fmt: skip
    outcomes = {check["check"]: check["outcome"] for check in plugins[0]["checks"]}
    assert outcomes["streaming"] == "passed"
    assert outcomes["later start"] == "inapplicable"


@pytest.mark.slow
def test_each_faulty_copy_fails_the_check_of_what_is_broken(fxkit: Any, tmp_path: Path) -> None:
    for name, (edits, _, _) in FAULTS.items():
        install(tmp_path / "site", name, edits)
    names = [f"processor:{name}" for name in FAULTS]
    plugins = checked(fxkit, *names, code=1, PYTHONPATH=str(tmp_path / "site"))
    failed = {
        plugin["name"]: {
            check["check"]: check["text"] for check in plugin["checks"] if check["outcome"] == "failed"
        }
        for plugin in plugins
    }
    assert {name: set(checks) for name, checks in failed.items()} == {
        name: set(checks) for name, (_, checks, _) in FAULTS.items()
    }
    for name, (_, checks, words) in FAULTS.items():
        assert words in failed[name][checks[0]], name
        assert "\n" not in failed[name][checks[0]]


def test_the_table_of_one_plugin_shows_every_check(fxkit: Any, tmp_path: Path) -> None:
    edits, _, words = FAULTS["mute"]
    install(tmp_path / "site", "mute", edits)
    done = fxkit("plugins", "check", "mute", PYTHONPATH=str(tmp_path / "site"), COLUMNS="200")
    assert done.returncode == 1
    lines = done.stdout.splitlines()
    assert lines[0] == "mute, processor of fx-mute 1.0"
    assert any(line.split()[:2] == ["streaming", "ok"] for line in lines)
    assert any(line.startswith("described ") and "FAILED" in line and words in line for line in lines)
    assert lines[-1] == "1 plugin: 1 failed"


def test_a_stalling_check_is_cut_off_and_the_next_ones_run(fxkit: Any, tmp_path: Path) -> None:
    stalls = f"{LEVELS}\n        if audio.shape[-1] == 7: import time; time.sleep(60)"
    install(
        tmp_path / "site", "stalling", [(MODULE, LEVELS, stalls), (SPEC, "cls(), cls(hold=3)", "(cls(),)")]
    )
    path = str(tmp_path / "site")
    (plugin,) = checked(fxkit, "stalling", "--timeout", "8", code=1, PYTHONPATH=path)
    texts = {check["check"]: check["text"] for check in plugin["checks"] if check["outcome"] == "failed"}
    assert "takes longer than 8 s" in texts["streaming"]
    assert next(check for check in plugin["checks"] if check["check"] == "silence")["outcome"] == "passed"


def test_broken_plugins_are_reported_and_leave_the_rest_alone(fxkit: Any, sound: dict[str, str]) -> None:
    site = Path(sound["PYTHONPATH"])
    for name, source in (
        ("typo", "def f(:"),
        ("exits", "raise SystemExit(3)"),
        ("dies", "import os; os._exit(5)"),
    ):
        site.joinpath(f"{name}_fx.py").write_text(source)
        info = site / f"{name}_fx-1.0.dist-info"
        info.mkdir()
        info.joinpath("METADATA").write_text(f"Name: fx-{name}\nVersion: 1.0\n")
        info.joinpath("entry_points.txt").write_text(f"[fxkit.v1.losses]\n{name} = {name}_fx:A\n")
    plugins = checked(fxkit, "typo", "exits", "dies", "loss:slope", code=1, **sound)
    states = {plugin["name"]: (plugin["status"], plugin["reason"]) for plugin in plugins}
    assert states["typo"][0] == states["exits"][0] == states["dies"][0] == "broken"
    assert "SyntaxError" in states["typo"][1]
    assert "SystemExit" in states["exits"][1]
    assert states["dies"][1] == "ends the process with 5"
    assert states["slope"] == ("passed", "")


@pytest.mark.parametrize(
    ("word", "hint"),
    [
        ("gian", 'no installed plugin or distribution is called "gian"; did you mean "gain"'),
        ("loss:gain", 'is called "loss:gain"'),
        ("lss:esr", 'no kind of plugin is called "lss"; did you mean "loss"'),
    ],
)
def test_unknown_names_bring_the_right_spelling(fxkit: Any, word: str, hint: str) -> None:
    done = fxkit("plugins", "check", word)
    assert (done.returncode, done.stdout) == (2, "")
    assert hint in done.stderr


def test_the_checks_of_every_kind_are_listed(fxkit: Any) -> None:
    told = json.loads(fxkit("plugins", "check", "--list", "--json", check=True).stdout)["checks"]
    assert list(told) == [kind.name for kind in KINDS]
    for checks in told.values():
        assert len(checks) >= 5
        assert all(check["check"] and check["what"].endswith(".") for check in checks)
    assert "streaming" in fxkit("plugins", "check", "--list", "processors", check=True).stdout
    assert fxkit("plugins", "check", "--list", "procesors").returncode == 2


def test_options_of_check_alone_are_refused_elsewhere(fxkit: Any) -> None:
    done = fxkit("plugins", "--list")
    assert done.returncode == 2
    assert "go with check" in done.stderr
    assert "go with the list" in fxkit("plugins", "check", "gain", "--strict").stderr
