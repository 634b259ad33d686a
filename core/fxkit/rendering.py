"""Send a file through a trained model into another file."""

from __future__ import annotations

import time
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt

from fxkit.errors import DataError, RunError
from fxkit.files import write_atomically
from fxkit.trained import Trained, load

_SUBTYPES = {"WAV": "FLOAT", "FLAC": "PCM_24", "AIFF": "PCM_24", "OGG": "VORBIS"}
_SUFFIXES = {".wav": "WAV", ".flac": "FLAC", ".aiff": "AIFF", ".aif": "AIFF", ".ogg": "OGG"}


def render_file(
    run: Path,
    source: Path,
    target: Path,
    *,
    block: int | None,
    knobs: Mapping[str, float],
    device: str = "auto",
    force: bool = False,
    allow_local: bool = False,
) -> tuple[float, float]:
    """Process `source` and write `target`; returns its seconds and how many times real time it took.

    Raises `DataError` for an unreadable source and `RunError` for a target that cannot be written:
    it exists already, it is the source, or its format is unknown.
    """
    kind = _check_target(source, target, force)
    audio, rate = read_audio(source)
    trained = load(run, device=device, allow_local=allow_local)
    began = time.perf_counter()
    result = _process(trained, audio, rate, block, knobs)
    elapsed = time.perf_counter() - began
    seconds = result.shape[-1] / rate
    _write(target, result, rate, kind)
    return seconds, seconds / elapsed


def _process(
    trained: Trained, audio: npt.NDArray[np.float32], rate: int, block: int | None, knobs: Mapping[str, float]
) -> npt.NDArray[np.float32]:
    if audio.shape[0] != trained.channels and trained.channels == 1:
        # A mono model hears each channel of a wider file on its own.
        return np.concatenate([_process(trained, row[None], rate, block, knobs) for row in audio])
    if block is None:
        return trained(audio, rate, knobs=knobs)
    return trained.process_in_blocks(audio, block, rate, knobs=knobs)


def read_audio(path: Path) -> tuple[npt.NDArray[np.float32], int]:
    """Read a file as float32 [channels, samples] and its rate.

    Raises `DataError` naming the file when it is missing, unreadable, empty or not finite.
    """
    import soundfile

    if not path.is_file():
        raise DataError([f"{path}: no such file"])
    try:
        audio, rate = soundfile.read(path, dtype="float32", always_2d=True)
    except soundfile.LibsndfileError as error:
        raise DataError(
            [f"{path}: not readable as audio ({error.error_string}); export it as WAV"]
        ) from error
    if not len(audio):
        raise DataError([f"{path}: has no samples"])
    if not np.isfinite(audio).all():
        raise DataError([f"{path}: holds NaN or infinite samples; repair or export it again"])
    return np.ascontiguousarray(audio.T), rate


def _check_target(source: Path, target: Path, force: bool) -> str:
    kind = _SUFFIXES.get(target.suffix.lower())
    if kind is None:
        raise RunError(f"{target}: unknown format; use {', '.join(_SUFFIXES)}")
    if target.exists() and source.exists() and target.samefile(source):
        raise RunError(f"{target}: is the input itself; choose another output")
    if target.exists() and not force:
        raise RunError(f"{target}: exists already; choose another name or add --force")
    if not target.parent.is_dir():
        raise RunError(f"{target}: the folder {target.parent} does not exist")
    return kind


def _write(target: Path, audio: npt.NDArray[np.float32], rate: int, kind: str) -> None:
    import soundfile

    def fill(stream: Any) -> None:
        soundfile.write(stream, audio.T, rate, format=kind, subtype=_SUBTYPES[kind])

    write_atomically(target, fill)
