"""What there is to hear in a clip."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

    from fxkit_callbacks._clips import Clip

WRITE = "fxkit_callbacks._wave_file:write_wav"


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
