"""The plugins against plain loops, and against fxkit's contract kit."""

from __future__ import annotations

import pytest
import torch
from fxkit_bitcrush.bitcrush import Bitcrush
from fxkit_bitcrush.slope_l1 import SlopeL1

from fxkit import Batch, BuildContext, Output
from fxkit.testing import contract_tests

CTX = BuildContext()

test_bitcrush_keeps_the_contract = contract_tests("processor", Bitcrush)
test_slope_l1_keeps_the_contract = contract_tests("loss", SlopeL1)


@pytest.mark.parametrize("hold", [1, 2, 5])
@pytest.mark.parametrize("bits", [1.0, 4.0, 7.3])
def test_samples_are_held_and_rounded(hold: int, bits: float) -> None:
    audio = torch.randn(2, 2, 23, generator=torch.Generator().manual_seed(1), dtype=torch.float64)
    crushed, _ = Bitcrush(hold=hold).build(CTX)(
        audio, {"bits": torch.full((2, 1, 1), bits, dtype=torch.float64)}
    )
    steps = 2.0 ** (bits - 1)
    for item in range(2):
        for channel in range(2):
            for n in range(23):
                start = n // hold * hold
                expected = round(float(audio[item, channel, start]) * steps) / steps
                assert float(crushed[item, channel, n]) == pytest.approx(expected, abs=1e-12)


def test_gradients_pass_rounding_and_reach_the_samples_that_are_held() -> None:
    audio = torch.linspace(-0.9, 0.9, 8).reshape(1, 1, 8).requires_grad_()
    Bitcrush(hold=4).build(CTX)(audio, {"bits": torch.full((1, 1, 1), 4.0)})[0].sum().backward()
    assert audio.grad is not None
    assert audio.grad.flatten().tolist() == pytest.approx([4, 0, 0, 0, 4, 0, 0, 0])


def test_a_slope_is_the_difference_of_neighbours() -> None:
    output, target = torch.tensor([[[0.0, 1.0, 3.0]]]), torch.tensor([[[0.0, 0.0, 1.0]]])
    value = SlopeL1().build(CTX)(Output(audio=output), Batch(target=target))
    assert value.tolist() == [1.0]
