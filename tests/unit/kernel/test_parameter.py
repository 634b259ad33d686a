"""Parameters: mappings that reach the whole range and come back."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fxkit.parameter import Parameter

RANGES = {"linear": (-24.0, 24.0), "log": (20.0, 20000.0), "exp-sigmoid": (1e-7, 2.0)}


def parameter(mapping, **rest):
    low, high = RANGES[mapping]
    return Parameter(**{"name": "p", "low": low, "high": high, "default": low, "mapping": mapping, **rest})


@pytest.mark.parametrize("mapping", RANGES)
def test_zero_and_one_are_the_ends_of_the_range(mapping):
    p = parameter(mapping)
    assert p.to_physical(0.0) == pytest.approx(p.low)
    assert p.to_physical(1.0) == pytest.approx(p.high)


@pytest.mark.parametrize("mapping", RANGES)
@given(share=st.floats(0, 1))
def test_physical_and_back_is_the_same(mapping, share):
    p = parameter(mapping)
    value = min(max(p.to_physical(share), p.low), p.high)
    assert p.to_normalised(value) == pytest.approx(share, abs=1e-6)


def test_equal_steps_of_a_log_mapping_are_equal_ratios():
    values = [parameter("log").to_physical(step / 3) for step in range(4)]
    assert values == pytest.approx([20, 200, 2000, 20000])


def test_exp_sigmoid_follows_its_formula():
    x = torch.linspace(-6, 6, 50, dtype=torch.float64)
    published = 2.0 * torch.sigmoid(x) ** torch.log(torch.tensor(10.0, dtype=torch.float64)) + 1e-7
    mapped = Parameter(name="a", low=1e-7, high=2.0 + 1e-7, default=1.0, mapping="exp-sigmoid").to_physical(
        torch.sigmoid(x)
    )
    assert torch.allclose(mapped, published, atol=1e-12)


@pytest.mark.parametrize(
    ("change", "words"),
    [
        ({"low": 2.0, "high": 1.0}, "must be below"),
        ({"low": 0.0, "mapping": "log"}, "needs low > 0"),
        ({"default": 99.0}, "lies outside"),
        ({"default": (0.0, 1.0)}, "2 defaults for size 1"),
        ({"size": 0}, "size"),
    ],
)
def test_a_declaration_that_cannot_hold_is_refused(change, words):
    with pytest.raises(ValueError, match=words):
        Parameter(**{"name": "p", "low": -1.0, "high": 1.0, "default": 0.0, **change})


def test_a_value_outside_the_range_is_refused_with_range_and_unit():
    with pytest.raises(ValueError, match=r"gain_db: 99 lies outside -1 to 1 dB"):
        Parameter(name="gain_db", low=-1, high=1, default=0, unit="dB").to_normalised(99)
