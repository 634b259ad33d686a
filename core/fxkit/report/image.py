"""Pictures of spectrograms: PNG with a palette, as data for the page."""

from __future__ import annotations

import base64
import struct
import zlib

import numpy as np
import numpy.typing as npt
from matplotlib import colormaps

RANGE_DB = 80.0


def spectrogram_png(power: npt.NDArray[np.floating], loudest: float) -> str:
    """Return power [bands, columns] as a picture, low bands at the bottom, 80 dB below `loudest` black."""
    level = 10 * np.log10(np.maximum(power / (loudest or 1.0), 1e-30)) / RANGE_DB + 1
    places = np.round(np.clip(level, 0, 1) * 255).astype(np.uint8)[::-1]
    return "data:image/png;base64," + base64.b64encode(_png(places)).decode("ascii")


def _png(places: npt.NDArray[np.uint8]) -> bytes:
    height, width = places.shape
    palette = (np.array(colormaps["magma"].colors) * 255).round().astype(np.uint8)  # type: ignore[attr-defined]
    rows = np.concatenate([np.zeros((height, 1), np.uint8), places], axis=1)
    header = struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)
    return b"".join(
        (
            b"\x89PNG\r\n\x1a\n",
            _chunk(b"IHDR", header),
            _chunk(b"PLTE", palette.tobytes()),
            _chunk(b"IDAT", zlib.compress(rows.tobytes(), 9)),
            _chunk(b"IEND", b""),
        )
    )


def _chunk(kind: bytes, content: bytes) -> bytes:
    return struct.pack(">I", len(content)) + kind + content + struct.pack(">I", zlib.crc32(kind + content))
