"""Sets of recordings against a reference: what is told, what is held back, and copies."""

from __future__ import annotations

import json

import pytest
import torch

from fxkit.context import BuildContext
from fxkit.embedding import VectorCache, embedded
from fxkit.files import strict_json
from fxkit.set_distance import Memorised
from fxkit.yardstick import SEEDS, Yardstick
from fxkit_embeddings.logmel_stats import LogmelStats
from fxkit_signal import distribution

RATE = 8000


def notes(seed, seconds, *, channels=1):
    """Return a melody of decaying notes, as random as the seed."""
    draw = torch.Generator().manual_seed(seed)
    audio = torch.zeros(int(seconds * RATE))
    at = 0
    while at < len(audio):
        length, pitch, level, slope = torch.rand(4, generator=draw).tolist()
        time = torch.arange(min(int((0.1 + 0.5 * length) * RATE), len(audio) - at)) / RATE
        hz = 80 * 2 ** (3 * pitch)
        tone = sum(torch.sin(2 * torch.pi * hz * k * time) / k ** (1 + slope) for k in (1, 2, 3))
        audio[at : at + len(time)] += (0.05 + 0.3 * level) * tone * torch.exp(-6 * time)
        at += max(1, len(time) // 2)
    return (audio + 1e-4 * torch.randn(len(audio), generator=draw)).expand(channels, -1).clone()


class Numbers:
    """Take the first two samples of each window as the vector."""

    samples = hop = 10
    provenance = "first two samples"

    def __call__(self, audio):
        return audio[:, 0, :2].double()


def spread(seed, windows, shift=0.0):
    """Return one recording whose windows' vectors are normal in two dimensions."""
    audio = torch.zeros(1, 10 * windows)
    drawn = torch.randn(windows, 2, generator=torch.Generator().manual_seed(seed)) + shift
    audio[0, 0::10], audio[0, 1::10] = drawn[:, 0], drawn[:, 1]
    return audio


@pytest.fixture(scope="module")
def music():
    return [notes(seed, 20) for seed in range(5)], [notes(100 + seed, 20) for seed in range(3)]


@pytest.fixture(scope="module")
def yardstick(music):
    training, held_out = music
    return Yardstick(
        LogmelStats(bands=4).build(BuildContext(sample_rate=RATE)),
        training,
        sample_rate=RATE,
        training=training,
        held_out=held_out,
        real=held_out,
    )


class TestDistances:
    reference = spread(0, 80)

    def test_figures_are_those_of_the_vectors(self):
        yardstick = Yardstick(Numbers(), [self.reference], sample_rate=RATE)
        other = spread(1, 60, shift=1.0)
        found = yardstick.measure([other])
        sets = embedded([self.reference], Numbers()), embedded([other], Numbers())
        assert found.mmd.value == pytest.approx(distribution.mmd(*sets), rel=1e-12)
        assert found.frechet.value == distribution.frechet_distance(*sets)
        divided = [distribution.parts(sets[0], 40, seed) for seed in SEEDS]
        width = distribution.kernel_width(sets[0])
        floors = [distribution.mmd(rest, part, width) for part, rest in divided]
        assert found.mmd.floor == pytest.approx((min(floors), max(floors)), rel=1e-12)
        assert found.mmd.real is None
        assert found.memorised is None
        assert found.notes == ()

    @pytest.mark.parametrize(("measured", "part"), [(20, 20), (60, 40), (200, 40)])
    def test_the_floor_is_that_of_a_part_as_large_as_what_is_measured(self, measured, part):
        vectors = embedded([self.reference], Numbers())
        found = Yardstick(Numbers(), [self.reference], sample_rate=RATE).measure([spread(1, measured)])
        divided = [distribution.parts(vectors, part, seed) for seed in SEEDS]
        floors = [distribution.frechet_distance(rest, one) for one, rest in divided]
        assert found.frechet.floor == pytest.approx((min(floors), max(floors)), rel=1e-9)

    def test_a_shift_is_above_the_floor_and_more_of_the_same_is_not(self):
        same = Yardstick(Numbers(), [self.reference], sample_rate=RATE, real=[spread(2, 60)])
        shifted, equal = same.measure([spread(3, 60, shift=1.0)]), same.measure([spread(4, 60)])
        assert shifted.mmd.value > 5 * max(shifted.mmd.floor[1], shifted.mmd.real)
        assert shifted.frechet.value > 5 * max(shifted.frechet.floor[1], shifted.frechet.real)
        assert equal.mmd.value < 5 * max(abs(equal.mmd.floor[0]), equal.mmd.floor[1])

    @pytest.mark.parametrize(("reference", "test"), [(19, 60), (80, 19), (19, 19)])
    def test_small_sets_have_no_frechet_distance_and_say_so(self, reference, test):
        found = Yardstick(Numbers(), [spread(0, reference)], sample_rate=RATE).measure([spread(1, test)])
        assert found.frechet is None
        assert found.mmd is not None
        (note,) = found.notes
        assert f"{reference} windows in the reference and {test} to measure, of 2 dimensions" in note
        assert "with less than 20 each" in note
        assert set(found.figures()) == {"mmd", "mmd_floor_low", "mmd_floor_high"}

    def test_fewer_windows_are_enough_where_that_is_asked_for(self):
        reference = [spread(0, 12)]
        assert Yardstick(Numbers(), reference, sample_rate=RATE).measure([spread(1, 12)]).frechet is None
        lenient = Yardstick(Numbers(), reference, sample_rate=RATE, per_dim=2.0)
        assert lenient.measure([spread(1, 12)]).frechet is not None

    def test_one_window_is_no_set(self):
        found = Yardstick(Numbers(), [spread(0, 50)], sample_rate=RATE).measure([spread(1, 1)])
        assert (found.mmd, found.frechet, found.figures()) == (None, None, {})
        assert str(found) == "50 windows in the reference and 1 to measure: a distance needs two each"

    def test_of_a_large_reference_a_part_is_used(self):
        found = Yardstick(Numbers(), [spread(0, 100)], sample_rate=RATE, most=40).measure([spread(1, 50)])
        assert found.provenance.reference == 34
        assert found.notes[0] == "of the reference's windows one in 3 is used"

    def test_a_network_that_hears_more_than_there_is_is_told_of(self):
        class Network(Numbers):
            network_rate = 16000

        note = "the network hears at 16000 Hz, the recordings have 8000 Hz"
        assert (
            Yardstick(Network(), [self.reference], sample_rate=8000)
            .notes([self.reference])[0]
            .startswith(note)
        )
        assert Yardstick(Network(), [self.reference], sample_rate=16000).notes([self.reference]) == ()

    def test_what_cannot_be_a_set_is_refused(self):
        with pytest.raises(ValueError, match="the reference holds no recording"):
            Yardstick(Numbers(), [], sample_rate=RATE)
        yardstick = Yardstick(Numbers(), [self.reference], sample_rate=RATE)
        with pytest.raises(ValueError, match="the measured set holds no recording"):
            yardstick.measure([])
        with pytest.raises(ValueError, match="has to be"):
            yardstick.measure([torch.zeros(100)])

    def test_everything_has_its_provenance_and_is_plain_values(self, music):
        embedding = LogmelStats(bands=4, window=0.5).build(BuildContext(sample_rate=RATE))
        found = Yardstick(embedding, music[0], sample_rate=RATE).measure(music[1])
        by = found.provenance
        assert by.embedding == embedding.provenance
        assert (by.weights, by.dims, by.reference, by.test) == ("", 8, 200, 120)
        assert (by.window, by.hop, by.sample_rate) == (0.5, 0.5, RATE)
        assert json.loads(strict_json(found.to_dict()))["provenance"]["dims"] == 8
        with pytest.raises(AttributeError):
            found.provenance = None

    def test_short_recordings_and_stereo_are_measured(self, music):
        embedding = LogmelStats(bands=4).build(BuildContext(sample_rate=RATE))
        yardstick = Yardstick(embedding, music[0], sample_rate=RATE)
        short = [notes(300, 0.3), notes(301, 5)]
        found = yardstick.measure(short)
        expected = "1 of 2 recordings are shorter than a window of 8000 samples and filled up with silence"
        assert expected in found.notes
        assert found.provenance.test == 6
        stereo = yardstick.measure([one.expand(2, -1) for one in music[1]])
        assert stereo.mmd.value == pytest.approx(yardstick.measure(music[1]).mmd.value, abs=1e-9)


class TestCopies:
    def test_new_music_is_not_suspicious(self, yardstick):
        found = yardstick.measure([notes(200 + seed, 20) for seed in range(3)])
        assert not found.memorised.suspicious
        assert found.memorised.share <= 0.05
        assert "copies" not in str(found)

    @pytest.mark.parametrize("offset", [0, 500, 1234, 3999])
    def test_copies_are_told_wherever_they_start(self, yardstick, music, offset):
        found = yardstick.measure([audio[:, offset:] for audio in music[0][:3]])
        assert found.memorised.suspicious
        # Half-way between two windows of the training recordings is worst.
        assert found.memorised.share > (0.35 if offset == 500 else 0.7)
        assert str(found).endswith("by chance): copies of training recordings")

    def test_a_part_that_is_copied_is_told_as_such(self, yardstick, music):
        planted = torch.cat((music[0][1][:, 3000:83000], notes(400, 10)), dim=1)
        found = yardstick.measure([planted, notes(401, 20)])
        assert found.memorised.suspicious
        assert 0.2 < found.memorised.share < 0.4

    def test_noise_is_far_from_everything_and_no_copy(self, yardstick):
        draw = torch.Generator().manual_seed(0)
        found = yardstick.measure([0.1 * torch.randn(1, 20 * RATE, generator=draw) for _ in range(3)])
        assert found.memorised.share == 0
        assert found.mmd.value > 0.3

    def test_silence_is_no_copy_of_silence(self, music):
        embedding = LogmelStats(bands=4).build(BuildContext(sample_rate=RATE))
        quiet = [torch.cat((one, torch.zeros(1, 5 * RATE)), dim=1) for one in (*music[0], *music[1])]
        training, held_out = quiet[:5], quiet[5:]
        yardstick = Yardstick(embedding, training, sample_rate=RATE, training=training, held_out=held_out)
        silent = yardstick.measure([torch.zeros(1, 5 * RATE), notes(500, 20)])
        assert not silent.memorised.suspicious
        assert yardstick.measure([training[0]]).memorised.share == 1.0
        assert yardstick.measure([torch.zeros(1, 5 * RATE)]).memorised is None

    def test_few_held_out_windows_cannot_tell(self, music):
        embedding = LogmelStats(bands=4).build(BuildContext(sample_rate=RATE))
        held_out = [music[1][0][:, : 2 * RATE]]
        yardstick = Yardstick(embedding, music[0], sample_rate=RATE, training=music[0], held_out=held_out)
        found = yardstick.measure([music[0][0]]).memorised
        assert found == Memorised(share=1.0, usual=1 / 3, limit=1.0)
        assert not found.suspicious


def test_what_stays_is_embedded_once(tmp_path, monkeypatch, music):
    calls = []
    embedding = LogmelStats(bands=4).build(BuildContext(sample_rate=RATE))
    monkeypatch.setattr("fxkit.embedding.embedded", lambda *call: calls.append(call) or embedded(*call))
    given = {
        "sample_rate": RATE,
        "training": music[0],
        "held_out": music[1],
        "real": music[1],
        "cache": VectorCache(folder=tmp_path),
    }
    first = Yardstick(embedding, music[0], **given).measure(music[1])
    # Each recording once at the usual hop, those for training also at the finer one.
    assert len(calls) == 5 + 3 + 5
    again = Yardstick(embedding, music[0], **given)
    assert again.measure(music[1]) == first
    assert len(calls) == 5 + 3 + 5
