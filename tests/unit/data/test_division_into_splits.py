"""Recordings without a split of their own are divided by content, or by time."""

from __future__ import annotations

import hashlib
import itertools

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from fxkit.errors import DataError
from fxkit_data._split import Fractions, by_content, by_time
from fxkit_data.audio_folder import AudioFolder
from fxkit_data.paired_audio import PairedAudio

SPLITS = ("train", "val", "test")
contents = st.sets(st.binary(max_size=8), min_size=3, max_size=40).map(
    lambda items: [hashlib.sha256(item).hexdigest() for item in items]
)
shares = st.floats(0.01, 0.3)


@given(contents, shares, shares, st.randoms())
def test_division_depends_on_content_alone(digests, val, test, random):
    fractions = Fractions(val=val, test=test)
    divided = by_content(digests, fractions)
    shuffled = digests + digests[:2]
    random.shuffle(shuffled)
    assert by_content(shuffled, fractions) == divided
    sizes = {split: list(divided.values()).count(split) for split in SPLITS}
    assert sizes["val"] == max(1, round(val * len(digests)))
    assert sizes["test"] == max(1, round(test * len(digests)))
    assert sizes["train"] >= 1


@given(contents, st.binary(min_size=9, max_size=12))
def test_one_more_file_moves_at_most_one_over_each_border(digests, more):
    fractions = Fractions(val=0.1, test=0.1)
    before = by_content(digests, fractions)
    after = by_content([*digests, hashlib.sha256(more).hexdigest()], fractions)
    moves = [(before[digest], after[digest]) for digest in digests if before[digest] != after[digest]]
    assert len(moves) == len(set(moves)) <= 4


@pytest.mark.parametrize("count", [0, 1, 2])
def test_too_few_contents_are_not_divided(count):
    assert by_content([f"{n:064x}" for n in range(count)], Fractions(val=0.1, test=0.1)) is None


@given(st.integers(1, 100_000), st.floats(0, 0.5), st.floats(0, 0.49), st.integers(0, 2000))
def test_time_is_cut_into_parts_apart(samples, val, test, gap):
    parts = by_time(samples, Fractions(val=val, test=test), gap)
    assert parts["train"].start == 0
    present = [parts[split] for split in SPLITS if parts[split].stop > parts[split].start]
    assert all(0 <= part.start < part.stop <= samples for part in present)
    assert all(later.start - earlier.stop >= gap for earlier, later in itertools.pairwise(present))


def test_a_flat_folder_is_divided_by_files(folder, ctx):
    for number in range(10):
        folder.pair(f"take{number}")
    dataset = PairedAudio(root=folder.root, val_fraction=0.2, test_fraction=0.3).build(ctx)
    sizes = {split: len(dataset.recordings(split)) for split in SPLITS}
    assert sizes == {"train": 5, "val": 2, "test": 3}
    names = [take.name for split in SPLITS for take in dataset.recordings(split)]
    assert len(set(names)) == 10


def test_renaming_files_does_not_move_them(folder, ctx):
    def division(prefix):
        for number in range(6):
            audio = folder.audio(f"content {number}")
            folder.pair(f"{prefix(number)}", prefix(0), dry=audio)
        dataset = PairedAudio(root=folder.root / prefix(0)).build(ctx)
        return {take.digest: split for split in SPLITS for take in dataset.recordings(split)}

    assert division(lambda n: f"a{n}") == division(lambda n: f"z{9 - n}")


def test_one_dry_side_at_several_settings_stays_in_one_split(folder, ctx):
    for content in range(4):
        for drive in (1, 3):
            dry = folder.audio(f"content {content}")
            folder.pair(f"c{content}d{drive}", dry=dry, wet=0.6 * np.tanh(drive * dry))
    dataset = PairedAudio(root=folder.root).build(ctx)
    per_split = [{take.name[:2] for take in dataset.recordings(split)} for split in SPLITS]
    assert [len(group) for group in per_split] == [2, 1, 1]
    assert not per_split[0] & per_split[1] | per_split[0] & per_split[2] | per_split[1] & per_split[2]


def test_a_single_pair_is_cut_by_time(folder, ctx):
    folder.pair("take", dry=folder.audio("take", seconds=4.0))
    spec = PairedAudio(root=folder.root, val_fraction=0.25, test_fraction=0.25, gap=0.1)
    dataset = spec.build(ctx)
    whole = folder.audio("take", seconds=4.0)
    for split, start, stop in (("train", 0, 32_000), ("val", 33_600, 48_000), ("test", 49_600, 64_000)):
        (take,) = dataset.recordings(split)
        assert take.samples == stop - start
        assert abs(take.input[0].numpy() - whole[start:stop]).max() < 2e-4
    assert dataset.report.rows[0].split == "train/val/test"


def test_two_settings_of_one_dry_side_are_cut_at_the_same_places(folder, ctx):
    dry = folder.audio("take", seconds=4.0)
    for drive in (1, 3):
        folder.pair(f"drive{drive}", dry=dry, wet=0.6 * np.tanh(drive * dry))
    dataset = PairedAudio(root=folder.root, gap=0.1).build(ctx)
    for split in SPLITS:
        one, other = dataset.recordings(split)
        assert one.input.equal(other.input)
        assert not one.target.equal(other.target)


def test_missing_val_and_test_folders_are_filled_from_train(folder, ctx):
    for number in range(5):
        folder.pair(f"take{number}", "train")
    folder.pair("exam", "test")
    dataset = PairedAudio(root=folder.root, val_fraction=0.2).build(ctx)
    assert {split: len(dataset.recordings(split)) for split in SPLITS} == {"train": 4, "val": 1, "test": 1}
    assert dataset.recordings("test")[0].name == "exam"


def test_a_share_of_nothing_leaves_a_split_empty(folder, ctx):
    for number in range(5):
        folder.pair(f"take{number}")
    dataset = PairedAudio(root=folder.root, val_fraction=0.2, test_fraction=0.0).build(ctx)
    assert {split: len(dataset.recordings(split)) for split in SPLITS} == {"train": 4, "val": 1, "test": 0}


def test_what_is_too_short_to_be_cut_by_time_is_refused(folder, ctx):
    folder.pair("take")
    with pytest.raises(DataError) as caught:
        PairedAudio(root=folder.root).build(ctx)
    assert caught.value.problems == (
        f"{folder.root}/target/take.wav: is too short to be divided by time into train, val, test: 0.50 s;"
        " add recordings, or lower data.gap and data.skip",
    )


def test_single_recordings_are_divided_alike(folder, ctx):
    for number in range(10):
        folder.write(f"note{number}.wav", folder.audio(f"{number}"))
    dataset = AudioFolder(root=folder.root).build(ctx)
    assert {split: len(dataset.recordings(split)) for split in SPLITS} == {"train": 8, "val": 1, "test": 1}
