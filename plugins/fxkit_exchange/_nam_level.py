"""How loud a model is and how much it compresses, as Neural Amp Modeler tells in its files."""

from __future__ import annotations

import torch

from fxkit.model.graph import Model

# The level of the noise that NAM measures with.
LEVEL = -15.0
LOWEST = 20
STEPS = 11


def pink_noise(rate: int) -> torch.Tensor:
    """Return a second of pink noise from 20 Hz on, at -15 dB RMS; the same at every call."""
    draw = torch.Generator().manual_seed(7)
    spectrum = torch.fft.rfft(torch.randn(rate, generator=draw))
    number = torch.arange(len(spectrum))
    shaped = torch.where(number >= LOWEST, spectrum / number.clamp(min=1).sqrt(), 0)
    noise: torch.Tensor = torch.fft.irfft(shaped, rate)
    scaled: torch.Tensor = noise * (10 ** (LEVEL / 20) / noise.square().mean().sqrt())
    return scaled


def loudness_and_gain(model: Model) -> dict[str, float]:
    """Return the level of the output in dB RMS, and a figure from 0 (clean) to 1 (always as loud).

    The second is the area under the levels of the output for ten equal steps of input gain, between that
    of a straight line and that of a constant (Neural Amp Modeler 0.13).
    """
    noise = pink_noise(next(iter(model.plan.nodes.values())).ctx.sample_rate)
    gains = torch.linspace(0, 1, STEPS)
    with torch.inference_mode():
        levels = model(gains[:, None, None] * noise).audio.square().mean(dim=(1, 2)).sqrt()
    most = float(levels[-1]) * STEPS
    share = (float(levels.sum()) - most / 2) / (most / 2) if most else 0.0
    return {
        "loudness": float(20 * torch.log10(levels[-1].clamp(min=1e-9))),
        "gain": min(max(share, 0.0), 1.0),
    }
