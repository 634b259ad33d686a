"""The virtual device is reproducible material that is worth learning."""

from __future__ import annotations

import hashlib
import subprocess
import sys

import attrs
import pytest
import torch

from fxkit.context import BuildContext
from fxkit.errors import DataError
from fxkit.protocols import Dataset
from fxkit_data.virtual_device import VirtualDevice

SHORT = VirtualDevice(train_seconds=1.0, val_seconds=0.5, test_seconds=0.5)


def built(spec=SHORT, **ctx):
    return spec.build(BuildContext(**ctx))


def bits(dataset):
    digest = hashlib.sha256()
    for split in ("train", "val", "test"):
        for recording in dataset.recordings(split):
            digest.update(recording.input.numpy().tobytes() + recording.target.numpy().tobytes())
    return digest.hexdigest()


def best_gain_error(recording):
    dry, wet = recording.input.double(), recording.target.double()
    gain = (dry * wet).sum() / (dry * dry).sum()
    return float(((wet - gain * dry) ** 2).sum() / (wet**2).sum())


def test_it_is_a_dataset_of_mono_pairs():
    dataset = built()
    assert isinstance(dataset, Dataset)
    assert (dataset.channels, dataset.target_channels, dataset.knobs) == (1, 1, ())
    for split, samples in (("train", 48_000), ("val", 24_000), ("test", 24_000)):
        (recording,) = dataset.recordings(split)
        assert recording.input.shape == recording.target.shape == (1, samples)
        assert recording.input.dtype == recording.target.dtype == torch.float32
        assert recording.knobs is None
        assert recording.skip == 0
        assert len(recording.digest) == 64


def test_a_single_gain_is_far_from_the_device():
    dataset = VirtualDevice().build(BuildContext())
    for split in ("train", "val", "test"):
        (recording,) = dataset.recordings(split)
        assert best_gain_error(recording) > 0.4
        assert recording.target.abs().max() < 1.0
    levels = [dataset.recordings(split)[0].input.abs().max().item() for split in ("train", "val", "test")]
    assert max(levels) == pytest.approx(0.5)
    assert min(levels) > 0.2


def test_another_process_gives_the_same_bits():
    code = (
        "from fxkit.context import BuildContext\n"
        "from fxkit_data.virtual_device import VirtualDevice\n"
        "spec = VirtualDevice(train_seconds=1.0, val_seconds=0.5, test_seconds=0.5)\n"
        "d = spec.build(BuildContext(seed=5))\n"
        "print(*(r.digest for s in ('train', 'val', 'test') for r in d.recordings(s)))\n"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    here = [r.digest for split in ("train", "val", "test") for r in built(seed=5).recordings(split)]
    assert ran.stdout.split() == here


def test_seed_and_rate_change_the_material():
    assert len({bits(built(seed=seed)) for seed in (0, 1, 2)}) == 3
    assert built(sample_rate=16_000).recordings("val")[0].samples == 8000


def test_splits_hold_different_material():
    dataset = built(VirtualDevice(train_seconds=0.5, val_seconds=0.5, test_seconds=0.5))
    inputs = {dataset.recordings(split)[0].input.numpy().tobytes() for split in ("train", "val", "test")}
    assert len(inputs) == 3


def test_several_gains_are_a_knob():
    dataset = built(attrs.evolve(SHORT, gains=(0.2, 0.5, 0.8)))
    assert dataset.knobs == ("gain",)
    assert dataset.knob_ranges == {"gain": (0.0, 1.0)}
    takes = dataset.recordings("test")
    assert [take.knobs.tolist() for take in takes] == [pytest.approx([gain]) for gain in (0.2, 0.5, 0.8)]
    assert len({take.digest for take in takes}) == len({take.name for take in takes}) == 3
    (alone,) = built().recordings("test")
    assert alone.target.equal(takes[1].target)


@pytest.mark.parametrize("option", ["train_seconds", "val_seconds", "test_seconds"])
def test_each_length_is_its_splits(option):
    longer = built(attrs.evolve(SHORT, **{option: 1.5}))
    assert longer.recordings(option.split("_")[0])[0].samples == 72_000


@pytest.mark.parametrize("gains", [(), (0.5, 0.5), (1.5,)])
def test_impossible_gains_are_refused(gains):
    with pytest.raises(ValueError, match=r"VirtualDevice\.gains"):
        VirtualDevice(gains=gains)


def test_an_unknown_split_is_named():
    with pytest.raises(DataError, match=r"split 'dev' does not exist; use one of train, val, test"):
        built().recordings("dev")
