from __future__ import annotations

import math

import pytest
import torch

from fxkit.context import BuildContext
from fxkit_neural.concat import Concat
from fxkit_neural.s4 import S4
from fxkit_neural.tfilm import TFiLM


def stirred(spec: S4, seed: int = 0, channels: int = 1) -> torch.nn.Module:
    """Build with biases that silence hears, and filters that settle within some hundred samples."""
    torch.manual_seed(seed)
    module = spec.build(BuildContext(channels=channels)).double()
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.2 * torch.randn_like(weight))
        for block in module.blocks:
            block.bank.log_dt.clamp_(min=-2.0)
    return module


def per_sample(module: torch.nn.Module, audio: torch.Tensor) -> torch.Tensor:
    """Run one item [inputs, samples] by the definition, sample by sample, from states of zero."""
    memories = [torch.zeros_like(block.bank.frequency, dtype=torch.complex128) for block in module.blocks]
    outputs = []
    for sample in audio.T:
        signal = module.expand.weight @ sample + module.expand.bias
        for number, block in enumerate(module.blocks):
            bank, bent = block.bank, torch.tanh(block.linear.weight @ signal + block.linear.bias)
            pole = -torch.exp(bank.log_decay) + 1j * bank.frequency
            discrete = torch.exp(pole * torch.exp(bank.log_dt)[:, None])
            memories[number] = discrete * memories[number] + (discrete - 1) / pole * bent[:, None]
            gain = bank.gain[..., 0] + 1j * bank.gain[..., 1]
            filtered = 2 * (gain * memories[number]).real.sum(1) + bank.direct * bent
            past = 0 if block.residual is None else block.residual[:, 0] * signal
            signal = torch.tanh(filtered) + past
        outputs.append(torch.tanh(module.contract.weight @ signal + module.contract.bias))
    return torch.stack(outputs, 1)


@pytest.mark.parametrize(("preset", "count"), [("s", 2353), ("l", 18993)])
def test_sizes_are_the_published_ones(preset, count):
    module = S4(**S4.presets()[preset]).build(BuildContext())
    assert sum(weight.numel() for weight in module.parameters()) == count


@pytest.mark.parametrize(("preset", "count"), [("s", 27953), ("l", 70193)])
def test_sizes_with_tfilm_are_the_published_ones(preset, count):
    conditioning = TFiLM(**TFiLM.presets()["published"])
    module = S4(**S4.presets()[preset], conditioning=conditioning).build(BuildContext())
    assert sum(weight.numel() for weight in module.parameters()) == count


def test_poles_start_as_published():
    torch.manual_seed(0)
    bank = S4(blocks=1, modes=3, channels=200).build(BuildContext()).blocks[0].bank
    assert torch.allclose(bank.log_decay.exp(), torch.tensor(0.5))
    assert torch.allclose(bank.frequency[7], math.pi * torch.arange(3.0))
    steps = bank.log_dt.exp()
    assert 0.001 <= steps.min() < 0.0012
    assert 0.08 < steps.max() <= 0.1


@pytest.mark.parametrize("options", [{}, {"residual": False}, {"modes": 1, "channels": 2}])
@pytest.mark.parametrize("channels", [1, 2])
def test_output_follows_the_definition(options, channels):
    module = stirred(S4(**{"blocks": 2, "modes": 3, "channels": 4, **options}), channels=channels)
    silent = torch.zeros(channels, 500, dtype=torch.float64)
    audio = torch.randn(channels, 90, dtype=torch.float64)
    with torch.no_grad():
        expected = per_sample(module, torch.cat([silent, audio], 1))[:, 500:]
    assert torch.allclose(module(audio[None], {})[0][0], expected, atol=1e-8)


def test_silence_before_the_start_changes_nothing():
    module = stirred(S4(blocks=3, modes=4, channels=4))
    audio = torch.randn(2, 1, 200, dtype=torch.float64)
    late = torch.nn.functional.pad(audio, (300, 0))
    assert torch.allclose(module(late, {})[0][..., 300:], module(audio, {})[0], atol=1e-10)


def test_poles_learn_slower_and_do_not_decay():
    module = S4(blocks=2).build(BuildContext())
    rules, weights = module.weight_rules(), dict(module.named_parameters())
    assert set(rules) <= set(weights)
    assert {name.rsplit(".", 1)[1] for name in rules} == {"log_dt", "log_decay", "frequency"}
    assert len(rules) == 6
    assert all(rule["weight_decay"] == 0 and 0 < rule["lr"] < 1 for rule in rules.values())


def test_a_stream_notices_new_weights():
    module = S4(blocks=1, channels=3).build(BuildContext())
    audio = torch.randn(1, 1, 40)
    with torch.no_grad():
        before = module(audio, {})[0]
        module.blocks[0].bank.direct.add_(1.0)
        after = module(audio, {})[0]
    assert not torch.allclose(before, after, atol=1e-3)
    assert torch.allclose(after, module(audio, {})[0], atol=1e-5)


def test_cost_is_that_of_the_definition():
    spec = S4(blocks=2, modes=3, channels=4)
    complex_steps = 6 * 3 * 4
    assert spec.traits(BuildContext()).macs == 2 * (16 + complex_steps + 4 + 4) + 4 + 4


def test_what_a_condition_joins_costs_one_product_per_channel_inside():
    plain, joined = S4(channels=5), S4(channels=5, conditioning=Concat(size=3))
    ctx = BuildContext(channels=2)
    assert joined.traits(ctx).macs - plain.traits(ctx).macs == 3 * 5
