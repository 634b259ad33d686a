from __future__ import annotations

import pytest
import torch

from fxkit.context import BuildContext
from fxkit_neural.concat import Concat
from fxkit_neural.film import FiLM
from fxkit_neural.gcn import GCN

# Preset, receptive field, weights: Comunità et al. (2025), and NablAFx 1.0 where they give none.
PUBLISHED = [
    ("45-s", 2047, 16161),
    ("45-l", 2047, 17121),
    ("250-s", 13651, 30433),
    ("250-l", 12283, 39585),
    ("2500-s", 133333, 28641),
    ("2500-l", 118097, 26401),
]


def stirred(spec: GCN, seed: int = 0, channels: int = 1) -> torch.nn.Module:
    torch.manual_seed(seed)
    module = spec.build(BuildContext(channels=channels)).double()
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return module


def per_sample(module: torch.nn.Module, spec: GCN, audio: torch.Tensor) -> torch.Tensor:
    """Run one item [inputs, samples] by the defining sums, long after the start of a silent past."""
    memory = spec.traits(BuildContext()).receptive_field
    signal = torch.cat((audio.new_zeros(audio.shape[0], 2 * memory), audio), dim=1)
    mixed = 0 if module.head.bias is None else module.head.bias[:, None]
    for number, (block, dilation) in enumerate(zip(module.blocks, spec.dilations, strict=True)):
        reach = (spec.kernel - 1) * dilation
        gated = torch.zeros(spec.channels, signal.shape[1], dtype=signal.dtype)
        for n in range(reach, signal.shape[1]):
            taps = signal[:, n - reach : n + 1 : dilation]
            bias = 0 if block.convolution.bias is None else block.convolution.bias
            summed = (block.convolution.weight * taps).sum((1, 2)) + bias
            gated[:, n] = torch.tanh(summed[: spec.channels]) * torch.sigmoid(summed[spec.channels :])
        own = slice(number * spec.channels, (number + 1) * spec.channels)
        mixed = mixed + module.head.weight[:, own, 0] @ gated
        if block.mix is not None:
            passed = block.mix.weight[..., 0] @ gated
            passed = passed if block.mix.bias is None else passed + block.mix.bias[:, None]
            beside = signal if block.residual is None else block.residual.weight[..., 0] @ signal
            signal = passed + beside if spec.residual else passed
    return mixed[:, 2 * memory :]


@pytest.mark.parametrize(("preset", "field", "count"), PUBLISHED)
def test_sizes_are_the_published_ones(preset, field, count):
    spec = GCN(**GCN.presets()[preset])
    module = spec.build(BuildContext())
    assert spec.traits(BuildContext()).receptive_field == field
    kept = [*module.parameters(), *module.buffers()]
    assert sum(weight.numel() for weight in kept) == count


@pytest.mark.parametrize("channels", [1, 2])
@pytest.mark.parametrize("options", [{}, {"bias": False}, {"residual": False}, {"growth": 1}])
def test_output_follows_the_defining_sums(options, channels):
    spec = GCN(**{"blocks": 3, "kernel": 3, "growth": 2, "channels": 4, **options})
    module = stirred(spec, channels=channels)
    audio = torch.randn(1, channels, 30, dtype=torch.float64)
    found = module(audio, {})[0][0]
    assert torch.allclose(found, per_sample(module, spec, audio[0]), atol=1e-12)


def test_float32_agrees_with_float64():
    module = stirred(GCN(blocks=4, kernel=5, growth=5))
    audio = torch.randn(3, 1, 3000)
    exact, _ = module(audio.double(), {})
    found, _ = module.float()(audio, {})
    assert (found - exact).abs().max() < 1e-5


@pytest.mark.parametrize("conditioning", [None, Concat(size=2), FiLM(size=2)])
def test_silence_before_the_start_changes_nothing(conditioning):
    module = stirred(GCN(blocks=3, conditioning=conditioning))
    audio = torch.randn(2, 1, 200, dtype=torch.float64)
    params = {"condition": torch.rand(2, 2, 1, dtype=torch.float64)} if conditioning else {}
    late = torch.nn.functional.pad(audio, (500, 0))
    assert torch.allclose(module(late, params)[0][..., 500:], module(audio, params)[0], atol=1e-12)


def test_every_weight_that_trains_is_heard():
    module = GCN(blocks=3).build(BuildContext())
    module(torch.randn(1, 1, 200), {})[0].square().sum().backward()
    assert all(weight.grad is not None and bool(weight.grad.any()) for weight in module.parameters())
