"""Training the WaveNet in one compiled pass each way takes the same steps as layer by layer in float64."""

from __future__ import annotations

import copy

import pytest
import torch

from fxkit.context import BuildContext
from fxkit_neural.concat import Concat
from fxkit_neural.film import FiLM
from fxkit_neural.wavenet import LayerArray, WaveNet
from fxkit_signal import layer_stack

SPECS = {name: WaveNet(**values) for name, values in WaveNet.presets().items()} | {
    "gated, with a condition": WaveNet(
        arrays=(LayerArray(channels=6, dilations=(1, 2, 40), bottleneck=3, gating="gated"),),
        conditioning=Concat(size=2),
    ),
    "blended": WaveNet(arrays=(LayerArray(channels=3, dilations=(1, 2), gating="blended"),)),
    "modulated": WaveNet(arrays=(LayerArray(channels=3, dilations=(1, 2)),), conditioning=FiLM()),
}


def built(spec):
    torch.manual_seed(4)
    module = spec.build(BuildContext())
    for value in module.state_dict().values():
        value.add_(0.2 * torch.randn_like(value) / (value.shape[1] if value.dim() > 1 else 1))
    return module


def params_of(spec, kind=torch.float32):
    found = spec.parameters(BuildContext())
    return {one.name: torch.full((2, one.size, 1), 0.4, dtype=kind) for one in found}


def pushed(module, audio, params):
    """Return the output and all gradients, that of the audio first."""
    audio = audio.clone().requires_grad_()
    output, _ = module(audio, params)
    output.mul(torch.linspace(-1, 2, output.shape[-1], dtype=output.dtype)).square().sum().backward()
    return output.detach(), [audio.grad, *(weight.grad for weight in module.parameters())]


@pytest.mark.parametrize("spec", SPECS.values(), ids=SPECS)
def test_gradients_equal_those_in_float64(spec):
    module, audio = built(spec), torch.randn(2, 1, 1500, generator=torch.Generator().manual_seed(1))
    exact = copy.deepcopy(module).double()
    found = pushed(module, audio, params_of(spec))
    wanted = pushed(exact, audio.double(), params_of(spec, torch.float64))
    assert (found[0] - wanted[0]).abs().max() < 1e-5 * wanted[0].abs().max()
    for one, other in zip(found[1], wanted[1], strict=True):
        assert (one - other).abs().max() <= 1e-5 * other.abs().max()


@pytest.mark.parametrize(("name", "served"), [("standard", True), ("blended", False), ("modulated", False)])
def test_one_pass_serves_what_it_can(name, served, monkeypatch):
    calls = []
    whole = layer_stack.learned
    monkeypatch.setattr(
        "fxkit_neural._wavenet.learned", lambda *given: (calls.append(given), whole(*given))[1]
    )
    built(SPECS[name])(torch.zeros(2, 1, 300), params_of(SPECS[name]))
    assert bool(calls) is served
