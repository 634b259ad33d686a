"""Keep decoded audio in files that are mapped into memory, by content: what it came from and how.

A file is one page of JSON (what it holds, and a checksum), then the samples, float32 [channels, samples]. A
mapped file takes no memory of its own: the system reads what is touched and drops it when memory is
short, so that a corpus may be far larger than it.
"""

from __future__ import annotations

import hashlib
import json
import zlib
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO, Any

import attrs
import numpy as np
import torch
from numpy.typing import NDArray

from fxkit.cache_folder import cache_folder
from fxkit.files import strict_json, write_atomically

FORMAT = "fxkit-audio-1"
_PAGE = 4096
_BLOCK = 1 << 20

Audio = NDArray[np.float32]


@attrs.frozen(kw_only=True, eq=False)
class Kept:
    """Hold audio, float32 [channels, samples], mapped where it could be written, and facts about it."""

    samples: Audio
    facts: Mapping[str, Any] = attrs.field(factory=dict)


class _Damaged(Exception):
    """Say that a cache file does not hold what it should."""


@attrs.define
class AudioCache:
    """Make audio once and map it into memory from then on; several processes may do so at once.

    `damaged` names files that were cut off or changed, which are made anew. `refused` says why the
    folder cannot be written; audio then stays in memory.
    """

    folder: Path = attrs.field(factory=cache_folder)
    made: int = 0
    damaged: list[Path] = attrs.field(factory=list)
    refused: str = ""

    def audio(self, origin: tuple[Any, ...], make: Callable[[], Kept]) -> Kept:
        """Return what `make` gives, from the cache where it was made before.

        `origin` tells apart everything that decides the samples: the content that they come from and
        each option on the way.
        """
        path = self.folder / "audio" / f"{_digest(repr((FORMAT, *origin)).encode())}.f32"
        kept = self._read(path)
        if kept is None:
            made = make()
            self.made += 1
            kept = self._written(path, made) or made
        return kept

    def _read(self, path: Path) -> Kept | None:
        try:
            return _mapped(path)
        except FileNotFoundError:
            return None
        except (_Damaged, OSError):
            self.damaged.append(path)
            return None

    def _written(self, path: Path, made: Kept) -> Kept | None:
        samples = np.ascontiguousarray(made.samples, dtype="<f4")
        try:
            write_atomically(path, lambda stream: _write(stream, samples, made.facts))
            return _mapped(path, whole=False)
        except OSError as error:
            self.refused = f"{path.parent}: cannot be written ({error.strerror})"
            return None


def file_digest(path: Path) -> str:
    """Return the SHA-256 of a file's bytes."""
    digest = hashlib.sha256()
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
    return digest.hexdigest()


def _digest(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()


def _write(stream: IO[bytes], samples: Audio, facts: Mapping[str, Any]) -> None:
    flat = samples.reshape(-1)
    head = {
        "format": FORMAT,
        "shape": list(samples.shape),
        "check": zlib.crc32(flat.data),
        "facts": {**facts},
    }
    text = strict_json(head).encode()
    if len(text) >= _PAGE:
        raise ValueError(f"{len(text)} bytes of facts do not fit into a page")
    stream.write(text.ljust(_PAGE - 1) + b"\n")
    stream.write(flat.data)


def _mapped(path: Path, whole: bool = True) -> Kept:
    """Map a file; `whole` reads it once to compare its checksum."""
    with path.open("rb") as stream:
        head = _head(stream.read(_PAGE))
        channels, samples = head["shape"]
        size = path.stat().st_size
        if size != _PAGE + 4 * channels * samples:
            raise _Damaged(f"{size} bytes")
        if whole and _check(stream) != head["check"]:
            raise _Damaged("checksum")
    if not channels * samples:
        return Kept(samples=np.zeros((channels, samples), np.float32), facts=head["facts"])
    # torch maps without keeping the file open, of which a process may have a thousand; and privately, so
    # that no write to the tensor reaches the file.
    page = torch.from_file(str(path), shared=False, size=size // 4, dtype=torch.float32)
    return Kept(samples=page[_PAGE // 4 :].view(channels, samples).numpy(), facts=head["facts"])


def _head(page: bytes) -> dict[str, Any]:
    try:
        head = json.loads(page)
    except ValueError as error:
        raise _Damaged("no header") from error
    if (
        not isinstance(head, dict)
        or head.get("format") != FORMAT
        or not head.keys() >= {"shape", "check", "facts"}
    ):
        raise _Damaged("another format")
    return head


def _check(stream: IO[bytes]) -> int:
    check = 0
    while block := stream.read(_BLOCK):
        check = zlib.crc32(block, check)
    return check
