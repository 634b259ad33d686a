"""Good folders of pairs become recordings, whatever their layout, format, rate and channels."""

from __future__ import annotations

import subprocess
import sys

import numpy as np
import pytest
import torch

from fxkit.context import BuildContext
from fxkit.errors import DataError
from fxkit.protocols import Dataset
from fxkit_data.paired_audio import PairedAudio

RATE = 16_000
SPLITS = ("train", "val", "test")


def names(dataset):
    return {split: [take.name for take in dataset.recordings(split)] for split in SPLITS}


def one_per_split(dataset):
    return all(len(dataset.recordings(split)) == 1 for split in SPLITS)


def test_a_folder_per_split_becomes_recordings(folder, ctx):
    dataset = PairedAudio(root=folder.splits().root).build(ctx)
    assert isinstance(dataset, Dataset)
    assert (dataset.channels, dataset.target_channels, dataset.knobs) == (1, 1, ())
    assert names(dataset) == {split: [f"{split}-take"] for split in SPLITS}
    (take,) = dataset.recordings("val")
    dry = torch.from_numpy(folder.audio("val/val-take")).float()
    assert take.input.shape == take.target.shape == (1, 8000)
    assert take.input.dtype == take.target.dtype == torch.float32
    assert (take.input[0] - dry).abs().max() < 2e-4
    assert (take.target[0] - 0.6 * torch.tanh(2 * dry)).abs().max() < 2e-4
    assert take.knobs is None
    assert take.skip == 0


def test_the_sides_can_have_other_names(folder, ctx):
    for split in SPLITS:
        folder.pair("take", split)
        (folder.root / split / "input").rename(folder.root / split / "x")
        (folder.root / split / "target").rename(folder.root / split / "y")
    assert one_per_split(PairedAudio(root=folder.root, input="x", target="y").build(ctx))


@pytest.mark.parametrize("joint", ["-", ".", "_"])
@pytest.mark.parametrize("split_folders", [True, False])
def test_sides_may_lie_beside_each_other(folder, ctx, joint, split_folders):
    for split in SPLITS:
        place = f"{split}/" if split_folders else ""
        audio = folder.audio(split)
        folder.write(f"{place}{split}{joint}input.wav", audio)
        folder.write(f"{place}{split}{joint}target.wav", np.tanh(audio))
    dataset = PairedAudio(root=folder.root).build(ctx)
    assert one_per_split(dataset)
    assert sorted(name for (name,) in names(dataset).values()) == sorted(SPLITS)


def test_folders_inside_a_side_are_part_of_the_name(folder, ctx):
    folder.splits()
    folder.pair("bass/low", "train")
    assert names(PairedAudio(root=folder.root).build(ctx))["train"] == ["bass/low", "train-take"]


@pytest.mark.parametrize("ending", ["wav", "flac", "aif", "aiff", "ogg", "mp3", "WAV"])
def test_every_format_is_read(folder, ctx, ending):
    for split in SPLITS:
        audio = folder.audio(split, seconds=1.0)
        options = {"format": "AIFF"} if ending == "aif" else {}
        folder.write(f"{split}/input/take.{ending}", audio, **options)
        folder.write(f"{split}/target/take.{ending}", 0.5 * audio, **options)
    (take,) = PairedAudio(root=folder.root).build(ctx).recordings("test")
    dry = torch.from_numpy(folder.audio("test", seconds=1.0)).float()
    lossy = ending in ("ogg", "mp3")
    assert (take.input[0] - dry).std() < (0.4 * dry.std() if lossy else 2e-4)
    assert take.samples == RATE


def test_the_two_sides_may_be_of_different_formats(folder, ctx):
    for split in SPLITS:
        folder.write(f"{split}/input/take.wav", folder.audio(split))
        folder.write(f"{split}/target/take.flac", 0.5 * folder.audio(split), subtype="PCM_24")
    assert one_per_split(PairedAudio(root=folder.root).build(ctx))


@pytest.mark.parametrize("recorded", [44_100, 8000])
def test_another_rate_is_resampled_and_told(folder, recorded):
    for split in SPLITS:
        time = np.arange(recorded) / recorded
        dry = 0.4 * np.sin(2 * np.pi * 700 * time) + 0.1 * folder.audio(split, 1.0, recorded)
        folder.pair("take", split, dry=dry, rate=recorded)
    dataset = PairedAudio(root=folder.root).build(BuildContext(sample_rate=RATE))
    (take,) = dataset.recordings("train")
    assert take.samples == RATE
    turn = torch.exp(-2j * torch.pi * 700 / RATE * torch.arange(RATE))
    phasor = 2 * (take.input[0] * turn).mean()
    assert abs(phasor) == pytest.approx(0.4, rel=0.02)
    assert float(phasor.angle()) == pytest.approx(-np.pi / 2, abs=0.02)
    assert f"resampled from {recorded} Hz to 16000 Hz" in dataset.report.table()


