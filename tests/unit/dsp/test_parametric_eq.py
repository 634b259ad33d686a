import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fxkit.context import BuildContext
from fxkit_dsp.parametric_eq import ParametricEQ

CONTEXT = BuildContext(sample_rate=48000)
NAMES = ("frequency", "gain_db", "q")


def settings_of(frequency, gain, q, batch=1):
    return {
        name: torch.tensor(values).expand(batch, -1)[..., None]
        for name, values in zip(NAMES, (frequency, gain, q), strict=True)
    }


@given(st.integers(0, 12), st.sampled_from([8000, 16000, 22050, 44100, 48000, 96000, 192000]))
def test_bounds_follow_the_sample_rate_and_the_bands_start_in_order(peaks, rate):
    frequency, gain, q = ParametricEQ(peaks=peaks).parameters(BuildContext(sample_rate=rate))
    assert frequency.high < rate / 2
    assert frequency.high <= 20000
    assert list(frequency.defaults) == sorted(set(frequency.defaults))
    assert len(frequency.defaults) == peaks + 2
    assert gain.defaults == (0.0,) * (peaks + 2)
    assert q.rate == frequency.rate == gain.rate == "control"


def test_a_flat_equaliser_changes_nothing():
    parameters = ParametricEQ().parameters(CONTEXT)
    params = {p.name: torch.tensor(p.defaults)[None, :, None] for p in parameters}
    audio = torch.randn(1, 2, 500)
    out, _ = ParametricEQ().build(CONTEXT)(audio, params)
    assert torch.allclose(out, audio, atol=1e-6)


def test_each_band_boosts_where_it_should():
    """Measured on sines, away from the arithmetic of the design."""
    module = ParametricEQ(peaks=1).build(CONTEXT)
    params = settings_of([100.0, 1000.0, 8000.0], [6.0, -9.0, 4.0], [0.7, 4.0, 0.7])
    time = torch.arange(96000, dtype=torch.float64) / 48000
    for hertz, expected in ((10.0, 6.0), (1000.0, -9.0), (22000.0, 4.0), (300.0, 0.0)):
        sine = torch.sin(2 * math.pi * hertz * time)[None, None]
        out, _ = module(sine, params)
        level = 20 * math.log10(out[..., 48000:].std() / sine[..., 48000:].std())
        assert level == pytest.approx(expected, abs=0.3)


def test_blocks_give_the_offline_output_for_every_item():
    module = ParametricEQ().build(CONTEXT)
    params = settings_of([40.0, 200.0, 600.0, 2000.0, 6000.0], [12.0, -3.0, 8.0, -18.0, 5.0], [5.0] * 5, 3)
    audio = torch.randn(3, 2, 1000)
    whole, _ = module(audio, params)
    parts, state = [], None
    for block in audio.split([1, 7, 64, 300, 1, 627], dim=-1):
        part, state = module(block, params, state)
        parts.append(part)
    assert torch.allclose(torch.cat(parts, dim=-1), whole, atol=1e-6)


def test_every_band_learns():
    params = settings_of([60.0, 200.0, 600.0, 2000.0, 6000.0], [3.0, -3.0, 8.0, -8.0, 5.0], [0.9] * 5)
    params = {name: value.requires_grad_() for name, value in params.items()}
    out, _ = ParametricEQ().build(CONTEXT)(torch.randn(1, 1, 2000), params)
    out.square().sum().backward()
    for value in params.values():
        assert torch.isfinite(value.grad).all()
        assert (value.grad != 0).all()


def test_ends_cut_the_spectrum_off():
    spec = ParametricEQ(peaks=0, shelves=False, high_pass=True, low_pass=True)
    low, high = ("high_pass_frequency", "high_pass_q"), ("low_pass_frequency", "low_pass_q")
    params = {low[0]: 200.0, low[1]: 0.7071, high[0]: 4000.0, high[1]: 0.7071}
    assert [parameter.name for parameter in spec.parameters(CONTEXT)] == list(params)
    module = spec.build(CONTEXT)
    time = torch.arange(48000, dtype=torch.float64) / 48000
    for hertz, expected in ((20.0, -40.0), (200.0, -3.0), (900.0, 0.0), (4000.0, -3.0)):
        sine = torch.sin(2 * math.pi * hertz * time)[None, None]
        out, _ = module(sine, {name: torch.full((1, 1, 1), value) for name, value in params.items()})
        level = 20 * math.log10(out[..., 24000:].std() / sine[..., 24000:].std())
        assert level == pytest.approx(expected, abs=0.2)


def test_without_shelves_every_band_is_a_peak():
    params = settings_of([100.0, 1000.0, 8000.0], [6.0, -9.0, 4.0], [0.7, 4.0, 0.7])
    module = ParametricEQ(peaks=3, shelves=False).build(CONTEXT)
    time = torch.arange(48000, dtype=torch.float64) / 48000
    sine = torch.sin(2 * math.pi * 5.0 * time)[None, None]
    out, _ = module(sine, params)
    assert 20 * math.log10(out[..., 24000:].std() / sine[..., 24000:].std()) == pytest.approx(0.0, abs=0.1)


def test_an_equaliser_of_nothing_is_refused():
    (problem,) = ParametricEQ(peaks=0, shelves=False).problems()
    assert problem[0] == "peaks"
    assert not list(ParametricEQ(peaks=0, shelves=False, low_pass=True).problems())
