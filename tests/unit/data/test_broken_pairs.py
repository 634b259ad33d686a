"""Whatever is wrong with a folder of pairs is said: which file, what is wrong, what to do."""

from __future__ import annotations

import os
import shutil

import numpy as np
import pytest
import scipy.signal

from fxkit.errors import DataError
from fxkit_data.paired_audio import PairedAudio

RATE = 16_000
INPUT, TARGET = "train/input/train-take.wav", "train/target/train-take.wav"


def empty_file(folder):
    (folder.root / TARGET).write_bytes(b"")
    return f"{TARGET}: is empty (0 bytes); copy or export it again"


def truncated(folder):
    data = (folder.root / TARGET).read_bytes()
    (folder.root / TARGET).write_bytes(data[:-1000])
    return f"{TARGET}: is truncated: the last 1000 bytes are missing; copy or export it again"


def truncated_aiff(folder):
    (folder.root / INPUT).unlink()
    path = folder.write("train/input/train-take.aiff", folder.audio("train/train-take"))
    path.write_bytes(path.read_bytes()[:-500])
    return (
        "train/input/train-take.aiff: is truncated: the last 500 bytes are missing; copy or export it again"
    )


def truncated_flac(folder):
    (folder.root / TARGET).unlink()
    path = folder.write("train/target/train-take.flac", folder.audio("train/train-take"))
    path.write_bytes(path.read_bytes()[:-4000])
    return (
        "train/target/train-take.flac: is not readable as audio (flac decoder lost sync);"
        " export it again as WAV, FLAC, AIFF, OGG or MP3"
    )


def header_alone(folder):
    data = (folder.root / TARGET).read_bytes()
    (folder.root / TARGET).write_bytes(data[:40])
    return (
        f"{TARGET}: is not readable as audio (error in wav file. no 'data' chunk marker);"
        " export it again as WAV, FLAC, AIFF, OGG or MP3"
    )


def text_renamed(folder):
    (folder.root / TARGET).write_text("dear diary\n" * 50)
    return (
        f"{TARGET}: is not readable as audio (format not recognised);"
        " export it again as WAV, FLAC, AIFF, OGG or MP3"
    )


def text_renamed_mp3(folder):
    (folder.root / TARGET).unlink()
    (folder.root / "train/target/train-take.mp3").write_text("dear diary\n" * 50)
    return (
        "train/target/train-take.mp3: is not readable as audio (format not recognised);"
        " export it again as WAV, FLAC, AIFF, OGG or MP3"
    )


def zero_length(folder):
    folder.write(TARGET, np.zeros(0))
    return f"{TARGET}: holds no samples; export it again, or remove it"


def one_sample(folder):
    folder.write(TARGET, np.ones(1) * 0.5)
    return f"{TARGET}: is too short: 1 sample (0.062 ms); use recordings of at least 0.05 s"


def not_a_number(folder):
    audio = folder.audio("x")
    audio[[4000, 4001]] = np.nan
    folder.write(TARGET, audio, subtype="FLOAT")
    return (
        f"{TARGET}: holds NaN or infinity: samples at fault 2, the first at 0.250 s;"
        " export it again, or cut them out"
    )


def infinite(folder):
    audio = folder.audio("x")
    audio[800] = np.inf
    folder.write(INPUT, audio, subtype="FLOAT")
    return (
        f"{INPUT}: holds NaN or infinity: samples at fault 1, the first at 0.050 s;"
        " export it again, or cut them out"
    )


def silent(folder):
    folder.write(TARGET, np.zeros(8000))
    return f"{TARGET}: is silent: every sample is zero; check the cable and the exported track, or remove it"


def nearly_silent(folder):
    folder.write(INPUT, 4e-5 * folder.audio("x"), subtype="FLOAT")
    return f"{INPUT}: is silent: its peak is -94 dBFS; check the cable and the exported track, or remove it"


