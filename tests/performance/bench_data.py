"""Measure what a batch costs, and how much of a step waits for it.

Usage: python tests/performance/bench_data.py [--nablafx] [--rounds 30]

Material: four pairs of one minute at 48 kHz. The ways of making a batch take turns in one process, so that
what else the machine does falls on all of them; medians of processor time are printed, and the ratio to
fxkit as it trains.
  fxkit       recordings in memory, into tensors that are used again, as the thread that prepares batches does
  new         the same, into new tensors
  mapped      as fxkit, recordings mapped from files of the cache
  loop        cut and stack each item in Python, as fxkit did before
  loader      torch's DataLoader over a dataset of such cuts, shuffled, in the same process
  nablafx     its PluginDataset, read into memory, under the same DataLoader (--nablafx; must be installed)
Then steps of a small convolutional network are made, and the time that each waits for its batch is
measured: without preparing ahead, and with.
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
import types
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch

from fxkit.audio_cache import AudioCache, Kept
from fxkit.engine.material import Material
from fxkit.engine.prefetch import Prefetch
from fxkit.engine.segments import Segments
from fxkit.values import Recording

RATE, SECONDS, FILES = 48000, 60, 4
SIZES = ((16, 3 * RATE), (16, 16384), (64, 2048))


def main() -> None:
    """Run the benchmark."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--nablafx", action="store_true")
    parser.add_argument("--rounds", type=int, default=30)
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        recordings, mapped = make(Path(folder))
        print(f"{'batch':>14s}  {'way':10s} {'ms':>9s}  ratio")
        for batch_size, samples in SIZES:
            ways = {
                "fxkit": reused(segments(recordings, batch_size, samples)),
                "new": segments(recordings, batch_size, samples).batch,
                "mapped": reused(segments(mapped, batch_size, samples)),
                "loop": loop(recordings, batch_size, samples),
                "loader": loader(Cuts(recordings, samples), batch_size),
            }
            if options.nablafx:
                ways["nablafx"] = loader(nablafx(Path(folder), samples), batch_size)
            report(f"{batch_size} x {samples}", measure(ways, options.rounds))
        waiting(recordings)


def make(folder: Path) -> tuple[tuple[Recording, ...], tuple[Recording, ...]]:
    """Write pairs as nablafx names them, and return them in memory and mapped."""
    cache, rng = AudioCache(folder / "cache"), np.random.default_rng(1)
    held, mapped = [], []
    for index in range(FILES):
        sides = {}
        for side in ("input", "target"):
            audio = 0.1 * rng.standard_normal((1, RATE * SECONDS)).astype(np.float32)
            (folder / side).mkdir(exist_ok=True)
            soundfile.write(folder / side / f"{index}.{side}.wav", audio.T, RATE, subtype="FLOAT")
            sides[side] = audio
        kept = {side: cache.audio((index, side), lambda a=a: Kept(samples=a)) for side, a in sides.items()}
        held.append(Recording(name=str(index), **{k: torch.from_numpy(a) for k, a in sides.items()}))
        mapped.append(Recording(name=str(index), **{k: torch.from_numpy(a.samples) for k, a in kept.items()}))
    return tuple(held), tuple(mapped)


def segments(recordings: tuple[Recording, ...], batch_size: int, samples: int, **rest: Any) -> Segments:
    """Cut as fxkit does."""
    material = Material(recordings=recordings, features=({},) * len(recordings))
    return Segments(material, segment=samples, warmup=0, batch_size=batch_size, seed=1, **rest)


def reused(cuts: Segments) -> Callable[[int], Any]:
    """Fill the same tensors again, as the thread that prepares batches does."""
    room = cuts.room()
    return lambda step: cuts.batch(step, room)


class Cuts(torch.utils.data.Dataset):
    """Offer the consecutive cuts of recordings in memory."""

    def __init__(self, recordings: tuple[Recording, ...], samples: int) -> None:
        self.samples = samples
        self.places = [(r, s) for r in recordings for s in range(0, r.samples - samples + 1, samples)]

    def __len__(self) -> int:
        return len(self.places)

    def __getitem__(self, index: int) -> tuple[torch.Tensor, torch.Tensor]:
        recording, start = self.places[index]
        cut = slice(start, start + self.samples)
        return recording.input[:, cut], recording.target[:, cut]


