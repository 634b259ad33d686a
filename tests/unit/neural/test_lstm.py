from __future__ import annotations

import attrs
import pytest
import torch
from torch.utils._pytree import tree_map_only

from fxkit.context import BuildContext
from fxkit_neural.concat import Concat
from fxkit_neural.film import FiLM
from fxkit_neural.lstm import LSTM


def weight_count(module: torch.nn.Module) -> int:
    return sum(weight.numel() for weight in module.parameters())


def per_sample(module, sequence, start=None):
    """Run one item [samples, inputs] through a one-layer LSTM by its equations (gate order i, f, g, o)."""
    w_in, w_rec = module.recurrent.weight_ih_l0, module.recurrent.weight_hh_l0
    bias = module.recurrent.bias_ih_l0 + module.recurrent.bias_hh_l0
    h, c = (sequence.new_zeros(w_rec.shape[1]),) * 2 if start is None else start
    outputs = []
    for sample in sequence:
        i, f, g, o = (w_in @ sample + w_rec @ h + bias).chunk(4)
        c = f.sigmoid() * c + i.sigmoid() * g.tanh()
        h = o.sigmoid() * c.tanh()
        outputs.append(module.head.weight @ h + module.head.bias)
    return torch.stack(outputs)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(1)


@pytest.mark.parametrize(("preset", "count"), [("32", 4513), ("96", 38113)])
def test_weight_counts_are_the_published_ones(preset, count):
    assert weight_count(LSTM(**LSTM.presets()[preset]).build(BuildContext())) == count


def test_presets_end_as_published():
    module = LSTM(**LSTM.presets()["32"]).build(BuildContext()).double()
    audio = torch.randn(1, 1, 20, dtype=torch.float64)
    expected = torch.tanh(per_sample(module, audio[0].T).T)
    assert torch.allclose(module(audio, {})[0][0], expected, atol=1e-12)


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize(("double", "error"), [(True, 1e-12), (False, 1e-6)])
def test_output_follows_the_equations_of_the_lstm(skip, double, error):
    module = LSTM(hidden=6, skip=skip).build(BuildContext(channels=2))
    module = module.double() if double else module
    audio = torch.randn(1, 2, 40, dtype=torch.float64 if double else torch.float32)
    expected = per_sample(module, audio[0].T).T + (audio[0] if skip else 0)
    assert torch.allclose(module(audio, {})[0][0], expected, atol=error)


def test_weights_are_those_of_torch():
    network = torch.nn.LSTM(1, 6, 2, batch_first=True)
    module = LSTM(hidden=6, layers=2, skip=False).build(BuildContext())
    names = {name for name in module.state_dict() if name.startswith("recurrent.")}
    assert names == {f"recurrent.{name}" for name in network.state_dict()}
    module.recurrent.load_state_dict(network.state_dict())
    audio = torch.randn(3, 1, 50)
    expected = module.head(network(audio.transpose(1, 2))[0]).transpose(1, 2)
    assert torch.allclose(module(audio, {})[0], expected, atol=1e-6)


def test_the_state_may_be_learned():
    module = LSTM(hidden=6, skip=False, initial="learned").build(BuildContext())
    assert module.initial_hidden.shape == module.initial_cell.shape == (1, 6)
    with torch.no_grad():
        module.initial_hidden.normal_()
        module.initial_cell.normal_()
    audio = torch.randn(2, 1, 20)
    start = module.initial_hidden[0], module.initial_cell[0]
    output = module(audio, {})[0]
    for item in (0, 1):
        assert torch.allclose(output[item], per_sample(module, audio[item].T, start).T, atol=1e-6)
    output.sum().backward()
    assert module.initial_hidden.grad.abs().min() > 0
    assert module.initial_cell.grad.abs().min() > 0


def test_the_start_is_forgotten_when_a_state_is_given():
    module = LSTM(hidden=6, initial="learned").build(BuildContext())
    audio = torch.randn(1, 1, 20)
    _, state = module(audio, {})
    expected, _ = module(audio, {}, state)
    with torch.no_grad():
        module.initial_hidden.normal_()
    assert torch.equal(module(audio, {}, state)[0], expected)


