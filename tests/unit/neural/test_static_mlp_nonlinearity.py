from __future__ import annotations

import math

import pytest
import torch

from fxkit.context import BuildContext
from fxkit_neural.static_mlp_nonlinearity import StaticMLPNonlinearity

STARTS = {"identity": lambda x: x, "tanh": math.tanh}
ACTIVATIONS = {"tanh": math.tanh, "relu": lambda x: max(0.0, x), "sine": math.sin}


def built(seed: int = 0, **options: object) -> torch.nn.Module:
    torch.manual_seed(seed)
    return StaticMLPNonlinearity(**options).build(BuildContext())


def stirred(**options: object) -> torch.nn.Module:
    module = built(**options).double()
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return module


def per_sample(module: torch.nn.Module, start: str, activation: str, sample: float) -> float:
    def perceptron(value: float) -> float:
        values = [value]
        for layer in module.hidden:
            rows = zip(layer.weight.tolist(), layer.bias.tolist(), strict=True)
            values = [
                ACTIVATIONS[activation](sum(w * v for w, v in zip(row, values, strict=True)) + bias)
                for row, bias in rows
            ]
        return sum(w * v for w, v in zip(module.head.weight[0].tolist(), values, strict=True))

    return STARTS[start](sample) + perceptron(sample) - perceptron(0.0)


@pytest.mark.parametrize("start", ["identity", "tanh"])
def test_training_departs_exactly_from_the_starting_curve(start):
    audio = torch.linspace(-2, 2, 401, dtype=torch.float64)[None, None]
    shaped, _ = built(start=start).double()(audio, {})
    expected = torch.tensor([STARTS[start](sample) for sample in audio.flatten().tolist()])
    assert torch.allclose(shaped.flatten(), expected.double(), atol=1e-15)


@pytest.mark.parametrize("start", ["identity", "tanh"])
@pytest.mark.parametrize("activation", ["tanh", "relu", "sine"])
def test_every_sample_passes_the_perceptron_alone(start, activation):
    module = stirred(start=start, activation=activation, hidden=5, layers=3)
    audio = torch.randn(2, 3, 7, dtype=torch.float64)
    expected = [per_sample(module, start, activation, sample) for sample in audio.flatten().tolist()]
    shaped = module(audio, {})[0].flatten().tolist()
    assert shaped == pytest.approx(expected, abs=1e-12)


def test_silence_stays_silent_whatever_is_learned():
    shaped, _ = stirred()(torch.zeros(1, 2, 16, dtype=torch.float64), {})
    assert float(shaped.detach().abs().max()) < 1e-14


def test_a_clipping_curve_is_learned_in_200_steps():
    module = built()
    optimizer = torch.optim.Adam(module.parameters(), lr=5e-3)
    ratio = math.inf
    for _ in range(200):
        audio = 0.3 * torch.randn(1, 1, 256)
        target = audio.clamp(-0.25, 0.2)
        error = module(audio, {})[0] - target
        ratio = error.square().sum() / target.square().sum()
        optimizer.zero_grad()
        ratio.backward()
        optimizer.step()
    assert ratio.item() < 0.02
