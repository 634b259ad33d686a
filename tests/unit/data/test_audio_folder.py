"""Folders of single recordings become targets without a dry side."""

from __future__ import annotations

import numpy as np
import pytest
import torch

from fxkit.errors import DataError
from fxkit_data.audio_folder import AudioFolder

SPLITS = ("train", "val", "test")


@pytest.fixture
def notes(folder):
    for split in SPLITS:
        folder.write(f"{split}/note.wav", folder.audio(split))
        (folder.root / split / "note.f0.csv").write_text("time_s,f0_hz\n0,440\n")
    return folder


def test_recordings_are_targets_alone(notes, ctx):
    dataset = AudioFolder(root=notes.root).build(ctx)
    assert (dataset.channels, dataset.target_channels, dataset.knobs) == (0, 1, ())
    for split in SPLITS:
        (note,) = dataset.recordings(split)
        assert note.input is None
        assert note.knobs is None
        assert note.target.dtype == torch.float32
        assert (note.target[0] - torch.from_numpy(notes.audio(split)).float()).abs().max() < 2e-4
    header = dataset.report.table().splitlines()[0].split()
    assert header == ["split", "recording", "rate", "channels", "seconds", "target", "peak"]


def test_stereo_is_mixed_down_unless_kept(notes, ctx):
    for split in SPLITS:
        notes.write(f"{split}/note.wav", np.stack([notes.audio(split), notes.audio("right")], 1))
    assert AudioFolder(root=notes.root).build(ctx).target_channels == 1
    kept = AudioFolder(root=notes.root, channels="keep").build(ctx)
    assert kept.target_channels == 2
    assert kept.channels == 0


def test_skip_is_on_every_recording(notes, ctx):
    dataset = AudioFolder(root=notes.root, skip=0.1).build(ctx)
    assert {dataset.recordings(split)[0].skip for split in SPLITS} == {1600}


def test_the_same_recording_in_two_splits_is_refused(notes, ctx):
    notes.write("test/other.wav", notes.audio("train"))
    with pytest.raises(DataError) as caught:
        AudioFolder(root=notes.root).build(ctx)
    assert caught.value.problems == (
        f"{notes.root}/test/other.wav: has the same audio as {notes.root}/train/note.wav in the train split;"
        ' keep it in one split, or set data.accept = ["duplicates"]',
    )
    assert len(AudioFolder(root=notes.root, accept=("duplicates",)).build(ctx).recordings("test")) == 2


@pytest.mark.parametrize(
    ("content", "problem"),
    [
        (b"", "is empty (0 bytes); copy or export it again"),
        (b"text", "is not readable as audio (format not recognised); export it again as WAV"),
    ],
)
def test_broken_recordings_are_refused(notes, ctx, content, problem):
    (notes.root / "val/note.wav").write_bytes(content)
    with pytest.raises(DataError) as caught:
        AudioFolder(root=notes.root).build(ctx)
    (line,) = caught.value.problems
    assert line.startswith(f"{notes.root}/val/note.wav: {problem}")


def test_an_empty_split_folder_is_refused(notes, ctx):
    (notes.root / "val/note.wav").unlink()
    with pytest.raises(DataError, match=r"val: holds no audio; add WAV.* files or remove the folder"):
        AudioFolder(root=notes.root).build(ctx)


def test_a_folder_without_audio_is_refused(folder, ctx):
    folder.root.mkdir()
    with pytest.raises(DataError, match=r"recordings: holds no audio; put WAV.* there as NAME\.wav"):
        AudioFolder(root=folder.root).build(ctx)


def test_two_recordings_that_differ_in_ending_alone_are_refused(notes, ctx):
    notes.write("train/note.flac", notes.audio("train"))
    with pytest.raises(DataError, match=r"note\.wav: has the same name as note\.flac; keep one of the two"):
        AudioFolder(root=notes.root).build(ctx)
