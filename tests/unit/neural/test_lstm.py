from __future__ import annotations

import pytest
import torch

from fxkit.context import BuildContext
from fxkit_neural.lstm import LSTM


def weight_count(module: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


def per_sample(module: torch.nn.Module, sequence: torch.Tensor) -> torch.Tensor:
    """Run one item [samples, inputs] through a one-layer LSTM by its equations (gate order i, f, g, o)."""
    w_in, w_rec = module.recurrent.weight_ih_l0, module.recurrent.weight_hh_l0
    bias = module.recurrent.bias_ih_l0 + module.recurrent.bias_hh_l0
    h = c = sequence.new_zeros(w_rec.shape[1])
    outputs = []
    for sample in sequence:
        i, f, g, o = (w_in @ sample + w_rec @ h + bias).chunk(4)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        outputs.append(module.head.weight @ h + module.head.bias)
    return torch.stack(outputs)


@pytest.mark.parametrize(("hidden", "count"), [(32, 4513), (96, 38113)])
def test_weight_counts_are_the_published_ones(hidden, count):
    assert weight_count(LSTM(hidden=hidden).build(BuildContext())) == count


@pytest.mark.parametrize("skip", [True, False])
def test_output_follows_the_equations_of_the_lstm(skip):
    torch.manual_seed(1)
    module = LSTM(hidden=6, skip=skip).build(BuildContext(channels=2)).double()
    audio = torch.randn(1, 2, 40, dtype=torch.float64)
    expected = per_sample(module, audio[0].T).T + (audio[0] if skip else 0)
    assert torch.allclose(module(audio, {})[0][0], expected, atol=1e-12)


def test_the_condition_is_one_more_input():
    torch.manual_seed(1)
    module = LSTM(hidden=6, skip=False, conditions=2).build(BuildContext()).double()
    audio, condition = torch.randn(1, 1, 20, dtype=torch.float64), torch.rand(1, 2, 20, dtype=torch.float64)
    expected = per_sample(module, torch.cat((audio, condition), 1)[0].T).T
    assert torch.allclose(module(audio, {"condition": condition})[0][0], expected, atol=1e-12)


def test_a_constant_condition_is_held():
    module = LSTM(hidden=6, conditions=2).build(BuildContext())
    audio, condition = torch.randn(3, 1, 20), torch.rand(3, 2, 1)
    held = module(audio, {"condition": condition.expand(-1, -1, 20)})[0]
    assert torch.equal(module(audio, {"condition": condition})[0], held)


def test_conditions_are_declared_as_one_parameter():
    assert LSTM().parameters(BuildContext()) == ()
    (condition,) = LSTM(conditions=3).parameters(BuildContext())
    assert (condition.name, condition.size, condition.low, condition.high) == ("condition", 3, 0.0, 1.0)
