"""Parameters that a file fixes, limits, ties and moves, from the file to the loaded model."""

from __future__ import annotations

import json

import numpy as np
import pytest
import tomli

from fxkit import load

EXPERIMENT = """
fxkit = 1

[run]
name = "tables"
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

[controllers.knobs]
type = "knobs-interpolation"
lr = 3.0

[controllers.automation]
type = "frames"
file = "automation.csv"

[controllers.level]
type = "conv-control"
channels = 4
dilations = [1, 2]

[nodes.drive]
type = "gain"
controller = "knobs"

[nodes.drive.parameters.gain_db]
low = 0
high = 20
start = 5

[nodes.fade]
type = "gain"
controller = "automation"

[nodes.moving]
type = "gain"
controller = "level"
parameters.gain_db = { low = -3, high = 3 }

[nodes.echo]
type = "gain"
parameters.gain_db.tie = "moving.gain_db"

[nodes.amp]
type = "static-mlp-nonlinearity"
hidden = 4

[nodes.out]
type = "gain"
parameters.gain_db.fixed = -4.5

[model]
chain = ["drive", "fade", "moving", "amp", "echo", "out"]

[losses.error]
type = "l1"

[train]
steps = 20
batch_size = 2
validate_every = 10
optimizer = { type = "adam", lr = 0.01 }
"""


@pytest.mark.slow
def test_a_run_with_parameter_tables_can_be_loaded_streamed_and_repeated(fxkit):
    (fxkit.folder / "automation.csv").write_text("time,gain_db (dB)\n0,-6\n0.256,6\n")
    done = fxkit("run", fxkit.write("tables.toml", EXPERIMENT), "--out", "one")
    assert done.returncode == 0, done.stderr
    resolved = tomli.loads((fxkit.folder / "one" / "resolved.toml").read_text())
    nodes = resolved["nodes"]
    assert nodes["drive"]["parameters"] == {"gain_db": {"start": 5.0, "low": 0.0, "high": 20.0}}
    assert nodes["echo"]["parameters"] == {"gain_db": {"tie": "moving.gain_db"}}
    assert nodes["out"]["parameters"] == {"gain_db": {"fixed": -4.5}}
    lock = tomli.loads((fxkit.folder / "one" / "lock.toml").read_text())
    assert np.allclose(lock["model"]["settings"], [[0.2], [0.5], [0.9]])

    model = load(fxkit.folder / "one", device="cpu")
    audio = 0.1 * np.random.default_rng(0).standard_normal(8000).astype(np.float32)
    tracks = model.parameters_at(audio, knobs={"gain": 0.5})
    assert tracks["out.gain_db"].tolist() == [[-4.5]]
    assert 0 < tracks["drive.gain_db"].item() < 20
    assert tracks["drive.gain_db"].item() != pytest.approx(5.0, abs=1e-3)
    assert np.array_equal(tracks["moving.gain_db"], tracks["echo.gain_db"])
    assert np.abs(tracks["moving.gain_db"]).max() < 3
    seconds = np.arange(8000) / 16000
    assert np.allclose(tracks["fade.gain_db"][0], np.interp(seconds, [0, 0.256], [-6, 6]), atol=1e-4)
    whole = model(audio, knobs={"gain": 0.5})
    assert np.allclose(model.process_in_blocks(audio, 97, knobs={"gain": 0.5}), whole, atol=1e-6)

    again = fxkit("run", "one/resolved.toml", "--out", "two")
    assert again.returncode == 0, again.stderr
    first, second = (json.loads((fxkit.folder / n / "results.json").read_text()) for n in ("one", "two"))
    assert first["test"] == second["test"]
