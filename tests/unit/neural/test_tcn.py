from __future__ import annotations

import pytest
import torch

from fxkit.context import BuildContext
from fxkit_neural.tcn import TCN

# blocks, kernel, growth -> receptive field, weights: Comunità et al. (2025), the six plain TCNs.
PUBLISHED = [
    (5, 7, 4, 2047, 7457),
    (10, 3, 2, 2047, 7297),
    (6, 11, 4, 13651, 14465),
    (11, 7, 2, 12283, 18401),
    (5, 13, 10, 133333, 13697),
    (10, 5, 3, 118097, 11937),
]


def stirred(spec: TCN, seed: int = 0, channels: int = 1) -> torch.nn.Module:
    torch.manual_seed(seed)
    module = spec.build(BuildContext(channels=channels)).double()
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
    return module


def per_sample(module: torch.nn.Module, spec: TCN, audio: torch.Tensor) -> torch.Tensor:
    """Run one item [inputs, samples] by the defining sums, long after the start of a silent past."""
    memory = spec.traits(BuildContext()).receptive_field
    signal = torch.cat((audio.new_zeros(audio.shape[0], 2 * memory), audio), dim=1)
    for block, dilation in zip(module.blocks, spec.dilations, strict=True):
        reach = (spec.kernel - 1) * dilation
        ahead = 0 if spec.causal else reach // 2
        output = torch.zeros(spec.channels, signal.shape[1], dtype=signal.dtype)
        for n in range(reach, signal.shape[1]):
            taps = signal[:, n - reach : n + 1 : dilation]
            bias = 0 if block.convolution.bias is None else block.convolution.bias
            output[:, n] = torch.tanh((block.convolution.weight * taps).sum((1, 2)) + bias)
            if block.residual is not None:
                weight = block.residual.weight[..., 0]
                past = signal[:, n - ahead]
                output[:, n] += weight[:, 0] * past if weight.shape[1] == 1 else weight @ past
        signal = output
    mixed = module.head.weight[..., 0] @ signal + module.head.bias[:, None]
    return mixed[:, 2 * memory :]


@pytest.mark.parametrize(("blocks", "kernel", "growth", "field", "count"), PUBLISHED)
def test_sizes_are_the_published_ones(blocks, kernel, growth, field, count):
    spec = TCN(blocks=blocks, kernel=kernel, growth=growth)
    assert spec.traits(BuildContext()).receptive_field == field
    assert sum(weight.numel() for weight in spec.build(BuildContext()).parameters()) == count


@pytest.mark.parametrize(
    "options", [{}, {"causal": False}, {"bias": False}, {"residual": False}, {"causal": False, "kernel": 4}]
)
def test_output_follows_the_defining_sums(options):
    spec = TCN(**{"blocks": 3, "kernel": 3, "growth": 2, "channels": 4, **options})
    module = stirred(spec)
    audio = torch.randn(1, 1, 30, dtype=torch.float64)
    found = module(audio, {})[0][0]
    assert torch.allclose(found, per_sample(module, spec, audio[0]), atol=1e-12)


def test_two_channels_are_mixed_from_the_first_block_on():
    spec = TCN(blocks=2, kernel=3, growth=2, channels=4)
    module = stirred(spec, channels=2)
    audio = torch.randn(1, 2, 12, dtype=torch.float64)
    memory = spec.traits(BuildContext()).receptive_field
    louder = audio.clone()
    louder[:, 0] *= 2
    assert module(audio, {})[0].shape == audio.shape
    assert bool((module(audio, {})[0] != module(louder, {})[0]).all())
    assert memory == 7


@pytest.mark.parametrize("causal", [True, False])
def test_the_residual_path_is_on_time(causal):
    spec = TCN(causal=causal, channels=4)
    module = spec.build(BuildContext()).double()
    with torch.no_grad():
        for block in module.blocks:
            block.convolution.weight.zero_()
            block.convolution.bias.zero_()
    audio = torch.zeros(1, 1, 2500, dtype=torch.float64)
    audio[..., 100] = 1.0
    response = module(audio, {})[0][0, 0] - module.head.bias
    latency = spec.traits(BuildContext()).latency
    assert latency == (0 if causal else 1023)
    assert response.nonzero().flatten().tolist() == [100 + latency]


def test_silence_before_the_start_changes_nothing():
    module = stirred(TCN(blocks=3, conditions=2))
    audio = torch.randn(2, 1, 200, dtype=torch.float64)
    params = {"condition": torch.rand(2, 2, 1, dtype=torch.float64)}
    late = torch.nn.functional.pad(audio, (500, 0))
    assert torch.allclose(module(late, params)[0][..., 500:], module(audio, params)[0], atol=1e-12)


def test_the_state_is_no_larger_than_the_memory():
    module = TCN(blocks=3, kernel=3, growth=2, channels=4).build(BuildContext())
    _, state = module(torch.randn(1, 1, 5000), {})
    kept = [past.untyped_storage().nbytes() // 4 for past in state]
    assert kept == [1 * 2, 4 * 4, 4 * 8]


def test_the_condition_changes_what_is_learned_from_it():
    module = stirred(TCN(blocks=2, conditions=1))
    audio = torch.randn(1, 1, 50, dtype=torch.float64)
    low, high = (module(audio, {"condition": torch.full((1, 1, 1), value).double()})[0] for value in (0, 1))
    assert (low - high).abs().min().item() > 0