def test_the_condition_is_one_more_input():
    module = LSTM(hidden=6, skip=False, conditioning=Concat(size=2)).build(BuildContext()).double()
    audio, condition = torch.randn(1, 1, 20, dtype=torch.float64), torch.rand(1, 2, 20, dtype=torch.float64)
    expected = per_sample(module, torch.cat((audio, condition), 1)[0].T).T
    assert torch.allclose(module(audio, {"condition": condition})[0][0], expected, atol=1e-12)


def test_a_constant_condition_is_held():
    module = LSTM(hidden=6, conditioning=Concat(size=2)).build(BuildContext())
    audio, condition = torch.randn(3, 1, 20), torch.rand(3, 2, 1)
    held = module(audio, {"condition": condition.expand(-1, -1, 20)})[0]
    assert torch.equal(module(audio, {"condition": condition})[0], held)


def test_a_condition_acts_on_the_output_of_each_layer():
    spec = LSTM(hidden=5, layers=2, skip=False, conditioning=FiLM(size=1))
    module = spec.build(BuildContext())
    audio, condition = torch.randn(2, 1, 30), torch.rand(2, 1, 1)
    signal, guide = audio, module.conditioning.enter(audio, {"condition": condition})[1]
    weights = module.recurrent.state_dict()
    for layer in (0, 1):
        network = torch.nn.LSTM(signal.shape[1], 5, batch_first=True)
        network.load_state_dict({name: weights[name[:-1] + str(layer)] for name in network.state_dict()})
        signal = network(signal.transpose(1, 2))[0].transpose(1, 2)
        signal = module.conditioning.modulate(layer, signal, guide)[0]
    expected = module.head(signal.transpose(1, 2)).transpose(1, 2)
    assert torch.allclose(module(audio, {"condition": condition})[0], expected, atol=1e-5)


def test_conditions_are_declared_as_one_parameter():
    assert LSTM().parameters(BuildContext()) == ()
    (condition,) = LSTM(conditioning=Concat(size=3)).parameters(BuildContext())
    assert (condition.name, condition.size, condition.low, condition.high) == ("condition", 3, 0.0, 1.0)


@pytest.mark.parametrize("double", [False, True])
def test_windows_with_a_detached_state_are_one_pass_whose_gradient_ends_there(double):
    """Truncate back-propagation through time: values as in one pass, gradients of each window alone."""
    spec = LSTM(hidden=6, layers=2, conditioning=Concat(size=1))
    module = spec.build(BuildContext())
    module = module.double() if double else module
    audio, params = torch.randn(2, 1, 60), {"condition": torch.rand(2, 1, 1)}
    audio, params = (
        (audio.double(), {"condition": params["condition"].double()}) if double else (audio, params)
    )
    whole, _ = module(audio, params)
    first, state = module(audio[..., :35], params)
    held = tree_map_only(torch.Tensor, torch.Tensor.detach, state)
    second, _ = module(audio[..., 35:], params, held)
    assert torch.allclose(torch.cat((first, second), -1), whole, atol=1e-6)
    second.sum().backward()
    alone = [weight.grad.clone() for weight in module.parameters()]
    module.zero_grad()
    second, _ = module(audio[..., 35:], params, state)
    second.sum().backward()
    through = [weight.grad for weight in module.parameters()]
    assert max((a - b).abs().max() for a, b in zip(alone, through, strict=True)) > 1e-3


def test_more_units_than_the_kernels_take_give_the_same(monkeypatch):
    from fxkit_signal import recurrent

    module = LSTM(hidden=20, layers=2).build(BuildContext())
    audio = torch.randn(2, 1, 30)
    expected, state = module(audio, {})
    monkeypatch.setattr(recurrent, "MOST_UNITS", 8)
    output, other = module(audio, {})
    assert torch.allclose(output, expected, atol=1e-6)
    pairs = zip(state["memories"], other["memories"], strict=True)
    assert all(torch.allclose(a, b, atol=1e-6) for one, two in pairs for a, b in zip(one, two, strict=True))


def test_products_of_gates_and_head_are_declared():
    spec = LSTM(hidden=8, layers=2, conditioning=Concat(size=3))
    macs = spec.traits(BuildContext(channels=2)).macs
    assert macs == 4 * 8 * (5 + 8) + 4 * 8 * 16 + 8 * 2
    assert attrs.evolve(spec, hidden=1, layers=1).traits(BuildContext()).macs == 4 * (4 + 1) + 1
