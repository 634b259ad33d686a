"""Folders of small recordings that the tests make and then break."""

from __future__ import annotations

import zlib
from pathlib import Path

import numpy as np
import pytest
import soundfile

from fxkit.context import BuildContext

RATE = 16_000


class Folder:
    """Write recordings below a root folder."""

    def __init__(self, root: Path) -> None:
        self.root = root

    def audio(self, name: str, seconds: float = 0.5, rate: int = RATE):
        """Return noise below a few kHz at -6 dBFS, the same for the same name."""
        rng = np.random.default_rng(zlib.crc32(name.encode()))
        noise = np.convolve(rng.standard_normal(round(seconds * rate) + 3), [0.2, 0.5, 0.2, 0.1], "valid")
        return 0.5 * noise / np.abs(noise).max()

    def write(self, place: str, audio, rate: int = RATE, **options) -> Path:
        """Write samples [samples] or [samples, channels] as 16-bit, or as `options` say."""
        path = self.root / place
        path.parent.mkdir(parents=True, exist_ok=True)
        soundfile.write(path, audio, rate, **options)
        return path

    def pair(self, name: str, split: str = "", dry=None, wet=None, rate: int = RATE) -> None:
        """Write a dry side and what a soft clipper makes of it, or other sides."""
        dry = self.audio(f"{split}/{name}") if dry is None else dry
        wet = 0.6 * np.tanh(2 * dry) if wet is None else wet
        self.write(f"{split}/input/{name}.wav" if split else f"input/{name}.wav", dry, rate)
        self.write(f"{split}/target/{name}.wav" if split else f"target/{name}.wav", wet, rate)

    def delayed(self, audio, samples):
        """Delay by a phase ramp, exact for what is periodic; the ends are faded so that it is."""
        fade = np.minimum(1, np.minimum(np.arange(len(audio)), np.arange(len(audio))[::-1]) / 400)
        padded = np.concatenate([audio * fade, np.zeros(len(audio))])
        ramp = np.exp(-2j * np.pi * np.fft.rfftfreq(len(padded)) * samples)
        return np.fft.irfft(np.fft.rfft(padded) * ramp, len(padded))[: len(audio)]

    def splits(self) -> Folder:
        """Write one good pair per split."""
        for split in ("train", "val", "test"):
            self.pair(f"{split}-take", split)
        return self


@pytest.fixture
def folder(tmp_path):
    """An empty folder."""
    return Folder(tmp_path / "recordings")


@pytest.fixture
def ctx():
    """The surroundings of a run at the recordings' rate."""
    return BuildContext(sample_rate=RATE)
