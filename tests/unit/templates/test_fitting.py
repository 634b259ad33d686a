"""What a template becomes for a folder of recordings."""

from __future__ import annotations

import pytest
import soundfile

from fxkit.catalog import Catalog
from fxkit.errors import DataError
from fxkit.templates.fitting import fit, relative
from fxkit.templates.material import look
from fxkit.templates.template import template_named, templates

CATALOG = Catalog.installed(in_tree_only=True)
SPLITS = {"train": 2, "val": 1, "test": 1}


def fitted(template, folder, file=None):
    """Return the changed values by path."""
    chosen = template_named(template, templates())
    material = look(folder, chosen.survey(CATALOG)(folder), lambda number: None)
    changes = fit(chosen.tree, material, file or folder.parent / "new.toml")
    return {".".join(path): change.value for path, change in changes.items()}


def test_recordings_of_the_templates_rate_change_only_where_they_are(pairs):
    assert fitted("amp-lstm", pairs("amp", SPLITS, seconds=25.0)) == {"data.root": "amp"}


def test_the_rate_is_that_of_most_recordings(pairs):
    root = pairs("amp", SPLITS, seconds=25.0, rate=44100)
    changed = fitted("amp-lstm", root)
    assert changed["run.sample_rate"] == 44100
    assert not {"data.segment", "data.warmup", "train.window"} & changed.keys()


def test_at_twice_the_rate_segments_last_as_long(pairs):
    changed = fitted("amp-lstm", pairs("amp", SPLITS, seconds=25.0, rate=96000))
    assert (changed["data.segment"], changed["data.warmup"], changed["train.window"]) == (16384, 2048, 2048)


def test_a_rate_that_is_not_allowed_is_left_alone(pairs):
    assert "run.sample_rate" not in fitted("amp-lstm", pairs("amp", SPLITS, seconds=30.0, rate=4000))


def test_a_model_of_frames_keeps_its_rate_where_recordings_have_more(pairs):
    root = pairs("flute", {None: 4}, rate=44100, sides=("notes",), channels=(1,))
    assert "run.sample_rate" not in fitted("harmonic-synth", root)


@pytest.mark.parametrize("seconds", [0.15, 0.3, 0.6, 1.5])
def test_warm_up_and_segment_fit_into_the_shortest_recording(pairs, seconds):
    changed = fitted("compressor", pairs("short", SPLITS, seconds=seconds))
    segment, warmup = changed.get("data.segment", 16384), changed.get("data.warmup", 16384)
    assert segment + warmup <= int(seconds * 48000)
    assert segment >= 256


def test_a_window_is_never_longer_than_its_segment(pairs):
    changed = fitted("amp-wavenet", pairs("short", SPLITS, seconds=0.03))
    assert changed["train.window"] <= changed["data.segment"]
    assert changed["data.segment"] % changed["train.window"] == 0


def test_a_batch_has_no_more_segments_than_there_are(pairs):
    changed = fitted("overdrive-graybox", pairs("few", {"train": 1, "val": 1, "test": 1}, seconds=1.5))
    assert changed["train.batch_size"] == 4


def test_one_long_take_counts_less_what_validation_and_test_get(pairs):
    changed = fitted("overdrive-graybox", pairs("one", {None: 1}, seconds=1.0))
    segment, warmup = changed["data.segment"], changed.get("data.warmup", 4096)
    assert segment + warmup <= 0.3 * 48000


def test_what_is_too_short_is_named(pairs):
    with pytest.raises(DataError, match=r"take\d\.wav: lasts 0\.002 s, too short to learn from"):
        fitted("amp-lstm", pairs("tiny", SPLITS, seconds=0.002))


def test_the_unscored_start_goes_where_recordings_are_short(pairs):
    assert fitted("amp-lstm", pairs("short", SPLITS, seconds=3.0))["data.skip"] is None
    assert "data.skip" not in fitted("amp-lstm", pairs("long", SPLITS, seconds=25.0))


def test_a_mono_and_a_stereo_side_are_averaged(pairs):
    assert fitted("amp-lstm", pairs("wide", SPLITS, channels=(1, 2)))["data.channels"] == "mono"
    assert "data.channels" not in fitted("amp-lstm", pairs("stereo", SPLITS, channels=(2, 2)))


def test_other_names_of_the_two_sides_become_options(pairs):
    changed = fitted("amp-lstm", pairs("amp", SPLITS, sides=("Dry", "Wet")))
    assert (changed["data.input"], changed["data.target"]) == ("Dry", "Wet")


def test_a_path_is_relative_to_the_new_file(tmp_path):
    assert relative(tmp_path / "my" / "amp", tmp_path / "a.toml") == "my/amp"
    assert relative(tmp_path / "amp", tmp_path / "experiments" / "a.toml") == "../amp"


def test_a_path_is_absolute_where_relative_would_lead_elsewhere(tmp_path):
    (tmp_path / "deep" / "inside").mkdir(parents=True)
    (tmp_path / "linked").symlink_to(tmp_path / "deep" / "inside")
    (tmp_path / "amp").mkdir()
    assert relative(tmp_path / "amp", tmp_path / "linked" / "a.toml") == str(tmp_path / "amp")


def test_a_file_that_is_no_audio_is_named(pairs):
    root = pairs("amp", SPLITS)
    (root / "train" / "input" / "take0.wav").write_bytes(b"RIFF of nothing")
    with pytest.raises(DataError, match=r"train/input/take0\.wav: is not readable as audio"):
        fitted("amp-lstm", root)


def test_only_headers_are_read(pairs, monkeypatch):
    root = pairs("amp", SPLITS)
    monkeypatch.setattr(soundfile, "read", None)
    monkeypatch.setattr(soundfile.SoundFile, "read", None)
    assert fitted("amp-lstm", root)["data.root"] == "amp"
