"""Audio is decoded once, mapped from then on, and a damaged cache file is noticed and made again."""

from __future__ import annotations

import multiprocessing
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from fxkit.audio_cache import AudioCache, Kept
from fxkit.context import BuildContext
from fxkit.engine.material import Material
from fxkit.engine.preload import hold
from fxkit.engine.segments import Segments
from fxkit.values import Recording
from fxkit_data.audio_folder import AudioFolder
from fxkit_data.paired_audio import PairedAudio

RATE = 16_000


@pytest.fixture
def cache(tmp_path):
    return AudioCache(tmp_path / "cache")


@pytest.fixture
def cached(tmp_path, monkeypatch):
    """The folder in which datasets keep audio."""
    monkeypatch.setenv("FXKIT_CACHE", str(tmp_path / "cache"))
    return tmp_path / "cache" / "audio"


def noise(samples=1000, channels=2, seed=0):
    return np.random.default_rng(seed).standard_normal((channels, samples)).astype(np.float32)


def never():
    raise AssertionError("made again")


def build(spec, root, **options):
    return spec(root=root, **options).build(BuildContext(sample_rate=RATE))


def resident(folder):
    """Return how many bytes of the files in a folder this process holds in memory."""
    total, inside = 0, False
    for line in Path("/proc/self/smaps").read_text().splitlines():
        if "-" in line.split()[0]:
            inside = str(folder) in line
        elif inside and line.startswith("Rss:"):
            total += int(line.split()[1]) * 1024
    return total


def test_audio_is_made_once_and_comes_back_with_its_facts(cache):
    audio = noise()
    first = cache.audio(("a", 1), lambda: Kept(samples=audio, facts={"rate": 48000}))
    again = AudioCache(cache.folder).audio(("a", 1), never)
    for kept in (first, again):
        assert np.array_equal(kept.samples, audio)
        assert kept.facts == {"rate": 48000}
    assert cache.made == 1


def test_another_origin_is_other_audio(cache):
    cache.audio(("a", 1), lambda: Kept(samples=noise()))
    cache.audio(("a", 2), lambda: Kept(samples=noise(seed=1)))
    assert cache.made == 2


@pytest.mark.parametrize("harm", ["cut", "longer", "sample", "header", "empty"])
def test_a_damaged_file_is_named_and_made_again(cache, harm):
    audio = noise()
    cache.audio(("a",), lambda: Kept(samples=audio))
    path = next((cache.folder / "audio").iterdir())
    content = bytearray(path.read_bytes())
    if harm == "sample":
        content[5000] ^= 1
    changed = {"cut": content[:-1], "longer": content + b"x", "header": b"y" + content[1:], "empty": b""}
    path.write_bytes(changed.get(harm, content))
    later = AudioCache(cache.folder)
    assert np.array_equal(later.audio(("a",), lambda: Kept(samples=audio)).samples, audio)
    assert later.damaged == [path]
    assert later.made == 1
    mended = AudioCache(cache.folder)
    mended.audio(("a",), never)
    assert not mended.damaged


def test_writing_to_what_is_mapped_does_not_change_the_file(cache):
    audio = noise()
    cache.audio(("a",), lambda: Kept(samples=audio)).samples[:] = 0
    assert np.array_equal(AudioCache(cache.folder).audio(("a",), never).samples, audio)


def test_a_folder_that_cannot_be_written_leaves_audio_in_memory(tmp_path):
    (tmp_path / "file").write_text("")
    cache = AudioCache(tmp_path / "file")
    audio = noise()
    assert np.array_equal(cache.audio(("a",), lambda: Kept(samples=audio)).samples, audio)
    assert "cannot be written" in cache.refused


def _make_many(folder, barrier, results):
    cache = AudioCache(folder)
    barrier.wait()
    same = [
        np.array_equal(
            cache.audio((k,), lambda k=k: Kept(samples=noise(20_000, seed=k))).samples, noise(20_000, seed=k)
        )
        for k in range(10)
    ]
    results.put((all(same), len(cache.damaged)))


def test_several_processes_may_fill_the_cache_at_once(tmp_path):
    context = multiprocessing.get_context("fork")
    barrier, results = context.Barrier(3), context.Queue()
    workers = [context.Process(target=_make_many, args=(tmp_path, barrier, results)) for _ in range(3)]
    for worker in workers:
        worker.start()
    assert [results.get(timeout=60) for _ in workers] == [(True, 0)] * 3
    for worker in workers:
        worker.join()
    assert len(list((tmp_path / "audio").iterdir())) == 10


