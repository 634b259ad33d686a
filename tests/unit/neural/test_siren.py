import math

import torch

from fxkit.context import BuildContext
from fxkit_neural.siren import Siren


def test_it_starts_as_what_it_is_told_and_keeps_silence_silent():
    audio = torch.linspace(-2, 2, 50)[None, None]
    assert torch.allclose(Siren().build(BuildContext())(audio, {})[0], audio.tanh(), atol=1e-6)
    module = Siren(start="identity").build(BuildContext())
    assert torch.allclose(module(audio, {})[0], audio, atol=1e-6)
    torch.nn.init.normal_(module.head.weight)
    assert module(torch.zeros(1, 1, 1), {})[0].item() == 0


def test_weights_after_the_first_layer_keep_the_sines_spread():
    """Bounded by sqrt(6 / n) / w0, the arguments of the sines have a standard deviation near 1."""
    torch.manual_seed(0)
    module = Siren(hidden=256, layers=3, frequency=20.0).build(BuildContext())
    for layer in module.hidden[1:]:
        assert float(layer.weight.abs().max()) <= math.sqrt(6 / 256) / 20
    row = torch.rand(1, 4000) * 2 - 1
    for layer in module.hidden:
        argument = 20.0 * torch.addmm(layer.bias[:, None], layer.weight, row)
        row = torch.sin(argument)
    assert 0.5 < (20.0 * layer.weight @ row).std().item() < 1.5


def test_it_learns_a_curve_that_folds():
    torch.manual_seed(0)
    module = Siren(start="identity", hidden=24).build(BuildContext())
    audio = torch.linspace(-1, 1, 500)[None, None]
    goal = torch.sin(12 * audio)
    optimizer = torch.optim.Adam(module.parameters(), lr=2e-3)
    for _ in range(400):
        optimizer.zero_grad()
        (module(audio, {})[0] - goal).square().mean().backward()
        optimizer.step()
    assert (module(audio, {})[0] - goal).square().mean().item() < 0.01 * float(goal.square().mean())