def test_stereo_is_kept_mixed_or_made(folder, ctx):
    for split in SPLITS:
        left, right = folder.audio(f"{split} left"), folder.audio(f"{split} right")
        folder.pair("take", split, dry=np.stack([left, right], 1), wet=np.stack([left, 0.5 * right], 1))

    def built(channels):
        dataset = PairedAudio(root=folder.root, channels=channels).build(ctx)
        return dataset, dataset.recordings("train")[0]

    kept, take = built("keep")
    assert (kept.channels, kept.target_channels) == take.input.shape[:1] + take.target.shape[:1] == (2, 2)
    mixed, mono = built("mono")
    assert (mixed.channels, mixed.target_channels) == (1, 1)
    assert (mono.input[0] - take.input.mean(0)).abs().max() < 1e-6
    assert "its 2 channels are averaged to one" in mixed.report.table()


def test_mono_becomes_stereo_where_asked(folder, ctx):
    dataset = PairedAudio(root=folder.splits().root, channels="stereo").build(ctx)
    (take,) = dataset.recordings("val")
    assert (dataset.channels, dataset.target_channels) == (2, 2)
    assert take.input[0].equal(take.input[1])


def test_more_than_two_channels_do_not_become_stereo(folder, ctx):
    folder.splits()
    folder.pair("take", "val", dry=np.stack([folder.audio("x")] * 3, 1))
    with pytest.raises(
        DataError, match=r"val/input/take\.wav: has 3 channels, not 1 or 2; export it in stereo"
    ):
        PairedAudio(root=folder.root, channels="stereo").build(ctx)


def test_a_mono_device_may_have_a_stereo_wet_side(folder, ctx):
    for split in SPLITS:
        dry = folder.audio(split)
        folder.pair("take", split, dry=dry, wet=np.stack([np.tanh(dry), 0.5 * dry], 1))
    dataset = PairedAudio(root=folder.root).build(ctx)
    assert (dataset.channels, dataset.target_channels) == (1, 2)


def test_skip_is_on_every_recording(folder, ctx):
    dataset = PairedAudio(root=folder.splits().root, skip=0.25).build(ctx)
    assert {take.skip for split in SPLITS for take in dataset.recordings(split)} == {4000}


def test_a_recording_that_skip_leaves_nothing_of_is_refused(folder, ctx):
    with pytest.raises(
        DataError, match=r"is 0\.50 s long and data\.skip leaves all of it out of scores; lower"
    ):
        PairedAudio(root=folder.splits().root, skip=0.5).build(ctx)


def test_stray_audio_is_told(folder, ctx):
    folder.splits()
    folder.write("outtake.wav", folder.audio("outtake"))
    table = PairedAudio(root=folder.root).build(ctx).report.table()
    assert f"unused: {folder.root}/outtake.wav: not used" in table


@pytest.mark.parametrize("samples", [37.25, -12.6, 300.0])
def test_align_recovers_latency_sign_and_gain(folder, ctx, samples):
    for split in SPLITS:
        dry = folder.audio(split, seconds=1.0)
        folder.pair("take", split, dry=dry, wet=-(10 ** (-3 / 20)) * folder.delayed(dry, samples))
    dataset = PairedAudio(root=folder.root, align=True).build(ctx)
    for row in dataset.report.rows:
        assert row.latency == pytest.approx(samples, abs=0.05)
        assert row.polarity == -1
        assert row.gain == pytest.approx(-3, abs=0.05)
    (take,) = dataset.recordings("test")
    inner = slice(500, -500)
    error = take.target[0, inner] + 10 ** (-3 / 20) * take.input[0, inner]
    assert error.square().mean() / take.target.square().mean() < 2e-3
    assert "moved into place" in dataset.report.table()


def test_align_cuts_the_longer_side(folder, ctx):
    folder.splits()
    dry = folder.audio("train/train-take")
    folder.pair("train-take", "train", dry=np.concatenate([dry, dry[:100]]), wet=dry)
    dataset = PairedAudio(root=folder.root, align=True).build(ctx)
    assert dataset.recordings("train")[0].samples == 8000
    assert "100 samples (0.006 s) shorter than its dry side" in dataset.report.table()


def test_align_leaves_a_pair_in_place_as_it_is(folder, ctx):
    folder.splits()
    plain, aligned = (PairedAudio(root=folder.root, align=align).build(ctx) for align in (False, True))
    assert plain.recordings("train")[0].target.equal(aligned.recordings("train")[0].target)


