"""A network conditioned by knobs: from the file to a loaded model whose knobs are turned."""

from __future__ import annotations

import json

import numpy as np
import pytest
import soundfile

from fxkit import load
from fxkit.errors import RunError

EXPERIMENT = """
fxkit = 1

[run]
name = "turned"
seed = 3
sample_rate = 16000

[data]
type = "virtual-device"
segment = 1000
warmup = 300
train_seconds = 1.0
val_seconds = 0.5
test_seconds = 0.5
gains = [0.2, 0.5, 0.9]

[nodes.amp]
type = "lstm"
hidden = 4
controller = { type = "knobs" }

[nodes.amp.conditioning]
type = "tfilm"
preset = "published"
size = 1
block = 64

[model]
chain = ["amp"]

[losses.error]
type = "l1"

[train]
steps = 20
batch_size = 2
validate_every = 10
optimizer = { type = "adam", lr = 0.01 }
"""


LEARNED = """
fxkit = 1

[run]
name = "learned"
sample_rate = 16000

[data]
type = "paired-audio"
root = "device"
segment = 1000

[nodes.amp]
type = "gain"
controller = { type = "knobs-mlp" }

[model]
chain = ["amp"]

[losses.error]
type = "l1"

[train]
steps = 120
window = 500
batch_size = 4
validate_every = 60
optimizer = { type = "adam", lr = 0.03 }
"""


@pytest.mark.slow
def test_knobs_of_a_loaded_model_are_turned_while_it_plays(fxkit):
    done = fxkit("run", fxkit.write("turned.toml", EXPERIMENT), "--out", "run")
    assert done.returncode == 0, done.stderr
    model = load(fxkit.folder / "run", device="cpu")
    audio = 0.1 * np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    assert model.latency == 63

    turned = np.linspace(0.2, 0.9, 8000)
    whole = model(audio, knobs={"gain": turned})
    assert np.allclose(model.process_in_blocks(audio, 97, knobs={"gain": turned}), whole, atol=1e-5)
    assert not np.allclose(whole, model(audio, knobs={"gain": 0.2}), atol=1e-4)
    still = model(audio, knobs={"gain": np.full(8000, 0.5)})
    assert np.allclose(still, model(audio, knobs={"gain": 0.5}), atol=1e-6)
    track = model.parameters_at(audio, knobs={"gain": turned})["amp.condition"]
    assert np.allclose(track[0, :8000], turned, atol=1e-3)

    # Played at another rate, the knob is turned at the same times.
    slow = model(audio, 8000, knobs={"gain": turned})
    assert slow.shape == audio.shape
    with pytest.raises(RunError, match="gain: 7999 values for 8000 samples; give one, or one per sample"):
        model(audio, knobs={"gain": turned[1:]})

    knobs = {"gain": 0.2}

    def playing():
        for number, block in enumerate(np.split(audio, 40)):
            if number == 20:
                knobs["gain"] = 0.9
            yield block

    streamed = np.concatenate(list(model.stream(playing(), knobs=knobs)))[63:]
    before, after = (model(audio, knobs={"gain": gain}) for gain in (0.2, 0.9))
    # The whole block of 64 in which the knob is turned takes the new setting.
    assert np.allclose(streamed[:3968], before[:3968], atol=1e-5)
    assert not np.allclose(streamed[4000:], before[4000:7937], atol=1e-5)
    assert (
        np.abs(streamed[6000:] - after[6000:7937]).mean() < np.abs(streamed[6000:] - before[6000:7937]).mean()
    )


@pytest.mark.slow
def test_a_network_learns_from_recordings_in_which_a_knob_was_turned(fxkit):
    draw = np.random.default_rng(1)
    gain = np.interp(np.arange(16000) / 16000, [0.2, 0.8], [0.1, 1.0])
    for split in ("train", "val", "test"):
        dry = 0.1 * draw.standard_normal(16000)
        for side, audio in (("input", dry), ("target", gain * dry)):
            path = fxkit.folder / "device" / split / side / f"{split}.wav"
            path.parent.mkdir(parents=True)
            soundfile.write(path, audio, 16000, subtype="FLOAT")
    points = {"volume": [[0.2, 1.0], [0.8, 10.0]]}
    files = dict.fromkeys(("train", "val", "test"), points)
    (fxkit.folder / "device" / "knobs.json").write_text(json.dumps({"files": files}))
    done = fxkit("run", fxkit.write("learned.toml", LEARNED), "--out", "learned")
    assert done.returncode == 0, done.stderr
    model = load(fxkit.folder / "learned", device="cpu")
    tone = np.full(8000, 0.1, dtype=np.float32)
    levels = [model.parameters_at(tone, knobs={"volume": v})["amp.gain_db"].item() for v in (1.0, 10.0)]
    assert levels[1] - levels[0] > 10
