"""`fxkit init` writes files that train, asks on a terminal, and never asks anywhere else."""

from __future__ import annotations

import fcntl
import json
import os
import pty
import select
import shutil
import signal
import subprocess
import sys
import termios
import time
from pathlib import Path

import numpy as np
import pytest
import soundfile
import tomli

from fxkit.cli.main import main
from fxkit.experiment.shipped import shipped_experiments

NAMES = sorted(shipped_experiments())


def write(path: Path, seconds: float, rate: int, gain: float = 1.0) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    turn = np.arange(int(seconds * rate)) * 2 * np.pi * 220 / rate
    soundfile.write(path, 0.5 * np.tanh(gain * np.sin(turn)) + 0.01 * np.sin(3.3 * turn), rate)


@pytest.fixture(scope="module")
def material(tmp_path_factory):
    """A folder with pairs, pairs with knobs, notes, a lone pair, and wet files by settings."""
    root = tmp_path_factory.mktemp("material")
    rows = ["split,file,drive"]
    for number, split in enumerate(("train", "val", "test")):
        write(root / "pairs" / split / "input" / "take.wav", 2.0 + number / 10, 44100)
        write(root / "pairs" / split / "target" / "take.wav", 2.0 + number / 10, 44100, 3.0)
        write(root / "flute" / split / "note.wav", 2.0 + number / 10, 44100, 1 + number)
        for drive in (1, 4):
            for side, gain in (("input", 1), ("target", drive)):
                name = root / "knobs" / split / side / f"d{drive}.wav"
                write(name, 2.0 + number / 10 + drive / 100, 48000, gain)
            rows.append(f"{split},d{drive},{drive}")
    (root / "knobs" / "knobs.csv").write_text("\n".join(rows))
    write(root / "nam" / "input.wav", 6.0, 48000)
    write(root / "nam" / "output.wav", 6.0, 48000, 5.0)
    for number, split in enumerate(("trainval", "test")):
        write(root / "twist" / "DRY" / split / "riff.input.wav", 2.0 + number / 10, 48000)
        for setting, gain in (("G10_T50", 1.0), ("G90_T50", 9.0)):
            name = f"{setting}/{setting}.riff.target.wav"
            write(root / "twist" / "Pedal" / split / name, 2.0 + number / 10, 48000, gain)
    return root


class Call:
    """Call the command in this process; a process of its own takes a second to start."""

    def __init__(self, folder, capsys):
        self.folder, self.capsys = folder, capsys

    def __call__(self, *arguments, check=False):
        self.capsys.readouterr()
        code = main([str(argument) for argument in arguments])
        out, err = self.capsys.readouterr()
        assert not check or code == 0, err
        return subprocess.CompletedProcess(arguments, code, out, err)


@pytest.fixture
def home(tmp_path, material):
    for one in material.iterdir():
        shutil.copytree(one, tmp_path / one.name)
    return tmp_path


@pytest.fixture
def fxkit(home, capsys, monkeypatch):
    monkeypatch.chdir(home)
    monkeypatch.setenv("COLUMNS", "120")
    return Call(home, capsys)


def listing(folder: Path) -> list[tuple[str, int]]:
    return sorted((str(path), path.stat().st_mtime_ns) for path in folder.rglob("*"))


def folder_for(name: str) -> list[str]:
    if name == "quickstart":
        return []
    return ["--data", {"harmonic-synth": "flute", "compressor-knob": "knobs"}.get(name, "pairs")]


@pytest.mark.parametrize("name", NAMES)
def test_every_template_gives_a_file_that_is_right(fxkit, name):
    before = listing(fxkit.folder / "pairs")
    done = fxkit("init", "mine", "--template", name, *folder_for(name))
    assert (done.returncode, done.stdout) == (0, "wrote mine.toml\n"), done.stderr
    assert tomli.loads((fxkit.folder / "mine.toml").read_text())["run"]["name"] == "mine"
    checked = fxkit("check", "mine.toml")
    assert checked.returncode == 0, checked.stderr
    assert listing(fxkit.folder / "pairs") == before


@pytest.mark.slow
@pytest.mark.parametrize("name", ["overdrive-graybox", "compressor-knob", "harmonic-synth", "amp-wavenet"])
def test_its_first_run_makes_a_step(fxkit, name):
    fxkit("init", "mine", "--template", name, *folder_for(name), check=True)
    done = fxkit("run", "mine.toml", "--dry-run")
    assert done.returncode == 0, done.stderr
    assert "one step made" in done.stdout + done.stderr


