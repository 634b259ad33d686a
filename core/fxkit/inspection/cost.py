"""What a model costs: weights, and multiplications with addition per sample."""

from __future__ import annotations

import torch
from torch.utils.flop_counter import FlopCounterMode

from fxkit.model.plan import NodePlan

SAMPLES = 4096


def count_weights(module: torch.nn.Module) -> tuple[int, bool]:
    """Return the number of weights, and whether any of them is trained."""
    weights = list(module.parameters())
    return sum(weight.numel() for weight in weights), any(weight.requires_grad for weight in weights)


def count_macs(node: NodePlan, module: torch.nn.Module) -> float | None:
    """Return a node's multiplications with addition per sample, declared or counted; None when unknown.

    Counted are torch's matrix products and convolutions; a node that does none of either does its
    work where it cannot be seen.
    """
    if node.traits.macs is not None:
        return node.traits.macs
    return _counted(node, module) or None


def _counted(node: NodePlan, module: torch.nn.Module) -> float:
    device = next((weight.device for weight in module.parameters()), None)
    audio = torch.zeros(1, node.ctx.channels, SAMPLES, device=device)
    params = {p.name: _resting(p.defaults, p.rate, node.ctx.hop, audio) for p in node.parameters}
    inputs = {name: torch.zeros_like(audio) for name in node.traits.inputs}
    with torch.no_grad(), FlopCounterMode(display=False) as counter:
        module(audio, params, None, **inputs)
    return float(counter.get_total_flops()) / 2 / SAMPLES


def _resting(values: tuple[float, ...], rate: str, hop: int, audio: torch.Tensor) -> torch.Tensor:
    constant = torch.tensor(values, device=audio.device)[None, :, None]
    return constant.expand(-1, -1, (SAMPLES - 1) // hop + 2) if rate == "frame" else constant