def test_many_mapped_files_keep_none_open(cache):
    kept = [cache.audio((k,), lambda: Kept(samples=noise(10))) for k in range(40)]
    opened = [path.resolve() for path in Path("/proc/self/fd").iterdir()]
    assert not [path for path in opened if cache.folder in path.parents]
    assert len(kept) == 40


def test_a_dataset_decodes_each_file_once(folder, cached, monkeypatch):
    folder.splits()
    first = build(PairedAudio, folder.root)
    assert len(list(cached.iterdir())) == 6
    monkeypatch.setattr(soundfile.SoundFile, "read", lambda *_, **__: never())
    again = build(PairedAudio, folder.root)
    for one, other in zip(first.recordings("train"), again.recordings("train"), strict=True):
        assert torch.equal(one.input, other.input)
        assert torch.equal(one.target, other.target)
        assert one.digest == other.digest


def test_a_changed_file_is_decoded_again(folder, cached):
    folder.splits()
    build(PairedAudio, folder.root)
    folder.write("train/target/train-take.wav", 0.3 * folder.audio("train/train-take"))
    changed = build(PairedAudio, folder.root).recordings("train")[0]
    assert changed.target.abs().max() == pytest.approx(0.15, rel=1e-3)


def test_resampled_and_mixed_audio_is_made_once_for_each_way(folder, cached):
    audio = folder.audio("x", seconds=2.0)
    for split in ("train", "val", "test"):
        folder.write(f"{split}/a-{split}.wav", np.stack([audio, audio[::-1]], 1) * (1 - len(split) / 10))
    counts = []
    for channels, rate in (("mono", RATE), ("mono", RATE), ("mono", 2 * RATE), ("keep", RATE)):
        AudioFolder(root=folder.root, channels=channels).build(BuildContext(sample_rate=rate))
        counts.append(len(list(cached.iterdir())))
    assert counts == [6, 6, 9, 9]


def test_a_damaged_cache_file_is_a_remark_of_the_report(folder, cached):
    folder.splits()
    build(PairedAudio, folder.root)
    path = next(cached.iterdir())
    path.write_bytes(path.read_bytes()[:-10])
    assert f"{path}: damaged; its audio was decoded again" in str(build(PairedAudio, folder.root).report)


def prepared(splits, **options):
    return hold(splits, **{"mapped": True, "preload": "auto", "free": 10**9, **options})


def test_audio_that_half_of_the_free_memory_holds_is_read_into_it(folder, cached):
    folder.splits()
    dataset = build(PairedAudio, folder.root)
    assert dataset.mapped
    splits = {split: dataset.recordings(split) for split in ("train", "val", "test")}
    size = sum(2 * 4 * recording.samples for recordings in splits.values() for recording in recordings)
    small, large = prepared(splits, free=2 * size), prepared(splits, free=2 * size - 1)
    assert "read into memory" in small.where
    assert "mapped" in large.where
    assert "more than half" in large.where
    assert large.splits["train"][0].target.data_ptr() == splits["train"][0].target.data_ptr()
    assert small.splits["train"][0].target.data_ptr() != splits["train"][0].target.data_ptr()
    assert torch.equal(small.splits["train"][0].target, splits["train"][0].target)
    assert "mapped" in prepared(splits, preload="never").where
    assert "read into memory" in prepared(splits, preload="always", free=1).where


def test_audio_that_a_dataset_has_in_memory_stays_where_it_is(folder):
    folder.splits()
    splits = {"train": build(PairedAudio, folder.root).recordings("train")}
    held = prepared(splits, mapped=False, free=1)
    assert held.splits == splits
    assert "in memory" in held.where


def test_a_batch_from_mapped_files_touches_only_what_it_reads(cache):
    audio = [noise(2_000_000, channels=1, seed=k) for k in range(4)]
    for k, one in enumerate(audio):
        cache.audio((k,), lambda one=one: Kept(samples=one))
    mapped = [torch.from_numpy(AudioCache(cache.folder).audio((k,), never).samples) for k in range(4)]
    assert resident(cache.folder) < 400_000, "opening and checking must not fill memory"
    held, mapped_cuts = (_segments(sides) for sides in (map(torch.from_numpy, audio), mapped))
    assert torch.equal(mapped_cuts.batch(3).target, held.batch(3).target)
    # The system maps large pages around those that were asked for; all would be 32 MB.
    assert resident(cache.folder) < 16_000_000


def _segments(sides):
    recordings = tuple(Recording(name="x", target=side) for side in sides)
    material = Material(recordings=recordings, features=({},) * len(recordings))
    return Segments(material, segment=4000, warmup=0, batch_size=8, seed=1)