@pytest.mark.slow
@pytest.mark.parametrize(("template", "folder"), [("amp-gru", "nam"), ("compressor-knob", "twist/Pedal")])
def test_an_arranged_folder_trains(fxkit, template, folder):
    refused = fxkit("init", "mine", "--template", template, "--data", folder)
    assert refused.returncode == 3
    assert "add --arrange NEW_FOLDER" in refused.stderr
    before = listing(fxkit.folder / folder)
    fxkit("init", "mine", "--template", template, "--data", folder, "--arrange", "new", check=True)
    assert tomli.loads((fxkit.folder / "mine.toml").read_text())["data"]["root"] == "new"
    done = fxkit("run", "mine.toml", "--dry-run", "--set", "data.val_fraction=0.3")
    assert done.returncode == 0, done.stderr
    assert listing(fxkit.folder / folder) == before


def test_arranging_again_is_harmless_and_other_files_are_not_touched(fxkit):
    arguments = ("init", "-", "--template", "amp-gru", "--data", "nam", "--arrange")
    assert fxkit(*arguments, "new").returncode == 0
    assert fxkit(*arguments, "new").returncode == 0
    refused = fxkit(*arguments, "flute")
    assert (refused.returncode, "with other files in it" in refused.stderr) == (2, True)
    inside = fxkit(*arguments, "nam/new")
    assert (inside.returncode, "never written into" in inside.stderr) == (2, True)


def test_a_wet_side_by_settings_brings_its_turned_knobs(fxkit):
    fxkit(
        "init", "-", "--template", "compressor-knob", "--data", "twist/Pedal", "--arrange", "new", check=True
    )
    sheet = (fxkit.folder / "new" / "knobs.csv").read_text().splitlines()
    assert sheet[0] == "file,split,G"
    assert sorted(sheet[1:]) == [
        f"{setting}.riff.wav,{split},{value}"
        for setting, value in (("G10_T50", 10), ("G90_T50", 90))
        for split in ("test", "train")
    ]


@pytest.mark.parametrize(
    ("arguments", "missing"),
    [
        ((), "NAME, --template"),
        (("mine",), "--template"),
        (("mine", "--template", "amp-lstm"), "--data"),
        (("--template", "amp-lstm", "--data", "pairs"), "NAME"),
    ],
)
def test_without_a_terminal_what_is_missing_is_named(fxkit, arguments, missing):
    done = fxkit("init", *arguments)
    assert done.returncode == 2
    assert done.stderr.startswith(f"missing {missing}, and no terminal to ask on")


def test_a_path_that_is_set_stands_for_a_folder_to_look_at(fxkit):
    done = fxkit("init", "mine", "--template", "amp-lstm", "--set", "data.root=later")
    assert done.returncode == 0, done.stderr
    assert tomli.loads((fxkit.folder / "mine.toml").read_text())["data"]["root"] == "later"


@pytest.mark.parametrize(
    ("template", "folder", "message"),
    [
        ("amp-lstm", "nowhere", "nowhere: no such folder"),
        ("amp-lstm", "flute", "holds no pairs"),
        ("compressor-knob", "pairs", "holds no settings of knobs"),
    ],
)
def test_a_folder_that_does_not_fit_is_refused_and_nothing_is_written(fxkit, template, folder, message):
    done = fxkit("init", "mine", "--template", template, "--data", folder)
    assert done.returncode == 3
    assert message in done.stderr
    assert not (fxkit.folder / "mine.toml").exists()


def test_a_template_without_recordings_refuses_a_folder(fxkit):
    done = fxkit("init", "mine", "--template", "quickstart", "--data", "pairs")
    assert (done.returncode, "leave out --data" in done.stderr) == (2, True)


def test_a_file_that_is_there_is_left_unless_forced(fxkit):
    path = fxkit.folder / "mine.toml"
    path.write_text("mine")
    refused = fxkit("init", "mine", "--template", "quickstart")
    assert (refused.returncode, path.read_text()) == (2, "mine")
    assert "is there already" in refused.stderr
    assert fxkit("init", "mine", "--template", "quickstart", "--force").returncode == 0
    assert path.read_text().startswith("# Learn a distortion circuit")


@pytest.mark.parametrize("arguments", [("-",), ("--stdout",), ("deep/mine", "--stdout")])
def test_stdout_is_the_file_and_nothing_else(fxkit, arguments):
    done = fxkit("init", *arguments, "--template", "amp-lstm", "--data", "pairs")
    assert done.returncode == 0, done.stderr
    root = "../pairs" if "deep/mine" in arguments else "pairs"
    assert tomli.loads(done.stdout)["data"]["root"] == root
    assert not list(fxkit.folder.glob("**/*.toml"))