def test_the_digest_is_of_the_audio_and_not_of_the_file(folder, ctx):
    digests = []
    for ending in ("wav", "flac"):
        for split in SPLITS:
            audio = (20_000 * folder.audio(split)).astype(np.int16)
            folder.write(f"{ending}/{split}/input/{ending}.{ending}", audio)
            folder.write(f"{ending}/{split}/target/{ending}.{ending}", audio // 2)
        dataset = PairedAudio(root=folder.root / ending).build(ctx)
        digests.append([take.digest for split in SPLITS for take in dataset.recordings(split)])
    assert digests[0] == digests[1]
    assert len(set(digests[0])) == 3


def test_the_table_is_aligned_text(folder, ctx):
    lines = PairedAudio(root=folder.splits().root).build(ctx).report.table().splitlines()
    assert lines[0].split("  ")[0] == "split"
    assert len(lines) == 4
    place = lines[0].index("polarity")
    assert {line[place] for line in lines[1:]} == {"+"}


def test_describing_the_datasets_loads_neither_torch_nor_numpy():
    code = (
        "import sys\n"
        "from fxkit_data import audio_folder, paired_audio, virtual_device\n"
        "from fxkit.spec import describe\n"
        "specs = (audio_folder.AudioFolder, paired_audio.PairedAudio, virtual_device.VirtualDevice)\n"
        "print(*(len(describe(spec).options) for spec in specs))\n"
        "print({'torch', 'numpy', 'scipy', 'soundfile'} & sys.modules.keys())\n"
    )
    out = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    assert out.splitlines() == ["7 12 4", "set()"]


@pytest.mark.parametrize(
    ("change", "remark"),
    [
        (lambda x: 0.009 * x, "quiet: ROOT: is quiet: its peak is -47 dBFS"),
        (lambda x: 0.5 * x + 0.1, "offset: ROOT: has a DC offset of 0.102"),
        (lambda x: 3 * x, "over: ROOT: its peak of +3.5 dBFS is over full scale"),
        (lambda x: np.where(np.arange(len(x)) // 4 == 500, 1.0, x), "clipping: ROOT: is clipped: 4 samples"),
    ],
)
def test_what_is_odd_but_usable_is_a_remark(folder, ctx, change, remark):
    folder.splits()
    wet = change(folder.audio("train/train-take"))
    path = folder.write("train/target/train-take.wav", wet, subtype="FLOAT")
    spec = PairedAudio(root=folder.root, accept=("clipping",) if "clip" in remark else ())
    assert remark.replace("ROOT", str(path)) in spec.build(ctx).report.table()


def test_a_wav_of_unknown_length_is_read_to_its_end(folder, ctx):
    """Programs that write to a pipe cannot go back to fill in the lengths."""
    folder.splits()
    path = folder.root / "train/target/train-take.wav"
    data = bytearray(path.read_bytes())
    place = data.index(b"data") + 4
    data[4:8] = data[place : place + 4] = b"\xff\xff\xff\xff"
    path.write_bytes(data)
    (take,) = PairedAudio(root=folder.root).build(ctx).recordings("train")
    assert take.samples == 8000


def test_names_can_tell_where_in_its_take_a_file_starts(folder, ctx):
    for name, split in (("a_0s", "train"), ("b_90s", "val"), ("c_1.5s", "test"), ("d", "test")):
        folder.pair(name, split)
    dataset = PairedAudio(root=folder.root, start=r"_([0-9.]+)s$").build(ctx)
    starts = {take.name: take.start for split in SPLITS for take in dataset.recordings(split)}
    assert starts == {"a_0s": 0, "b_90s": 90 * RATE, "c_1.5s": 24_000, "d": 0}


def test_parts_that_one_file_is_cut_into_start_where_they_were_cut(folder, ctx):
    folder.pair("take", dry=folder.audio("take", seconds=4.0))
    dataset = PairedAudio(root=folder.root, gap=0.1).build(ctx)
    whole = torch.from_numpy(folder.audio("take", seconds=4.0)).float()
    for split in SPLITS:
        (take,) = dataset.recordings(split)
        assert (take.start > 0) == (split != "train")
        assert (take.input[0] - whole[take.start : take.start + take.samples]).abs().max() < 2e-4


@pytest.mark.parametrize(("pattern", "wrong"), [("_(\\d+", "no regular expression"), ("_\\d+s", "one group")])
def test_an_expression_without_a_number_to_read_is_refused(folder, pattern, wrong):
    ((option, message),) = PairedAudio(root=folder.root, start=pattern).problems()
    assert option == "start"
    assert wrong in message
