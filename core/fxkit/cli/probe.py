"""Try the heavy dependencies in a process of their own: `python -m fxkit.cli.probe`.

One line of JSON per stage, as soon as it is known, so that a library that ends the process costs
its own stage and those after it only.
"""

from __future__ import annotations

import json
import os
import sys
import time
from collections.abc import Callable
from typing import Any

FORMATS = {"WAV": "PCM_24", "FLAC": "PCM_24", "OGG": "VORBIS", "MP3": "MPEG_LAYER_III", "AIFF": "PCM_24"}


def soundfile_facts() -> dict[str, Any]:
    """Write a tone in each format and read it back; a format maps to "" or to what went wrong."""
    import soundfile

    version = f"{soundfile.__version__} with {soundfile.__libsndfile_version__}"
    return {"version": version, "formats": {name: _round_trip(name, FORMATS[name]) for name in FORMATS}}


def _round_trip(name: str, subtype: str) -> str:
    import io

    import numpy as np
    import soundfile

    tone = 0.5 * np.sin(np.arange(24000) * 0.05)
    buffer = io.BytesIO()
    try:
        soundfile.write(buffer, tone, 48000, format=name, subtype=subtype)
        buffer.seek(0)
        # Any container's name does; libsndfile cannot tell some formats from a stream's content alone.
        buffer.name = f"tone.{name.lower()}"
        back, rate = soundfile.read(buffer)
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    right = rate == 48000 and abs(len(back) - len(tone)) < 4096 and 0.4 < float(np.abs(back).max()) < 0.6
    return "" if right else "what is read is not what was written"


def torch_facts() -> dict[str, Any]:
    """Import torch; return how long that took, the devices, the threads and the machine's load before."""
    load = os.getloadavg()[0] if hasattr(os, "getloadavg") else 0.0
    began = time.perf_counter()
    import torch

    seconds = time.perf_counter() - began
    devices = [f"cuda:{i} ({torch.cuda.get_device_name(i)})" for i in range(torch.cuda.device_count())]
    if torch.backends.mps.is_available():
        devices.append("mps")
    return {
        "version": torch.__version__,
        "seconds": seconds,
        "devices": ["cpu", *devices],
        "threads": torch.get_num_threads(),
        "load": load,
    }


def torchaudio_facts() -> dict[str, Any]:
    """Import torchaudio beside torch."""
    import torchaudio  # type: ignore[import-untyped]

    return {"version": torchaudio.__version__}


STAGES: dict[str, Callable[[], dict[str, Any]]] = {
    "soundfile": soundfile_facts,
    "torch": torch_facts,
    "torchaudio": torchaudio_facts,
}


def main() -> None:
    """Write each stage's facts, or the error that it met."""
    for name, stage in STAGES.items():
        try:
            facts = stage()
        except BaseException as error:
            facts = {"error": " ".join(f"{type(error).__name__}: {error}".split())}
        sys.stdout.write(json.dumps({"stage": name, **facts}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
