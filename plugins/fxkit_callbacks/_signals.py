"""What there is to hear in an evaluated example, and how it becomes a WAV file."""

from __future__ import annotations

import io
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from fxkit.engine.session import Example

_PEAK_TIME = 12


def signals(example: Example, samples: int, *, stems: bool = False) -> dict[str, torch.Tensor]:
    """Return signal name -> [channels, samples] of the scored part, cut to `samples`.

    "input" (where there is one), "target", "prediction", "residual" (target - prediction), and with
    `stems` each parallel branch as "stem-LABEL".
    """
    named = {} if example.input is None else {"input": example.input}
    named |= {
        "target": example.target,
        "prediction": example.prediction,
        "residual": example.target - example.prediction,
    }
    if stems:
        named |= {f"stem-{label}": stem for label, stem in example.stems.items()}
    return {name: audio[:, example.skip : example.skip + samples] for name, audio in named.items()}


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
