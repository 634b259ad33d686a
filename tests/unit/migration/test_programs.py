from __future__ import annotations

import json
import math
import wave

import pytest
import tomli

from fxkit.migration.bringing import bring
from fxkit.migration.work import half_life


def tables(found):
    return tomli.loads(found.text)


def write(path, data):
    path.write_text(json.dumps(data))
    return path


def recording(path, seconds, rate=8000):
    path.parent.mkdir(parents=True, exist_ok=True)
    with wave.open(str(path), "wb") as file:
        file.setnchannels(1)
        file.setsampwidth(2)
        file.setframerate(rate)
        file.writeframes(b"\0\0" * round(seconds * rate))


def test_a_chain_of_nablafx_becomes_nodes_with_controllers(brought):
    told = tables(brought("nablafx-chain"))
    assert told["model"]["chain"] == ["high-pass", "gain", "polarity", "rational", "low-pass"]
    assert told["nodes"]["high-pass"]["lowest"] == 30.0
    assert told["nodes"]["gain"]["controller"] == {"type": "lstm-control", "hop": 32, "layers": 2, "lr": 0.5}
    assert told["nodes"]["low-pass"]["parameters"] == {"frequency": {"fixed": 9000.0}, "q": {"fixed": 0.6}}
    assert told["nodes"]["rational"] == {
        "type": "rational", "numerator": 4, "denominator": 3, "start": "tanh", "lr": 0.25,
    }  # fmt: skip
    assert told["losses"]["time"] == {"type": "smooth-l1", "weight": 1.0, "beta": 1.0}
    assert told["losses"]["frequency"]["filter"] == "a-weighting"
    assert told["data"]["val_fraction"] == 0.25
    assert told["run"] == {"sample_rate": 44100, "seed": 11}


def test_a_network_of_nablafx_keeps_the_defaults_that_it_has_there(brought):
    told = tables(brought("nablafx-tcn"))
    amp = told["nodes"]["amp"]
    assert (amp["bounded"], amp["bias"], amp["residual"]) == (True, False, False)
    assert amp["conditioning"] == {
        "type": "tfilm", "size": 2, "block": 64, "layers": 1, "lookahead": True, "around_one": False,
    }  # fmt: skip
    assert amp["controller"] == {"type": "knobs"}
    assert told["train"]["schedule"]["patience"] == 20


def test_a_window_makes_the_segment_a_number_of_whole_ones(brought):
    found = brought("nablafx-tcn")
    told = tables(found)
    assert (told["train"]["window"], told["data"]["segment"]) == (7000, 98000)
    note = next(one.note for one in found.ledger.of() if one.target == "train.window")
    assert "data.segment is 98000" in note


def test_limits_that_are_not_alike_both_ways_are_kept(tmp_path, sets):
    data = {
        "class_path": "nablafx.processors.Peaking",
        "init_args": {"min_gain_db": -3.0, "max_gain_db": 9.0},
    }
    model = {"class_path": "nablafx.models.GreyBoxModel", "init_args": {"processors": [data]}}
    path = write(tmp_path / "m.json", {"model": {"init_args": {"model": model, "lr": 0.1}}})
    told = tables(bring([sets["nablafx-chain"][0], path], "nablafx"))["nodes"]["peak"]
    assert told["gain_range"] == 9.0
    assert told["parameters"]["gain_db"] == {"low": -3.0, "high": 9.0}


def test_what_has_no_counterpart_is_said_in_the_file_at_its_place(tmp_path, sets):
    processors = [
        {"class_path": "nablafx.processors.PhaseShift", "init_args": {"min_shift": -90.0}},
        {"class_path": "nablafx.processors.Gain"},
    ]
    model = {"class_path": "nablafx.models.GreyBoxModel", "init_args": {"processors": processors}}
    loss = {"class_path": "my.Loss", "init_args": {"a": 1}}
    path = write(tmp_path / "m.json", {"model": {"init_args": {"model": model, "loss": loss}}})
    found = bring([sets["nablafx-chain"][0], path], "nablafx")
    lines = found.text.splitlines()
    start = lines.index("# [nodes]")
    said = " ".join(line.removeprefix("#").strip() for line in lines[start : start + 5])
    assert "m.json:1" in said
    assert '"nablafx.processors.PhaseShift"; no processor turns the phase of all frequencies alike' in said
    assert "no loss stands for Loss" in found.text
    assert [one.entry.key.rpartition(".")[2] for one in found.ledger.of("missing")] == [
        "class_path", "min_shift", "class_path", "a",
    ]  # fmt: skip


