from __future__ import annotations

import pytest
import torch

from fxkit.context import BuildContext
from fxkit_neural.concat import Concat
from fxkit_neural.film import FiLM
from fxkit_neural.tcn import TCN

# Preset, receptive field, weights: Comunità et al. (2025), the six plain TCNs.
PUBLISHED = [
    ("45-s", 2047, 7457),
    ("45-l", 2047, 7297),
    ("250-s", 13651, 14465),
    ("250-l", 12283, 18401),
    ("2500-s", 133333, 13697),
    ("2500-l", 118097, 11937),
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
    return (torch.tanh(mixed) if spec.bounded else mixed)[:, 2 * memory :]


@pytest.mark.parametrize(("preset", "field", "count"), PUBLISHED)
def test_sizes_are_the_published_ones(preset, field, count):
    spec = TCN(**TCN.presets()[preset])
    assert spec.traits(BuildContext()).receptive_field == field
    assert sum(weight.numel() for weight in spec.build(BuildContext()).parameters()) == count


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"causal": False},
        {"bias": False},
        {"residual": False},
        {"causal": False, "kernel": 4},
        {"bounded": True},
    ],
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


@pytest.mark.parametrize("conditioning", [Concat(size=2), FiLM(size=2)])
def test_silence_before_the_start_changes_nothing(conditioning):
    module = stirred(TCN(blocks=3, conditioning=conditioning))
    audio = torch.randn(2, 1, 200, dtype=torch.float64)
    params = {"condition": torch.rand(2, 2, 1, dtype=torch.float64)}
    late = torch.nn.functional.pad(audio, (500, 0))
    assert torch.allclose(module(late, params)[0][..., 500:], module(audio, params)[0], atol=1e-12)


def test_the_state_is_no_larger_than_the_memory():
    module = TCN(blocks=3, kernel=3, growth=2, channels=4).build(BuildContext())
    _, state = module(torch.randn(1, 1, 5000), {})
    kept = [past.untyped_storage().nbytes() // 4 for past in state["pasts"]]
    assert kept == [1 * 2, 4 * 4, 4 * 8]


@pytest.mark.parametrize("options", [{}, {"bounded": True}, {"causal": False}, {"residual": False}])
def test_float32_agrees_with_float64(options):
    spec = TCN(blocks=4, kernel=5, growth=5, **options)
    module = stirred(spec)
    audio = torch.randn(3, 1, 3000)
    exact, _ = module(audio.double(), {})
    found, _ = module.float()(audio, {})
    assert (found - exact).abs().max() < 5e-6


def test_a_film_that_does_nothing_leaves_the_plain_network():
    plain, modulated = TCN(blocks=3), TCN(blocks=3, conditioning=FiLM())
    one, other = stirred(plain).float(), modulated.build(BuildContext())
    other.load_state_dict(one.state_dict(), strict=False)
    for head in other.conditioning.heads:
        torch.nn.init.zeros_(head.weight)
        torch.nn.init.zeros_(head.bias)
    audio, params = torch.randn(2, 1, 500), {"condition": torch.rand(2, 1, 1)}
    assert torch.allclose(one(audio, {})[0], other(audio, params)[0], atol=1e-6)


def test_long_memories_cost_a_block_and_not_themselves_to_keep():
    module = TCN(blocks=3, kernel=3, growth=64).build(BuildContext())
    audio = torch.randn(1, 1, 3200)
    with torch.inference_mode():
        whole, state = module(audio, {})[0], None
        parts, places = [], []
        for block in audio.split(64, dim=-1):
            part, state = module(block, {}, state)
            parts.append(part)
            places.append(state["pasts"][2].data_ptr())
    assert torch.allclose(torch.cat(parts, dim=-1), whole, atol=1e-6)
    assert len(set(places[1:])) == 1


def test_the_condition_changes_what_is_learned_from_it():
    module = stirred(TCN(blocks=2, conditioning=Concat()))
    audio = torch.randn(1, 1, 50, dtype=torch.float64)
    low, high = (module(audio, {"condition": torch.full((1, 1, 1), value).double()})[0] for value in (0, 1))
    assert (low - high).abs().min().item() > 0
