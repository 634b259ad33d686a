"""Each weight's gradient has memory of its own, so that adding to it or scaling it reaches no other."""

from __future__ import annotations

import pytest
import torch

from fxkit.context import BuildContext
from fxkit_neural.gru import GRU
from fxkit_neural.lstm import LSTM


@pytest.mark.parametrize("spec", [LSTM(hidden=8), LSTM(hidden=5), GRU(hidden=8), GRU(hidden=5)])
def test_gradients_add_up_over_several_passes(spec):
    torch.manual_seed(1)
    module = spec.build(BuildContext(sample_rate=16000, channels=1, target_channels=1))
    audio = torch.randn(4, 1, 64)

    def gradients(parts):
        module.zero_grad(set_to_none=True)
        for part in audio.chunk(parts):
            (module(part, {})[0].square().sum() / 4).backward()
        return {name: weight.grad.clone() for name, weight in module.named_parameters()}

    whole, parts = gradients(1), gradients(4)
    for name, value in whole.items():
        torch.testing.assert_close(parts[name], value, rtol=1e-4, atol=1e-5, msg=name)
    places = [weight.grad.data_ptr() for weight in module.parameters()]
    assert len(set(places)) == len(places)
