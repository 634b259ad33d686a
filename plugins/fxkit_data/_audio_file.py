"""Read one audio file whole, or say why that cannot be done."""

from __future__ import annotations

import struct
from pathlib import Path
from typing import BinaryIO

import attrs
import numpy as np
from numpy.typing import NDArray

from fxkit.audio_cache import AudioCache, Kept, file_digest
from fxkit_data._finding import Finding
from fxkit_data._formats import FORMATS
from fxkit_data._recorded import content_digest

# Writers that cannot seek back (pipes) leave these in place of the length.
_UNKNOWN_SIZES = (0, 0xFFFFFFFF, 0x7FFFFFFF)


@attrs.frozen(kw_only=True, eq=False)
class Clip:
    """Hold a file's audio: float32 [channels, samples] at `rate` Hz, and the SHA-256 of the samples."""

    path: Path
    samples: NDArray[np.float32]
    rate: int
    digest: str

    @property
    def channels(self) -> int:
        """Return the number of channels."""
        return int(self.samples.shape[0])

    @property
    def length(self) -> int:
        """Return the number of samples per channel."""
        return int(self.samples.shape[1])


class _Short(Exception):
    """Say that a file holds fewer samples than it promises."""


def read_clip(path: Path, cache: AudioCache) -> Clip | Finding:
    """Read a whole file, decoded or from the cache; a `Finding` says what keeps it from being read."""
    import soundfile

    try:
        broken = _broken_container(path)
        if broken:
            return broken
        origin = ("decoded", file_digest(path), path.suffix.lower(), soundfile.__libsndfile_version__)
        kept = cache.audio(origin, lambda: _decoded(path))
    except OSError as error:
        return _unreadable(path, f"cannot be opened ({error.strerror})", "check the file and its permissions")
    except soundfile.LibsndfileError as error:
        what = f"is not readable as audio ({_reason(error.error_string)})"
        return _unreadable(path, what, f"export it again as {FORMATS}")
    except _Short as error:
        return _unreadable(path, f"ends early: {error}", "copy or export it again")
    if kept.samples.shape[1] == 0:
        return _unreadable(path, "holds no samples", "export it again, or remove it")
    return Clip(path=path, samples=kept.samples, rate=kept.facts["rate"], digest=kept.facts["digest"])


def _decoded(path: Path) -> Kept:
    import soundfile

    with soundfile.SoundFile(path) as file:
        promised, rate = file.frames, file.samplerate
        samples = np.ascontiguousarray(file.read(dtype="float32", always_2d=True).T)
    if samples.shape[1] < promised:
        raise _Short(f"{samples.shape[1]} of {promised} samples are there")
    return Kept(samples=samples, facts={"rate": rate, "digest": content_digest(samples)})


def _reason(message: str) -> str:
    """Put libsndfile's message as a clause; for a broken MP3 it says that the file does not exist."""
    text = message.rstrip(".").lower().removeprefix("error : ")
    return "format not recognised" if text.startswith("file does not exist") else text


def _unreadable(path: Path, what: str, fix: str) -> Finding:
    return Finding(check="unreadable", file=path, what=what, fix=fix)


def _broken_container(path: Path) -> Finding | None:
    """Find what libsndfile reads past in silence: an empty file, or a chunk longer than the file."""
    size = path.stat().st_size
    if size == 0:
        return _unreadable(path, "is empty (0 bytes)", "copy or export it again")
    with path.open("rb") as stream:
        missing = _missing_bytes(stream, size)
    if missing <= 0:
        return None
    return _unreadable(path, f"is truncated: the last {missing} bytes are missing", "copy or export it again")


def _missing_bytes(stream: BinaryIO, size: int) -> int:
    """Return how many bytes of a WAV or AIFF file's audio chunk lie beyond its end."""
    magic, _, form = struct.unpack("<4sI4s", stream.read(12).ljust(12, b"\0"))
    order, audio = (">", b"SSND") if magic == b"FORM" else ("<", b"data")
    if magic not in (b"RIFF", b"FORM") or form not in (b"WAVE", b"AIFF", b"AIFC"):
        return 0
    place = 12
    while place + 8 <= size:
        stream.seek(place)
        name, length = struct.unpack(f"{order}4sI", stream.read(8))
        if name == audio:
            return 0 if length in _UNKNOWN_SIZES else int(place + 8 + length - size)
        place += 8 + length + length % 2
    return 0