def clipped(folder):
    folder.write(TARGET, np.clip(8 * folder.audio("train/train-take"), -1, 1))
    return (
        f"{TARGET}: is clipped: 1572 samples (20 %) stick at full scale;"
        ' record it at a lower level, or set data.accept = ["clipping"]'
    )


def mixed_rates(folder):
    folder.write(TARGET, scipy.signal.resample(folder.audio("train/train-take"), 22_051), rate=44_100)
    return (
        f"{TARGET}: is at 44100 Hz, its dry side train-take.wav at 16000 Hz;"
        ' export both at one rate, or set data.accept = ["rate"] to resample each'
    )


def mixed_channels(folder):
    dry = folder.audio("val/val-take")
    folder.write("val/target/val-take.wav", np.stack([dry, dry], axis=1))
    return (
        "val/target/val-take.wav: has 2 channels where the others have 1;"
        ' export all alike, or set data.channels = "mono" or "stereo"'
    )


def longer_wet(folder):
    wet = np.tanh(folder.audio("train/train-take"))
    folder.write(TARGET, np.concatenate([wet, wet[:400]]))
    return (
        f"{TARGET}: is 400 samples (0.025 s) longer than its dry side train-take.wav;"
        " export both from the same start to the same end, or set data.align = true to cut the longer"
    )


def delayed(folder):
    folder.pair("train-take", "train", wet=folder.delayed(folder.audio("train/train-take"), 37.25))
    return (
        f"{TARGET}: is 37.25 samples late against its dry side;"
        ' set data.align = true to move it, or data.accept = ["latency"] to keep it'
    )


def early(folder):
    audio = folder.audio("train/train-take", seconds=0.6)
    folder.pair("train-take", "train", dry=audio[:8000], wet=audio[12:8012])
    return (
        f"{TARGET}: is 12.00 samples early against its dry side;"
        ' set data.align = true to move it, or data.accept = ["latency"] to keep it'
    )


def another_take(folder):
    folder.write(TARGET, folder.audio("something else"))
    return (
        f"{TARGET}: has nothing in common with its dry side;"
        ' check that both are of the same take, or set data.accept = ["unrelated"]'
    )


def no_partner(folder):
    (folder.root / TARGET).unlink()
    return f"{INPUT}: has no target partner named 'train-take'; add that file or remove this one"


def misspelt_partner(folder):
    (folder.root / TARGET).rename(folder.root / "train/target/train_take.wav")
    return [
        f"{INPUT}: has no target partner of that name (is it 'train_take'?);"
        " add that file or remove this one",
        "train/target/train_take.wav: has no input partner of that name (is it 'train-take'?);"
        " add that file or remove this one",
    ]


def no_wet_folder(folder):
    shutil.rmtree(folder.root / "val/target")
    return "val/target: no such folder; add the other side of the pairs"


def other_spelling(folder):
    for split in ("train", "val", "test"):
        (folder.root / split / "input").rename(folder.root / split / "dry")
        (folder.root / split / "target").rename(folder.root / split / "wet")
    return [
        f"{split}: holds no pairs: neither input/ and target/ nor NAME-input and NAME-target;"
        " add audio, or name the sides by data.input and data.target; found dry/, wet/"
        for split in ("train", "val", "test")
    ]


def no_train_folder(folder):
    shutil.rmtree(folder.root / "train")
    return "train: no such folder; add it"


def no_audio(folder):
    shutil.rmtree(folder.root)
    folder.root.mkdir()
    (folder.root / "notes.txt").write_text("later")
    return (
        ": holds no audio; put WAV, FLAC, AIFF, OGG or MP3 files there as input/NAME.wav and target/NAME.wav,"
        " or NAME-input.wav beside NAME-target.wav (in train/, val/ and test/ or without)"
    )


def no_folder(folder):
    shutil.rmtree(folder.root)
    return ": no such folder; correct data.root"


def a_file_for_a_folder(folder):
    shutil.rmtree(folder.root)
    folder.root.write_text("")
    return ": is a file, not a folder; correct data.root"


