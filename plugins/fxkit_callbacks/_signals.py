"""What there is to hear in a clip, and how it becomes a WAV file."""

from __future__ import annotations

import io
from pathlib import Path
from typing import TYPE_CHECKING

from fxkit.files import write_atomically

if TYPE_CHECKING:
    import torch

    from fxkit_callbacks._clips import Clip

_PEAK_TIME = 12


def signals(clip: Clip, *, stems: bool = False) -> dict[str, torch.Tensor]:
    """Return signal name -> [channels, samples] of a clip, as loud as they are.

    "input" (where there is one), "target", "prediction", "residual" (target - prediction), and with
    `stems` each parallel branch as "stem-LABEL".
    """
    example, part = clip.example, clip.excerpt.part
    named = {} if example.input is None else {"input": part(example.input)}
    target, prediction = part(example.target), part(example.prediction)
    named |= {"target": target, "prediction": prediction, "residual": target - prediction}
    if stems:
        named |= {f"stem-{label}": part(stem) for label, stem in example.stems.items()}
    return named


def behind_nodes(clip: Clip) -> dict[str, torch.Tensor]:
    """Return "NN-NODE" -> [channels, samples] of a clip behind each node, and "stem-LABEL" of each branch.

    Nodes are numbered in the order of the chain; "00-input" is what enters, where something does.
    """
    example, part = clip.example, clip.excerpt.part
    named = {} if example.input is None else {"00-input": part(example.input)}
    nodes = enumerate(example.nodes.items(), start=1)
    named |= {f"{number:02d}-{name}": part(audio) for number, (name, audio) in nodes}
    return named | {f"stem-{label}": part(stem) for label, stem in example.stems.items()}


def exceeds_full_scale(audio: torch.Tensor) -> bool:
    """Tell whether integer samples would clip `audio`."""
    return bool((audio.abs() > 1.0).any())


def wav_bytes(audio: torch.Tensor, sample_rate: int, subtype: str) -> bytes:
    """Encode audio [channels, samples] as WAV; the same audio gives the same bytes."""
    import soundfile

    stream = io.BytesIO()
    soundfile.write(stream, audio.numpy().T, sample_rate, format="WAV", subtype=subtype)
    content = bytearray(stream.getvalue())
    peak = content.find(b"PEAK", 0, content.find(b"data"))
    if peak >= 0:
        # libsndfile stamps float files with the time of writing, which would differ in each run.
        content[peak + _PEAK_TIME : peak + _PEAK_TIME + 4] = bytes(4)
    return bytes(content)


def write_wav(path: Path, audio: torch.Tensor, sample_rate: int, subtype: str = "FLOAT") -> None:
    """Write audio [channels, samples] as a WAV file; one that is there is replaced by a whole one."""
    content = wav_bytes(audio, sample_rate, subtype)
    write_atomically(path, lambda stream: stream.write(content))