def test_a_wavenet_of_nam_becomes_its_arrays_warmed_up_by_its_reach(brought):
    told = tables(brought("nam-wavenet", steps_per_epoch=50))
    first, second = told["nodes"]["amp"]["arrays"]
    assert (first.pop("head_kernel"), first.pop("head_bias")) == (1, False)
    assert first == {"channels": 6, "kernel": 3, "dilations": [1, 2, 4], "activation": "tanh"}
    assert (second["gating"], second["activation"]) == ("gated", "relu")
    assert told["data"]["warmup"] == 2 * (1 + 2 + 4) + 2 * (8 + 16) + 1
    assert told["losses"]["emphasised"]["coefficient"] == 0.85
    assert told["train"]["best"] == "esr"
    assert (told["data"]["input"], told["data"]["target"], told["data"]["align"]) == ("dry", "wet", True)


def test_epochs_become_steps_where_their_number_is_said(brought):
    told = tables(brought("nam-wavenet", steps_per_epoch=50))["train"]
    assert (told["steps"], told["validate_every"]) == (1500, 50)
    # Half per epoch of 50 steps.
    assert told["schedule"] == {"type": "exponential", "half_life": 50}


def test_epochs_of_unknown_length_have_no_counterpart(brought):
    found = brought("nam-wavenet")
    told = tables(found)["train"]
    assert "steps" not in told
    assert "schedule" not in told
    assert {one.short_key for one in found.ledger.of("missing")} >= {
        "trainer.max_epochs", "lr_scheduler.kwargs.gamma",
    }  # fmt: skip


def test_recordings_that_are_there_tell_rate_split_and_steps(tmp_path, monkeypatch, sets):
    monkeypatch.chdir(tmp_path)
    recording(tmp_path / "takes" / "amp-dry.wav", 20.0)
    told = tables(bring(sets["nam-lstm"]))
    assert told["run"]["sample_rate"] == 8000
    assert told["data"]["val_fraction"] == 0.1
    steps = int(8000 * 18 / 4096 / 4)
    assert told["train"]["steps"] == 30 * steps
    assert told["train"]["validate_every"] == steps


def test_an_lstm_of_nam_is_warmed_up_by_the_longer_of_both_lengths(brought):
    told = tables(brought("nam-lstm", steps_per_epoch=10))
    assert told["nodes"]["amp"] == {
        "type": "lstm", "skip": False, "initial": "learned", "layers": 2, "hidden": 12,
    }  # fmt: skip
    assert told["data"]["warmup"] == 2048
    assert told["train"]["schedule"]["lowest"] == pytest.approx(0.01)


def test_stable_audio_keeps_what_there_is_and_names_the_rest(brought):
    found = brought("stable")
    told = tables(found)
    assert told["data"] == {
        "channels": "mono", "segment": 16384, "type": "audio-folder", "root": "sounds/small",
    }  # fmt: skip
    assert told["train"]["optimizer"] == {"type": "adamw", "lr": 2e-4, "beta1": 0.8, "beta2": 0.99}
    assert told["train"]["schedule"]["half_life"] == round(math.log(0.5) / math.log(0.999))
    assert (told["train"]["batch_size"], told["train"]["accumulate"]) == (6, 2)
    assert told["callbacks"]["listen"] == {"type": "audio-samples", "every": 300, "max_examples": 2}
    assert told["losses"]["l1"]["weight"] == 0.1
    assert "oobleck" in found.text
    assert {problem.path for problem in found.problems} == {"[model]", "[nodes]"}


def test_stereo_is_compared_by_sums_and_differences_beside_the_channels(tmp_path, sets):
    data = json.loads(sets["stable"][0].read_text())
    data["audio_channels"] = data["model"]["io_channels"] = 2
    told = tables(bring([write(tmp_path / "m.json", data), *sets["stable"][1:]]))["losses"]
    assert told["spectral"]["type"] == "sum-difference"
    assert told["spectral"]["inner"] == {
        key: value for key, value in told["spectral-channels"].items() if key != "weight"
    }


@pytest.mark.parametrize(("gamma", "steps"), [(0.5, 7), (0.993, 65), (0.999996, 1)])
def test_half_lives_halve(gamma, steps):
    assert gamma ** (half_life(gamma, steps) / steps) == pytest.approx(0.5, rel=0.01)


def test_sample_rates_must_agree(tmp_path, sets):
    processor = {"class_path": "nablafx.processors.PhaseInversion", "init_args": {"sample_rate": 48000}}
    model = {"class_path": "nablafx.models.GreyBoxModel", "init_args": {"processors": [processor]}}
    path = write(tmp_path / "m.json", {"model": {"init_args": {"model": model}}})
    found = bring([sets["nablafx-chain"][0], path], "nablafx")
    assert [one.note for one in found.ledger.of("missing")] == [
        "everything runs at run.sample_rate = 44100 Hz"
    ]