def same_name_twice(folder):
    folder.write("train/input/train-take.flac", folder.audio("x"))
    return f"{INPUT}: has the same name as train-take.flac; keep one of the two, or rename it"


def unsupported(folder):
    (folder.root / TARGET).rename(folder.root / "train/target/train-take.m4a")
    return "train/target/train-take.m4a: .m4a is not read; convert it to WAV, FLAC, AIFF, OGG or MP3"


def duplicate(folder):
    dry = folder.audio("train/train-take")
    folder.pair("again", "test", dry=dry)
    return [
        f"test/{side}/again.wav: has the same audio as ROOT/train/{side}/train-take.wav in the train split;"
        ' keep it in one split, or set data.accept = ["duplicates"]'
        for side in ("input", "target")
    ]


def unreadable(folder):
    (folder.root / TARGET).chmod(0)
    return f"{TARGET}: cannot be opened (Permission denied); check the file and its permissions"


def dangling_link(folder):
    (folder.root / TARGET).unlink()
    (folder.root / TARGET).symlink_to(folder.root / "gone.wav")
    return f"{TARGET}: cannot be opened (No such file or directory); check the file and its permissions"


CASES = [
    empty_file,
    truncated,
    truncated_aiff,
    truncated_flac,
    header_alone,
    text_renamed,
    text_renamed_mp3,
    zero_length,
    one_sample,
    not_a_number,
    infinite,
    silent,
    nearly_silent,
    clipped,
    mixed_rates,
    mixed_channels,
    longer_wet,
    delayed,
    early,
    another_take,
    no_partner,
    misspelt_partner,
    no_wet_folder,
    other_spelling,
    no_train_folder,
    no_audio,
    no_folder,
    a_file_for_a_folder,
    same_name_twice,
    unsupported,
    duplicate,
    pytest.param(unreadable, marks=pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")),
    dangling_link,
]


def refused(folder, ctx, **options):
    with pytest.raises(DataError) as caught:
        PairedAudio(root=folder.root, **options).build(ctx)
    return [line.replace(str(folder.root), "ROOT") for line in caught.value.problems]


def expected(lines):
    lines = [lines] if isinstance(lines, str) else lines
    return ["ROOT" + line if line.startswith(":") else f"ROOT/{line}" for line in lines]


@pytest.mark.parametrize("broken", CASES)
def test_each_defect_is_one_line_with_file_cause_and_fix(folder, ctx, broken):
    lines = expected(broken(folder.splits()))
    assert refused(folder, ctx) == lines


def test_all_defects_are_told_at_once(folder, ctx):
    folder.splits()
    lines = expected([silent(folder), no_wet_folder(folder)])
    folder.write("test/target/test-take.wav", np.zeros(0))
    lines += expected("test/target/test-take.wav: holds no samples; export it again, or remove it")
    assert sorted(refused(folder, ctx)) == sorted(lines)


def test_an_inverted_side_is_reported_and_kept(folder, ctx):
    folder.splits()
    dry = folder.audio("train/train-take")
    folder.pair("train-take", "train", dry=dry, wet=-0.5 * dry)
    dataset = PairedAudio(root=folder.root).build(ctx)
    assert f"{folder.root / TARGET}: is inverted against its dry side" in dataset.report.table()
    assert dataset.report.rows[0].polarity == -1
    take = dataset.recordings("train")[0]
    assert (take.target + 0.5 * take.input).abs().max() < 1e-4


@pytest.mark.parametrize(
    ("broken", "check"),
    [
        (clipped, "clipping"),
        (mixed_rates, "rate"),
        (delayed, "latency"),
        (another_take, "unrelated"),
        (duplicate, "duplicates"),
        (silent, "silence"),
    ],
)
def test_an_accepted_defect_is_a_remark(folder, ctx, broken, check):
    broken(folder.splits())
    table = PairedAudio(root=folder.root, accept=(check,)).build(ctx).report.table()
    assert f"{check}: {folder.root}" in table
