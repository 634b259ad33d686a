"""What the recordings decide about an experiment is told where the experiment says it."""

from __future__ import annotations

import types

import attrs
import pytest

from fxkit.context import BuildContext
from fxkit.engine.suitability import check_material
from fxkit.errors import ExperimentError
from fxkit.experiment.reader import read_experiment

FILE = """\
fxkit = 1
[run]
sample_rate = 48000
[data]
type = "paired-audio"
root = "."
segment = 4096
warmup = 100
[nodes.tone]
type = "parametric-eq"
peaks = 1
controller = { type = "static" }
[model]
chain = ["tone"]
[losses.wave]
type = "esr"
[callbacks.listen]
type = "audio-samples"
clips = ["val-0", "val-0 @ 0.5", "riff"]
[train]
batch_size = 4
optimizer = { type = "adam" }
"""


@attrs.frozen(kw_only=True)
class Recordings:
    """Stand for a dataset; `lengths` are those to train on."""

    lengths: tuple[int, ...] = (48000,)
    rates: tuple[int, ...] = (48000,)

    def recordings(self, split):
        lengths = self.lengths if split == "train" else (48000,)
        names = [f"{split}-{index}" for index in range(len(lengths))]
        pairs = zip(names, lengths, strict=True)
        return [types.SimpleNamespace(name=name, samples=samples) for name, samples in pairs]


@pytest.fixture
def check(tmp_path):
    """Return a function that checks FILE, changed, against recordings; it gives errors and warnings."""
    path = tmp_path / "pedal.toml"
    path.write_text(FILE)

    def check(*overrides, recordings=Recordings(), **facts):
        named = [one for one in overrides if one.startswith("callbacks")] or [
            'callbacks.listen.clips=["val-0"]'
        ]
        experiment = read_experiment(path, overrides=[*named, *(set(overrides) - set(named))])
        ctx = BuildContext(sample_rate=experiment.run.sample_rate, **facts)
        try:
            return [], [str(one) for one in check_material(experiment, recordings, ctx)]
        except ExperimentError as error:
            return [str(one) for one in error.problems], [str(one) for one in error.warnings]

    def told(*overrides, **options):
        errors, warnings = check(*overrides, **options)
        return [[one.replace(f"{path}:", "") for one in found] for found in (errors, warnings)]

    return told


def test_recordings_that_suit_leave_nothing_to_say(check):
    assert check() == [[], []]
    assert check('callbacks.listen.clips=["val-0", "val-0 @ 0.5", "test-0"]') == [[], []]


def test_segments_longer_than_a_recording_are_refused_with_the_length_that_fits(check):
    (error,), _ = check(recordings=Recordings(lengths=(48000, 3000)))
    assert error == (
        "7:11  data.segment: a segment behind its warm-up takes 4196 samples, and 1 of 2 recordings to train"
        " on has fewer: train-1 has 3000; 2048 fits"
    )
    assert check("data.segment=2048", recordings=Recordings(lengths=(48000, 3000))) == [[], []]


def test_a_batch_beyond_the_segments_is_a_warning_that_counts_them(check):
    recordings = Recordings(lengths=(4096 * 2 + 100, 4096 + 100))
    errors, (warning,) = check(recordings=recordings)
    assert errors == []
    assert warning == (
        "21:14  train.batch_size: the recordings give 3 segments of 4096 samples, and a batch of 4 has some"
        " twice; 3 is the largest without repeats"
    )
    assert check("train.batch_size=3", recordings=recordings) == [[], []]


def test_a_controller_of_knobs_needs_knobs(check):
    (error,), _ = check("nodes.tone.controller.type=knobs-mlp")
    assert error == (
        "--set #2  nodes.tone.controller: fxkit/knobs-mlp uses knobs, and this experiment has none; add"
        " settings to the recordings, or take a controller that needs none"
    )
    assert check("nodes.tone.controller.type=knobs-mlp", knobs=("drive",)) == [[], []]


def test_channels_that_the_chain_does_not_give_are_refused_at_the_chain(check):
    (error,), _ = check(channels=1, target_channels=2)
    assert error.startswith("14:9  model.chain: ends with 1 channel(s), the recordings have 2; data.channels")


def test_a_loss_of_stereo_needs_stereo(check):
    (error,), _ = check('losses.wide={type="sum-difference", inner={type="esr"}}')
    assert error == "--set #2  losses.wide: sum-difference takes 2 channels; the target has 1"


@pytest.mark.parametrize(
    ("rates", "told"),
    [
        ((48000,), ""),
        ((44100, 48000), ""),
        ((16000,), "the recordings have 16000 Hz and are brought to 48000 Hz, with nothing above 8000 Hz"),
        ((96000,), "the recordings have 96000 Hz and are brought to 48000 Hz: what they hold above 24000 Hz"),
    ],
)
def test_another_rate_than_that_of_the_files_is_a_warning(check, rates, told):
    errors, warnings = check(recordings=Recordings(rates=rates))
    assert errors == []
    assert [one.startswith(f"3:15  run.sample_rate: {told}") for one in warnings] == [True] * bool(told)


def test_a_clip_that_there_is_not_is_refused(check):
    (error,), _ = check('callbacks.listen.clips=["riff @ 2.5"]')
    expected = 'no recording "riff" is validated or tested on; there are test-0, val-0'
    assert error == f"--set #1  callbacks.listen.clips: {expected}"
