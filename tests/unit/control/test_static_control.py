from __future__ import annotations

import pytest
import torch

from fxkit.context import BuildContext
from fxkit.logits import start_logits
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs
from fxkit_control.static import Static

PARAMETERS = (
    Parameter(name="gain", low=-12.0, high=12.0, default=3.0, unit="dB"),
    Parameter(name="frequency", low=20.0, high=20000.0, default=(100.0, 5000.0), mapping="log", size=2),
    Parameter(name="level", low=0.0, high=2.0, default=0.5, mapping="exp-sigmoid"),
)


def physical(values: torch.Tensor, parameters=PARAMETERS) -> list[float]:
    sizes = [parameter.size for parameter in parameters]
    pieces = values[0, :, 0].split(sizes)
    return [
        float(value)
        for parameter, piece in zip(parameters, pieces, strict=True)
        for value in parameter.to_physical(piece.detach().double())
    ]


def test_every_value_starts_at_its_default():
    module = Static().build(BuildContext(parameters=PARAMETERS))
    values, state = module(ControlInputs(audio=torch.zeros(3, 1, 10)))
    assert tuple(values.shape) == (3, 4, 1)
    assert state is None
    assert physical(values) == pytest.approx([3.0, 100.0, 5000.0, 0.5], rel=1e-5)


@pytest.mark.parametrize(("default", "share"), [(0.0, 0.001), (1.0, 0.999)])
def test_a_default_at_an_end_starts_a_thousandth_inside(default, share):
    parameter = Parameter(name="mix", low=0.0, high=1.0, default=default)
    values, _ = Static().build(BuildContext(parameters=(parameter,)))(
        ControlInputs(audio=torch.zeros(1, 1, 1))
    )
    assert values.item() == pytest.approx(share, abs=1e-6)
    assert start_logits((parameter,))[0] == pytest.approx(torch.logit(torch.tensor(share)).item(), rel=1e-4)


def test_the_values_do_not_depend_on_the_audio():
    module = Static().build(BuildContext(parameters=PARAMETERS))
    silent, loud = (
        module(ControlInputs(audio=audio))[0] for audio in (torch.zeros(2, 1, 9), torch.ones(2, 1, 9))
    )
    assert torch.equal(silent, loud)
