"""Checks of datasets: what they promise about their recordings."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import attrs
import torch

from fxkit.errors import DataError
from fxkit.spec import describe
from fxkit.testing.check import promise
from fxkit.testing.plain import PlainCase, check_that_options_act, tune
from fxkit.values import Recording

SPLITS = ("train", "val", "test")


@contextmanager
def placed(case: PlainCase) -> Iterator[PlainCase]:
    """Give a dataset that requires a folder one with small dry/wet takes.

    `{train,val,test}/{input,target}/take-N.wav`, 16 kHz.
    """
    paths = [
        option for option in describe(type(case.spec)).options if option.type is Path and option.required
    ]
    missing = [option.name for option in paths if not getattr(case.spec, option.name).exists()]
    if not missing:
        yield case
        return
    with tempfile.TemporaryDirectory() as folder:
        _write_takes(Path(folder))
        spec = attrs.evolve(case.spec, **dict.fromkeys(missing, Path(folder)))
        yield attrs.evolve(case, spec=spec)


def _write_takes(folder: Path) -> None:
    import soundfile

    for seed, split in enumerate(SPLITS):
        draw = torch.Generator().manual_seed(seed)
        dry = tune(1.0, 16000) + 0.05 * torch.randn(1, 16000, generator=draw)
        for side, audio in (("input", dry), ("target", 0.5 * torch.tanh(2 * dry))):
            path = folder / split / side / f"take-{seed}.wav"
            path.parent.mkdir(parents=True)
            soundfile.write(path, audio[0].numpy(), 16000, subtype="FLOAT")


def check_recordings(case: PlainCase) -> str | None:
    """Check that each split has finite float32 recordings with the declared channels, knobs and a digest."""
    with placed(case) as there:
        try:
            dataset = there.build()
        except DataError as error:
            return (
                f"it finds no material in a folder of short dry and wet takes: {str(error).splitlines()[0]}"
            )
        recordings = [recording for split in SPLITS for recording in dataset.recordings(split)]
        promise(bool(dataset.recordings("train")), case, "has nothing to train on")
        for recording in recordings:
            _check_recording(case, dataset, recording)
    return None


def _check_recording(case: PlainCase, dataset: Any, recording: Recording) -> None:
    name = f"{recording.name}: "
    sides = [(recording.target, dataset.target_channels, "target")]
    if dataset.channels:
        promise(
            recording.input is not None, case, f"{name}has no input and declares {dataset.channels} channels"
        )
        sides.append((recording.input, dataset.channels, "input"))  # type: ignore[arg-type]
    for audio, channels, side in sides:
        expected = (channels, recording.samples)
        promise(tuple(audio.shape) == expected, case, f"{name}{side} is {tuple(audio.shape)}, not {expected}")
        fits = audio.dtype == torch.float32 and audio.device.type == "cpu"
        promise(fits, case, f"{name}{side} is {audio.dtype} on {audio.device}, not float32 on the CPU")
        promise(bool(audio.isfinite().all()), case, f"{name}{side} is not finite")
    knobs = 0 if recording.knobs is None else len(recording.knobs)
    promise(knobs == len(dataset.knobs), case, f"{name}has {knobs} knobs, not {len(dataset.knobs)}")
    promise(bool(recording.digest), case, f"{name}has no digest")


def check_splits_apart(case: PlainCase) -> str | None:
    """Check that no recording is in two splits, by name and by content."""
    with placed(case) as there:
        dataset = _built(there)
        if dataset is None:
            return "it finds no material"
        seen: dict[str, str] = {}
        for split in SPLITS:
            for recording in dataset.recordings(split):
                keys = {recording.digest or recording.name, f"{recording.name}/{recording.samples}"}
                where = {seen[key] for key in keys if key in seen} - {split}
                promise(not where, case, f"{recording.name} is in {split} and in {', '.join(sorted(where))}")
                seen.update(dict.fromkeys(keys, split))
    return None


def check_dataset_repeatable(case: PlainCase) -> str | None:
    """Check that the same spec and seed give the same recordings, bit by bit, in the same order."""
    with placed(case) as there:
        first, second = _built(there), _built(there)
        if first is None or second is None:
            return "it finds no material"
        for split in SPLITS:
            pairs = list(zip(first.recordings(split), second.recordings(split), strict=True))
            same = all(a.name == b.name and torch.equal(a.target, b.target) for a, b in pairs)
            promise(same, case, f"gives other recordings for {split} when it is built again")
    return None


def check_dataset_options(case: PlainCase) -> str | None:
    """Check that each option of a dataset that makes its own material makes a difference."""
    if any(option.type is Path for option in describe(type(case.spec)).options):
        return "its options act on files that nobody but its author knows"

    def observe(spec: Any) -> Any:
        dataset = attrs.evolve(case, spec=spec).build()
        found = [(r.name, r.digest, r.samples) for split in SPLITS for r in dataset.recordings(split)]
        return found, dataset.knobs, dataset.channels, dataset.target_channels

    check_that_options_act(case, observe)
    return None


def _built(case: PlainCase) -> Any:
    try:
        return case.build()
    except DataError:
        return None
