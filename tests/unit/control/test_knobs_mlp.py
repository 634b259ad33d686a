from __future__ import annotations

import pytest
import torch

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs
from fxkit_control.knobs_mlp import KnobsMLP

GAIN = Parameter(name="gain", low=-12.0, high=12.0, default=3.0, unit="dB")
CTX = BuildContext(knobs=("drive", "tone"), parameters=(GAIN,))


def inputs(knobs: torch.Tensor) -> ControlInputs:
    return ControlInputs(audio=torch.zeros(knobs.shape[0], 1, 8), knobs=knobs)


def test_every_knob_setting_starts_at_the_defaults():
    values, _ = KnobsMLP().build(CTX)(inputs(torch.rand(5, 2)))
    assert GAIN.to_physical(values.flatten()).tolist() == pytest.approx([3.0] * 5, rel=1e-5)


def test_the_layers_are_those_of_the_options():
    module = KnobsMLP(hidden=5, layers=3).build(CTX)
    assert [tuple(layer.weight.shape) for layer in module.hidden] == [(5, 2), (5, 5), (5, 5)]
    assert tuple(module.head.weight.shape) == (1, 5)


def test_a_setting_per_knob_position_is_learned():
    torch.manual_seed(0)
    module = KnobsMLP().build(CTX)
    knobs = torch.rand(64, 2)
    wanted = (0.2 + 0.6 * knobs[:, 0] * knobs[:, 1])[:, None, None]
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(200):
        optimizer.zero_grad()
        error = (module(inputs(knobs))[0] - wanted).square().mean()
        error.backward()
        optimizer.step()
    assert error.item() < 1e-3


def test_data_without_knobs_is_refused():
    with pytest.raises(AssemblyError, match="knobs-mlp: the data has no knobs"):
        KnobsMLP().build(BuildContext(parameters=(GAIN,)))
