import pytest
import torch

from fxkit.context import BuildContext
from fxkit_dsp.gain import Gain


def test_gain_scales_by_decibels_per_sample():
    module = Gain().build(BuildContext())
    audio = torch.randn(2, 2, 5)
    levels = torch.linspace(-12, 12, 5).expand(2, 1, 5)
    out, state = module(audio, {"gain_db": levels})
    assert torch.allclose(out, audio * torch.pow(10.0, levels / 20))
    assert state is None


def test_six_decibels_double():
    out, _ = Gain().build(BuildContext())(torch.ones(1, 1, 3), {"gain_db": torch.full((1, 1, 1), 6.0206)})
    assert torch.allclose(out, torch.full((1, 1, 3), 2.0), atol=1e-5)


def test_range_comes_from_the_options_and_the_start_is_the_gain_nearest_to_none():
    (parameter,) = Gain(low=3.0, high=40.0).parameters(BuildContext())
    assert (parameter.low, parameter.high, parameter.default, parameter.rate) == (3.0, 40.0, 3.0, "sample")


def test_an_empty_range_is_refused():
    with pytest.raises(ValueError, match="low 5 must be below high 3"):
        Gain(low=5.0, high=3.0).parameters(BuildContext())
