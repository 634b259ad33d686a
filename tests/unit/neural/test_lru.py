from __future__ import annotations

import math

import pytest
import torch

from fxkit.context import BuildContext
from fxkit_neural.concat import Concat
from fxkit_neural.lru import LRU


def stirred(spec: LRU, seed: int = 0, channels: int = 1) -> torch.nn.Module:
    """Build with biases that silence hears, and poles that settle within some hundred samples."""
    torch.manual_seed(seed)
    module = spec.build(BuildContext(channels=channels)).double()
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
        for block in module.blocks:
            block.unit.decay.clamp_(min=-3.0)
    return module


def per_sample(module: torch.nn.Module, audio: torch.Tensor) -> torch.Tensor:
    """Run one item [inputs, samples] by the definition, sample by sample, from states of zero."""
    memories = [torch.zeros(len(block.unit.decay), dtype=torch.complex128) for block in module.blocks]
    outputs = []
    for sample in audio.T:
        signal = module.expand.weight @ sample + module.expand.bias
        for number, block in enumerate(module.blocks):
            unit = block.unit
            pole = torch.exp(-torch.exp(unit.decay) + 1j * torch.exp(unit.turn))
            into = (unit.into[..., 0] + 1j * unit.into[..., 1]) * torch.exp(unit.scale)[:, None]
            entered = torch.tanh(block.enter.weight @ signal + block.enter.bias)
            memories[number] = pole * memories[number] + into @ entered.to(torch.complex128)
            read = ((unit.out[..., 0] + 1j * unit.out[..., 1]) @ memories[number]).real
            mixed = block.leave.weight @ (read + unit.direct[:, 0] * entered) + block.leave.bias
            bent, gate = mixed.chunk(2)
            signal = signal + torch.tanh(bent) * torch.sigmoid(gate)
        outputs.append(torch.tanh(module.contract.weight @ signal + module.contract.bias))
    return torch.stack(outputs, 1)


@pytest.mark.parametrize("channels", [1, 2])
def test_output_follows_the_definition(channels):
    module = stirred(LRU(blocks=2, modes=3, channels=4), channels=channels)
    silent = torch.zeros(channels, 700, dtype=torch.float64)
    audio = torch.randn(channels, 90, dtype=torch.float64)
    with torch.no_grad():
        expected = per_sample(module, torch.cat([silent, audio], 1))[:, 700:]
    assert torch.allclose(module(audio[None], {})[0][0], expected, atol=1e-8)


def test_silence_before_the_start_changes_nothing():
    module = stirred(LRU(blocks=3, modes=4, channels=4))
    audio = torch.randn(2, 1, 200, dtype=torch.float64)
    late = torch.nn.functional.pad(audio, (300, 0))
    assert torch.allclose(module(late, {})[0][..., 300:], module(audio, {})[0], atol=1e-10)


@pytest.mark.parametrize("rate", [16000, 96000])
def test_poles_start_on_a_ring_with_the_same_gain_at_resonance(rate):
    torch.manual_seed(0)
    unit = LRU(blocks=1, modes=400).build(BuildContext(sample_rate=rate)).blocks[0].unit
    radius, angle = torch.exp(-unit.decay.exp()), unit.turn.exp()
    lowest = 2 * math.pi * 5 / rate
    assert math.exp(-1) <= radius.min() < radius.max() <= math.exp(-lowest)
    assert angle.max() <= math.pi * (1 + 1e-6)
    assert (angle / unit.decay.exp()).max() <= 10 * (1 + 1e-5)
    assert 0.1 * (1 - 1e-5) <= (angle / unit.decay.exp()).min() < 0.12
    assert torch.allclose(unit.scale.exp() / (1 - radius), torch.full((400,), 4.0), rtol=1e-2)


def test_no_weight_can_make_it_unstable():
    module = LRU(blocks=1, modes=3, channels=2).build(BuildContext())
    with torch.no_grad():
        module.blocks[0].unit.decay.copy_(torch.tensor([-30.0, 0.0, 5.0]))
        module.blocks[0].unit.turn.fill_(4.0)
        impulse = torch.zeros(1, 1, 20000)
        impulse[..., 0] = 1.0
        output, _ = module(impulse, {})
    assert output.isfinite().all()
    assert output[..., -100:].abs().max() <= 2 * output[..., :100].abs().max()


def test_poles_learn_slower_and_do_not_decay():
    module = LRU(blocks=2).build(BuildContext())
    rules, weights = module.weight_rules(), dict(module.named_parameters())
    assert set(rules) <= set(weights)
    assert {name.rsplit(".", 1)[1] for name in rules} == {"decay", "turn", "scale"}
    assert len(rules) == 6
    assert all(rule["weight_decay"] == 0 and 0 < rule["lr"] < 1 for rule in rules.values())


def test_presets_have_as_many_weights_as_those_of_s4():
    counts = {}
    for name, options in LRU.presets().items():
        module = LRU(**options).build(BuildContext())
        counts[name] = sum(weight.numel() for weight in module.parameters())
    assert counts == {"small": 2395, "large": 17701}


def test_cost_is_that_of_the_definition():
    spec = LRU(blocks=2, modes=3, channels=4)
    drive_and_read, step = 4 * 3 * 4, 4 * 3
    assert spec.traits(BuildContext()).macs == 2 * (16 + drive_and_read + step + 4 + 32 + 4) + 4 + 4


def test_what_a_condition_joins_costs_one_product_per_channel_inside():
    plain, joined = LRU(channels=5), LRU(channels=5, conditioning=Concat(size=3))
    ctx = BuildContext(channels=2)
    assert joined.traits(ctx).macs - plain.traits(ctx).macs == 3 * 5
