"""WAV files."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy.typing as npt

from fxkit.files import write_atomically

_PEAK_TIME = 12


def wav_bytes(audio: npt.NDArray[Any], sample_rate: int, subtype: str) -> bytes:
    """Encode audio [channels, samples] as WAV; the same audio gives the same bytes."""
    import soundfile

    stream = io.BytesIO()
    soundfile.write(stream, audio.T, sample_rate, format="WAV", subtype=subtype)
    content = bytearray(stream.getvalue())
    peak = content.find(b"PEAK", 0, content.find(b"data"))
    if peak >= 0:
        # libsndfile stamps float files with the time of writing, which would differ in each run.
        content[peak + _PEAK_TIME : peak + _PEAK_TIME + 4] = bytes(4)
    return bytes(content)


def write_wav(path: Path, audio: npt.NDArray[Any], sample_rate: int, subtype: str) -> None:
    """Write audio [channels, samples] as a WAV file; one that is there is replaced by a whole one."""
    content = wav_bytes(audio, sample_rate, subtype)
    write_atomically(path, lambda stream: stream.write(content))
