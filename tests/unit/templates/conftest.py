"""Folders of short recordings, as people have them."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
import soundfile


def write(path: Path, seconds: float, rate: int = 48000, channels: int = 1) -> Path:
    path.parent.mkdir(parents=True, exist_ok=True)
    samples = np.random.default_rng(len(str(path))).uniform(-0.5, 0.5, (int(seconds * rate), channels))
    soundfile.write(path, samples, rate)
    return path


@pytest.fixture
def pairs(tmp_path):
    """Write pairs: `pairs("amp", {"train": 2, "val": 1}, seconds=3.0)`; None: no split folder."""

    def make(name, splits, seconds=3.0, rate=48000, sides=("input", "target"), channels=(1, 1)):
        root = tmp_path / name
        for split, number in splits.items():
            folder = root / split if split else root
            for index in range(number):
                for side, count in zip(sides, channels, strict=True):
                    write(folder / side / f"take{index}.wav", seconds, rate, count)
        return root

    return make