def test_paths_are_relative_to_the_new_file(fxkit):
    (fxkit.folder / "experiments").mkdir()
    fxkit("init", "experiments/mine", "--template", "amp-lstm", "--data", "pairs", check=True)
    assert fxkit("check", "experiments/mine.toml").returncode == 0
    assert 'root = "../pairs"' in (fxkit.folder / "experiments" / "mine.toml").read_text()


def test_the_list_names_every_template(fxkit):
    shown = fxkit("init", "--list").stdout
    assert [name for name in NAMES if f"\n{name} " not in shown] == []
    listed = json.loads(fxkit("init", "--list", "--json").stdout)["templates"]
    assert sorted(one["name"] for one in listed) == NAMES


def test_torch_is_never_imported(fxkit):
    code = (
        "import sys; from fxkit.cli.main import main;"
        "code = main(['init', 'mine', '--template', 'compressor-knob', '--data', 'knobs']);"
        "sys.exit(code or 'torch' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], cwd=fxkit.folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def _listen() -> None:
    """Hear Ctrl-C: only a controlling terminal sends it, and parents may have switched it off."""
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)
    signal.signal(signal.SIGINT, signal.SIG_DFL)


class Terminal:
    """Answer a command's questions on a pseudo-terminal."""

    def __init__(self, folder: Path, *arguments: str) -> None:
        self.leader, follower = pty.openpty()
        environment = {**os.environ, "COLUMNS": "100", "TERM": "xterm"}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "fxkit", "init", *arguments],
            cwd=folder,
            env=environment,
            stdin=follower,
            stdout=follower,
            stderr=follower,
            start_new_session=True,
            preexec_fn=_listen,
        )
        os.close(follower)
        self.seen = ""

    def expect(self, text: str, answer: str | None = None) -> None:
        """Wait until the screen shows `text`, behind what was shown before; type an answer."""
        end = time.monotonic() + 60
        while text not in self.seen:
            assert time.monotonic() < end, self.seen
            if select.select([self.leader], [], [], 0.2)[0]:
                try:
                    self.seen += os.read(self.leader, 4096).decode()
                except OSError:
                    assert text in self.seen, self.seen
        self.seen = self.seen.split(text, 1)[1]
        if answer is not None:
            os.write(self.leader, f"{answer}\n".encode())

    def ended(self) -> int:
        code = self.process.wait(timeout=60)
        os.close(self.leader)
        return code


def test_a_terminal_is_asked_for_everything(fxkit):
    terminal = Terminal(fxkit.folder)
    terminal.expect("Dry/wet pairs from a folder")
    terminal.expect("Number [1]:", "1")
    terminal.expect("  3  distortion pedal")
    terminal.expect("Number [1]:", "3")
    terminal.expect("overdrive-graybox: Model a distortion pedal")
    terminal.expect("Number [3]:", "")
    terminal.expect("Folder of the recordings:", "flute")
    terminal.expect("holds no pairs")
    terminal.expect("Folder of the recordings:", "pairs")
    terminal.expect("44100 Hz")
    terminal.expect("Name of the experiment [pairs]:", "mine")
    terminal.expect("wrote mine.toml")
    assert terminal.ended() == 0
    written = tomli.loads((fxkit.folder / "mine.toml").read_text())
    assert (written["run"]["sample_rate"], written["data"]["root"]) == (44100, "pairs")


def test_what_the_folder_holds_is_the_first_answer(fxkit):
    terminal = Terminal(fxkit.folder, "mine", "--data", "knobs")
    terminal.expect("at several settings of its knobs")
    terminal.expect("Number [2]:", "")
    terminal.expect("wrote mine.toml")
    assert terminal.ended() == 0
    assert 'type = "knobs-mlp"' in (fxkit.folder / "mine.toml").read_text()


def test_a_terminal_is_offered_links_in_a_new_folder(fxkit):
    terminal = Terminal(fxkit.folder, "mine", "--template", "amp-lstm", "--data", "nam")
    terminal.expect("holds a pair of files, input.wav and output.wav")
    terminal.expect("New folder for the links [nam-pairs]:", "")
    terminal.expect("wrote mine.toml")
    assert terminal.ended() == 0
    assert (fxkit.folder / "nam-pairs" / "input" / "nam.wav").is_symlink()


@pytest.mark.parametrize("key", ["\x03", "\x04"])
def test_control_c_and_control_d_end_the_questions(fxkit, key):
    terminal = Terminal(fxkit.folder)
    terminal.expect("Number [1]:")
    time.sleep(0.5)  # A key that comes between the prompt and the wait for an answer would be lost.
    os.write(terminal.leader, key.encode())
    terminal.expect("interrupted")
    assert terminal.ended() == 130
    assert not list(fxkit.folder.glob("*.toml"))
