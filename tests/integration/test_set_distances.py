"""Distances between sets as a user meets them: in a run, in `fxkit check`, in `fxkit eval`."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

import fxkit
from fxkit import BuildContext
from fxkit.errors import ExperimentError, FxkitError
from fxkit.examination import Examination
from fxkit.experiment.reader import read_experiment
from fxkit.experiment.unmet import require
from fxkit.named_embeddings import named_embeddings
from fxkit.runs.journal import read_journal
from fxkit.runs.progress import Silent
from fxkit.scoring import examine, open_candidate
from fxkit_embeddings._vggish import write_random

RATE = 16000

EXPERIMENT = """
fxkit = 1

[run]
name = "sets"
seed = 3
sample_rate = 16000

[data]
type = "paired-audio"
root = "music"
segment = 2048

[plugins.local]
"processors:player" = "player.py:Player"

[nodes.player]
type = "player"
plays = "{plays}"

[nodes.level]
type = "gain"
controller = {{ type = "static" }}

[model]
chain = ["player", "level"]

[losses.error]
type = "l1"

[train]
steps = 2
batch_size = 2
optimizer = {{ type = "adam", lr = 1e-9 }}

[callbacks.sets]
type = "set-distance"
embedding = {{ type = "logmel-stats", bands = 4 }}
"""

PLAYER = '''
"""A model that has nothing to say of its own."""

from typing import Literal

import attrs

from fxkit import Traits, opt


@attrs.frozen(kw_only=True)
class Player:
    """Play a training recording, or noise, or what comes in."""

    plays: Literal["copy", "noise", "input"] = opt("input", help="what is played")

    def parameters(self, ctx):
        return ()

    def traits(self, ctx):
        return Traits()

    def build(self, ctx):
        import soundfile
        import torch

        kept = torch.from_numpy(soundfile.read("music/train/target/1.wav", dtype="float32")[0])
        noise = 0.1 * torch.randn(len(kept), generator=torch.Generator().manual_seed(0))
        sound = {"copy": kept, "noise": noise}.get(self.plays)

        def play(audio, params, state=None):
            at = 3000 if state is None else int(state)
            end = at + audio.shape[-1]
            there = audio if sound is None else sound[torch.arange(at, end) % len(sound)].expand_as(audio)
            return there, torch.tensor(end)

        return play
'''


def melody(seed, seconds=16):
    """Return decaying notes at random, float32 [samples]."""
    draw = np.random.default_rng(seed)
    audio = 1e-4 * draw.standard_normal(seconds * RATE)
    at = 0
    while at < len(audio):
        time = np.arange(min(int(draw.uniform(0.1, 0.6) * RATE), len(audio) - at)) / RATE
        hz, slope = 80 * 2 ** draw.uniform(0, 3), draw.uniform(1, 2)
        tone = sum(np.sin(2 * np.pi * hz * k * time) / k**slope for k in (1, 2, 3))
        audio[at : at + len(time)] += draw.uniform(0.05, 0.3) * tone * np.exp(-6 * time)
        at += max(1, len(time) // 2)
    return audio.astype(np.float32)


@pytest.fixture
def music(fxkit):
    """Melodies and what a gentle overdrive makes of them, in the folder of the command."""
    for index, (split, count) in enumerate({"train": 4, "val": 3, "test": 2}.items()):
        for number in range(count):
            dry = melody(100 * index + number)
            for side, audio in {"input": dry, "target": np.tanh(1.5 * dry)}.items():
                path = fxkit.folder / "music" / split / side / f"{number}.wav"
                path.parent.mkdir(parents=True, exist_ok=True)
                soundfile.write(path, audio, RATE, subtype="FLOAT")
    fxkit.write("player.py", PLAYER)
    return fxkit


class Lines(Silent):
    """Keep what a run says."""

    def __init__(self):
        self.lines = []

    def message(self, text):
        self.lines.append(text)


@pytest.fixture
def play(music, monkeypatch):
    """Run the model that plays something; return its last figures and what was said of them."""
    monkeypatch.chdir(music.folder)

    def played(plays):
        path, progress = music.write(f"{plays}.toml", EXPERIMENT.format(plays=plays)), Lines()
        fxkit.run(path, out=music.folder / plays, allow_local=True, progress=progress)
        journal = read_journal(music.folder / plays / "metrics.jsonl")
        figures = [record for record in journal if record["kind"] == "set-distance"][-1]
        return figures, next(line for line in progress.lines if "  set-distance " in line)

    return played


@pytest.mark.slow
def test_planted_copies_are_flagged_and_noise_and_music_are_not(play):
    copy, noise, through = play("copy"), play("noise"), play("input")
    assert copy[0]["memorised"] > 0.3
    assert copy[1].endswith("by chance): copies of training recordings")
    assert noise[0]["memorised"] == 0
    assert through[0]["memorised"] < 0.05
    assert "copies" not in noise[1] + through[1]
    assert noise[0]["mmd"] > 10 * noise[0]["mmd_floor_high"]
    assert through[0]["mmd"] < 0.2 * noise[0]["mmd"]


@pytest.mark.slow
def test_a_run_is_measured_by_embeddings_named_on_the_command_line(play, music):
    play("input")
    fine = 'fine={ type = "logmel-stats", bands = 2, window = 0.25 }'
    chosen = ("--embedding", "logmel-stats", "--embedding", fine)
    done = music("eval", "input", "--allow-local", "--stretches", 0, *chosen)
    assert done.returncode == 0, done.stderr
    lines = [line for line in done.stdout.splitlines() if line.startswith("set distance by ")]
    assert [line.partition(":")[0] for line in lines] == [
        "set distance by logmel-stats",
        "set distance by fine",
    ]
    scored = examine_input(music.folder / "input", ("logmel-stats", fine))
    sets = json.loads(scored.scores.to_json())["sets"]
    assert [f"set distance by {name}: {one}" for name, one in scored.sets.items()] == lines
    assert sets["logmel-stats"]["provenance"]["reference"] == 64
    assert sets["fine"]["frechet"]["value"] == scored.sets["fine"].frechet.value
    copied = examine_input(music.folder / "input", ("logmel-stats",), split="train")
    assert copied.sets["logmel-stats"].memorised is None


def examine_input(path, embeddings, split="test"):
    examination = Examination(split=split, embeddings=embeddings, stretches=0, allow_local=True)
    return examine(open_candidate(path, examination), examination)


def test_missing_weights_are_told_before_anything_starts(fxkit, small):
    table = '[callbacks.fad]\ntype = "fad"\nembedding = { type = "vggish", weights = "absent.pth" }\n'
    text = f"{small}\n{table}"
    path = fxkit.write("e.toml", text)
    line = next(number for number, one in enumerate(text.splitlines(), 1) if "absent" in one)
    message = (
        f"no file {fxkit.folder}/absent.pth; it needs vggish-10086976.pth, which is not fetched: put it there"
    )
    for command in ("check", "run"):
        done = fxkit(command, "e.toml")
        assert done.returncode == 2
        assert f"e.toml:{line}:42  callbacks.fad.embedding.weights: {message}" in done.stderr
    assert not (fxkit.folder / "runs").exists()
    done = fxkit("check", "e.toml", "--json")
    assert [one["path"] for one in json.loads(done.stdout)["problems"]] == ["callbacks.fad.embedding.weights"]
    # A trained model is loaded by reading its experiment, wherever its training's files are.
    with pytest.raises(ExperimentError, match="absent"):
        require(read_experiment(path))


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("vggish=absent.pth", "embedding: vggish no file .*absent.pth; it needs vggish-10086976.pth"),
        ("logmel-stats=random.pth", 'unknown option of embedding "logmel-stats"'),
        ("logmel", 'no embedding "logmel"; closest: "logmel-stats"'),
        ("odd={", "--embedding odd={: no table in TOML"),
        ('odd={ type = "logmel-stats", bands = 0 }', "embedding.bands: 0 is below the minimum 1"),
    ],
)
def test_an_embedding_that_cannot_be_read_is_told(text, reason):
    with pytest.raises(FxkitError, match=reason):
        named_embeddings([text], BuildContext())


def test_embeddings_are_named_with_a_file_or_a_table(tmp_path):
    path = write_random(tmp_path / "random.pth", 0)
    table = f'net={{ type = "vggish", weights = "{path}", sha256 = "" }}'
    found = named_embeddings(["logmel-stats", table], BuildContext(sample_rate=RATE))
    assert list(found) == ["logmel-stats", "net"]
    assert len(found["net"].digest) == 64
    with pytest.raises(
        FxkitError, match=r"has SHA-256 .*, not 10086976\.\.\.; it needs vggish-10086976\.pth"
    ):
        named_embeddings([f"vggish={path}"], BuildContext())
