from __future__ import annotations

import pytest
import torch
from torch.utils._pytree import tree_map_only

from fxkit.context import BuildContext
from fxkit_neural.concat import Concat
from fxkit_neural.gru import GRU


def per_sample(module, sequence, start=None):
    """Run one item [samples, inputs] through a one-layer GRU by its equations (gate order r, z, n)."""
    w_in, w_rec = module.recurrent.weight_ih_l0, module.recurrent.weight_hh_l0
    b_in, b_rec = module.recurrent.bias_ih_l0, module.recurrent.bias_hh_l0
    h = sequence.new_zeros(w_rec.shape[1]) if start is None else start
    outputs = []
    for sample in sequence:
        r, z, n = (w_in @ sample + b_in).chunk(3)
        h_r, h_z, h_n = (w_rec @ h + b_rec).chunk(3)
        z = (z + h_z).sigmoid()
        h = (1 - z) * (n + (r + h_r).sigmoid() * h_n).tanh() + z * h
        outputs.append(module.head.weight @ h + module.head.bias)
    return torch.stack(outputs)


@pytest.fixture(autouse=True)
def seed():
    torch.manual_seed(1)


@pytest.mark.parametrize("skip", [True, False])
@pytest.mark.parametrize(("double", "error"), [(True, 1e-12), (False, 1e-6)])
def test_output_follows_the_equations_of_the_gru(skip, double, error):
    module = GRU(hidden=6, skip=skip).build(BuildContext(channels=2))
    module = module.double() if double else module
    audio = torch.randn(1, 2, 40, dtype=torch.float64 if double else torch.float32)
    expected = per_sample(module, audio[0].T).T + (audio[0] if skip else 0)
    assert torch.allclose(module(audio, {})[0][0], expected, atol=error)


def test_weights_are_those_of_torch():
    network = torch.nn.GRU(1, 6, 2, batch_first=True)
    module = GRU(hidden=6, layers=2, skip=False).build(BuildContext())
    module.recurrent.load_state_dict(network.state_dict())
    audio = torch.randn(3, 1, 50)
    expected = module.head(network(audio.transpose(1, 2))[0]).transpose(1, 2)
    assert torch.allclose(module(audio, {})[0], expected, atol=1e-6)


def test_the_state_may_be_learned():
    module = GRU(hidden=6, skip=False, output="tanh", initial="learned").build(BuildContext())
    with torch.no_grad():
        module.initial_hidden.normal_()
    audio = torch.randn(2, 1, 20)
    output = module(audio, {})[0]
    for item in (0, 1):
        expected = torch.tanh(per_sample(module, audio[item].T, module.initial_hidden[0]).T)
        assert torch.allclose(output[item], expected, atol=1e-6)
    output.sum().backward()
    assert module.initial_hidden.grad.abs().min() > 0


def test_windows_with_a_detached_state_are_one_pass():
    module = GRU(hidden=6, layers=2, conditioning=Concat(size=1)).build(BuildContext())
    audio, params = torch.randn(2, 1, 60), {"condition": torch.rand(2, 1, 1)}
    whole, _ = module(audio, params)
    first, state = module(audio[..., :35], params)
    held = tree_map_only(torch.Tensor, torch.Tensor.detach, state)
    second, _ = module(audio[..., 35:], params, held)
    assert torch.allclose(torch.cat((first, second), -1), whole, atol=1e-6)


def test_more_units_than_the_kernels_take_give_the_same(monkeypatch):
    from fxkit_signal import recurrent

    module = GRU(hidden=20, layers=2).build(BuildContext())
    audio = torch.randn(2, 1, 30)
    expected, _ = module(audio, {})
    monkeypatch.setattr(recurrent, "MOST_UNITS", 8)
    assert torch.allclose(module(audio, {})[0], expected, atol=1e-6)


def test_products_of_gates_and_head_are_declared():
    assert GRU(hidden=8, layers=2).traits(BuildContext(channels=2)).macs == 3 * 8 * (2 + 8 + 16) + 16