def loop(recordings: tuple[Recording, ...], batch_size: int, samples: int) -> Callable[[int], Any]:
    """Cut and stack item by item."""
    cuts = Cuts(recordings, samples)
    order = torch.randperm(len(cuts), generator=torch.Generator().manual_seed(1))

    def batch(step: int) -> Any:
        items = [cuts[int(order[(step * batch_size + k) % len(cuts)])] for k in range(batch_size)]
        return tuple(torch.stack(side) for side in zip(*items, strict=True))

    return batch


def loader(dataset: Any, batch_size: int) -> Callable[[int], Any]:
    """Read through torch's DataLoader, again and again."""
    source = torch.utils.data.DataLoader(dataset, batch_size, shuffle=True, drop_last=True)

    def endless() -> Any:
        while True:
            yield from source

    batches = endless()
    return lambda step: next(batches)


def nablafx(folder: Path, samples: int) -> Any:
    """Build nablafx's dataset, which reads through functions that torchaudio no longer has."""
    import torchaudio

    def load(path: str, offset: int = 0, frames: int = -1, **_: Any) -> tuple[torch.Tensor, int]:
        audio, rate = soundfile.read(path, frames, offset, dtype="float32", always_2d=True)
        return torch.from_numpy(audio.T), rate

    torchaudio.load = load
    torchaudio.info = lambda path: types.SimpleNamespace(num_frames=soundfile.info(path).frames)
    # Its package imports what fetches models from the network; the dataset needs none of that.
    stand_in: Any = types.ModuleType("frechet_audio_distance")
    stand_in.FrechetAudioDistance = object
    sys.modules.setdefault("frechet_audio_distance", stand_in)
    try:
        from nablafx.data.datasets import PluginDataset
    except ImportError as error:
        raise SystemExit(f"--nablafx: {error}; install nablafx 1.0.0 beside fxkit") from error
    places = str(folder / "input"), str(folder / "target")
    return PluginDataset(*places, sample_length=samples, sample_rate=RATE, preload=True)


def measure(ways: dict[str, Callable[[int], Any]], rounds: int) -> dict[str, float]:
    """Return the median processor time of each way in ms, taken in turns."""
    torch.set_num_threads(1)
    times: dict[str, list[float]] = {name: [] for name in ways}
    for step in range(rounds + 3):
        # Whoever comes first finds what the one before left in the processor's caches.
        first = step % len(ways)
        for name, batch in [*list(ways.items())[first:], *list(ways.items())[:first]]:
            began = time.thread_time()
            batch(step)
            times[name].append(time.thread_time() - began)
    return {name: 1e3 * statistics.median(found[3:]) for name, found in times.items()}


def report(title: str, times: dict[str, float]) -> None:
    """Print a line for each way."""
    for name, value in times.items():
        print(f"{title:>14s}  {name:10s} {value:9.3f}  {value / times['fxkit']:5.2f}")


def waiting(recordings: tuple[Recording, ...]) -> None:
    """Print the share of a step that waits for its batch."""
    cuts = segments(recordings, 16, 3 * RATE)
    net = torch.nn.Sequential(
        torch.nn.Conv1d(1, 8, 33, padding=16), torch.nn.Tanh(), torch.nn.Conv1d(8, 1, 1)
    )
    with Prefetch(cuts) as ahead:
        for name, batch in {"as needed": cuts.batch, "ahead": ahead.batch}.items():
            waits, steps = [], []
            for step in range(13):
                began = time.perf_counter()
                ready = batch(step)
                waits.append(time.perf_counter() - began)
                net(ready.input).square().mean().backward()
                steps.append(time.perf_counter() - began)
            share = 100 * statistics.median(w / s for w, s in zip(waits[3:], steps[3:], strict=True))
            step = 1e3 * statistics.median(steps[3:])
            print(f"waiting for batches made {name}: {share:.2f} % of a step of {step:.0f} ms")


if __name__ == "__main__":
    main()
