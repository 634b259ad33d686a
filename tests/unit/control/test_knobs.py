from __future__ import annotations

import pytest
import torch

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs
from fxkit_control.knobs import Knobs

CONDITION = Parameter(name="amp.condition", low=0.0, high=1.0, default=0.5, size=2)
CTX = BuildContext(knobs=("drive", "tone"), parameters=(CONDITION,))


def emitted(spec: Knobs, knobs: torch.Tensor, ctx: BuildContext = CTX) -> torch.Tensor:
    return spec.build(ctx)(ControlInputs(audio=torch.zeros(len(knobs), 1, 8), knobs=knobs))[0]


def test_knobs_are_handed_on_in_their_order():
    knobs = torch.rand(3, 2)
    assert torch.equal(emitted(Knobs(), knobs), knobs[:, :, None])


def test_order_says_which_knob_sets_which_value():
    knobs = torch.rand(3, 2)
    assert torch.equal(emitted(Knobs(order=("tone", "drive")), knobs), knobs.flip(1)[:, :, None])
    assert torch.equal(emitted(Knobs(order=("tone", "tone")), knobs)[:, 0], knobs[:, 1:])


def test_knob_beyond_what_was_recorded_stops_at_the_end():
    assert emitted(Knobs(), torch.tensor([[-0.5, 1.5]])).flatten().tolist() == [0.0, 1.0]


@pytest.mark.parametrize(
    ("spec", "ctx", "message"),
    [
        (Knobs(), BuildContext(parameters=(CONDITION,)), r"no knobs for 2 value\(s\): amp.condition \(2\)"),
        (Knobs(), BuildContext(knobs=("a", "b", "c"), parameters=(CONDITION,)), "size = 3"),
        (Knobs(order=("drive", "tome")), CTX, 'no knob "tome"; did you mean "tone"'),
    ],
)
def test_knobs_that_do_not_fit_are_refused_with_what_to_do(spec, ctx, message):
    with pytest.raises(AssemblyError, match=message):
        spec.build(ctx)
