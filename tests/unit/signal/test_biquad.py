import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit_signal import biquad, dispatch
from fxkit_signal.biquad import frequency_response, sosfilt

RATE = 48000


@pytest.fixture(params=["compiled", "torch"])
def path(request, monkeypatch):
    if request.param == "torch":
        monkeypatch.setattr(dispatch, "has_compiler", lambda: False)
    return request.param


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def five_bands(second_peak=(3000.0, -9.0, 2.5)):
    f, g, q = f64(second_peak[0]), f64(second_peak[1]), f64(second_peak[2])
    return torch.stack(
        [
            biquad.low_shelf(f64(100.0), f64(5.0), f64(0.7), RATE),
            biquad.peak(f64(420.0), f64(-7.5), f64(1.4), RATE),
            biquad.peak(f, g, q, RATE),
            biquad.peak(f64(1900.0), f64(6.0), f64(0.8), RATE),
            biquad.high_shelf(f64(8000.0), f64(4.0), f64(0.7), RATE),
        ],
        dim=1,
    )


HARD = {
    "mild": five_bands(),
    "40 Hz, Q 10, +12 dB": five_bands((40.0, 12.0, 10.0)),
    "low pass 40 Hz, Q 10": biquad.low_pass(f64(40.0), f64(10.0), RATE)[None],
    "low pass 20 Hz, Q 10": biquad.low_pass(f64(20.0), f64(10.0), RATE)[None],
}


def difference_equation(x, sos):
    """Filter one channel in direct form I, sample by sample, in float64."""
    for b0, b1, b2, _, a1, a2 in sos.tolist():
        x1 = x2 = y1 = y2 = 0.0
        out = np.empty(len(x))
        for n, x0 in enumerate(x.tolist()):
            y0 = b0 * x0 + b1 * x1 + b2 * x2 - a1 * y1 - a2 * y2
            out[n] = y0
            x1, x2, y1, y2 = x0, x1, y0, y1
        x = out
    return x


@pytest.mark.parametrize("name", HARD)
def test_cascade_equals_the_difference_equation_even_close_to_the_unit_circle(path, name):
    sos = HARD[name]
    x = torch.from_numpy(np.random.default_rng(1).standard_normal(24000).astype(np.float32))
    y, _ = sosfilt(x[None, None], sos)
    expected = difference_equation(x.double().numpy(), sos[0])
    error = np.linalg.norm(y[0, 0].numpy() - expected) / np.linalg.norm(expected)
    assert error < 1e-7
    assert y.dtype == torch.float32


@settings(deadline=None, max_examples=40)
@given(st.lists(st.integers(0, 150), min_size=1, max_size=12), st.booleans())
def test_any_split_into_blocks_gives_the_offline_output(sizes, compiled):
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(dispatch, "has_compiler", lambda: compiled)
        split_and_compare(sizes)


def split_and_compare(sizes):
    audio = torch.randn(2, 2, sum(sizes), generator=torch.Generator().manual_seed(3))
    sos = torch.cat([HARD["mild"], HARD["40 Hz, Q 10, +12 dB"]])
    whole, end = sosfilt(audio, sos)
    parts, state = [], None
    for block in audio.split(sizes, dim=-1):
        part, state = sosfilt(block, sos, state)
        parts.append(part)
    assert torch.allclose(torch.cat(parts, dim=-1), whole, atol=1e-6)
    assert torch.allclose(state, end, rtol=1e-6, atol=1e-9)


def test_items_have_their_own_coefficients_and_channels_share_them(path):
    audio = torch.randn(2, 2, 300, dtype=torch.float64)
    sos = torch.cat([HARD["mild"], five_bands((1000.0, 12.0, 4.0))])
    together, state = sosfilt(audio, sos)
    for item in range(2):
        for channel in range(2):
            alone, own = sosfilt(audio[item, channel][None, None], sos[item][None])
            assert torch.allclose(together[item, channel], alone[0, 0], atol=1e-12)
            assert torch.allclose(state[item, channel], own[0, 0], atol=1e-12)


def test_loud_signals_are_not_clipped(path):
    flat = biquad.peak(f64(1000.0), f64(0.0), f64(1.0), RATE)[None]
    audio = torch.full((1, 1, 100), 50.0)
    assert torch.allclose(sosfilt(audio, flat)[0], audio)


def test_gradients_pass_gradcheck_through_design_audio_and_state(path):
    generator = torch.Generator().manual_seed(0)
    audio = torch.randn(2, 1, 45, dtype=torch.float64, generator=generator, requires_grad=True)
    state = torch.randn(2, 1, 3, 2, dtype=torch.float64, generator=generator, requires_grad=True)
    frequency = f64(900.0, 5000.0).requires_grad_()
    gain = f64(3.0, -4.0).requires_grad_()
    q = f64(0.7, 2.0).requires_grad_()

    def run(audio, state, frequency, gain, q):
        designs = (biquad.low_shelf, biquad.peak, biquad.high_shelf)
        return sosfilt(audio, torch.stack([make(frequency, gain, q, RATE) for make in designs], dim=1), state)

    assert torch.autograd.gradcheck(run, (audio, state, frequency, gain, q), eps=1e-5, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("design", ["low_pass", "high_pass", "band_pass", "notch", "all_pass"])
def test_designs_without_gain_pass_gradcheck(design):
    audio = torch.randn(1, 1, 20, dtype=torch.float64)

    def run(frequency, q):
        return sosfilt(audio, getattr(biquad, design)(frequency, q, RATE)[:, None])[0]

    assert torch.autograd.gradcheck(run, (f64(3000.0).requires_grad_(), f64(1.3).requires_grad_()), eps=1e-4)


def test_gradient_magnitude_equals_finite_differences(path):
    audio = torch.randn(1, 1, 20000, generator=torch.Generator().manual_seed(2), dtype=torch.float64)
    weight = torch.randn(1, 1, 20000, generator=torch.Generator().manual_seed(5), dtype=torch.float64)

    def objective(values):
        frequency, gain, q = values
        sos = biquad.peak(frequency[None], gain[None], q[None], RATE)[None]
        return (sosfilt(audio, sos)[0] * weight).sum()

    values = f64(1000.0, 12.0, 4.0).requires_grad_()
    objective(values).backward()
    for index, step in enumerate((1e-2, 1e-4, 1e-4)):
        shift = torch.zeros(3, dtype=torch.float64)
        shift[index] = step
        with torch.no_grad():
            slope = (objective(values + shift) - objective(values - shift)) / (2 * step)
        assert values.grad[index].item() == pytest.approx(slope.item(), rel=1e-5)


def test_coefficient_gradients_of_a_40_hz_resonance_equal_their_closed_form(path):
    x = torch.randn(20000, generator=torch.Generator().manual_seed(2)).double()
    weight = torch.randn(20000, generator=torch.Generator().manual_seed(5)).numpy()
    sos = biquad.peak(f64(40.0), f64(12.0), f64(10.0), RATE)[None].requires_grad_()
    y, _ = sosfilt(x.float()[None, None], sos)
    (y[0, 0] * torch.from_numpy(weight)).sum().backward()
    # dy/db_k is x, late by k and filtered by 1 / A(z); dy/da_k the same of -y.
    poles = torch.cat([f64(1.0, 0.0, 0.0), sos[0, 0, 3:].detach()])[None]
    from_x = difference_equation(x.numpy(), poles)
    from_y = difference_equation(difference_equation(x.numpy(), sos[0].detach()), poles)
    expected = [from_x[: 20000 - k] @ weight[k:] for k in (0, 1, 2)]
    expected += [-from_y[: 20000 - k] @ weight[k:] for k in (1, 2)]
    assert sos.grad[0, 0, [0, 1, 2, 4, 5]].numpy() == pytest.approx(np.array(expected), rel=1e-6)


def response_db(sos, hertz):
    return 20 * frequency_response(sos, f64(hertz), RATE).abs().log10().item()


@given(st.floats(50, 15000), st.floats(-20, 20), st.floats(0.3, 8))
def test_peak_reaches_its_gain_at_its_frequency_and_leaves_the_ends_alone(frequency, gain, q):
    sos = biquad.peak(f64(frequency), f64(gain), f64(q), RATE)[None]
    assert response_db(sos, frequency) == pytest.approx(gain, abs=1e-6)
    assert response_db(sos, 0.0) == pytest.approx(0, abs=1e-6)
    assert response_db(sos, RATE / 2) == pytest.approx(0, abs=1e-6)


@given(st.floats(50, 15000), st.floats(-20, 20))
def test_shelves_reach_their_gain_on_their_side_and_half_of_it_at_the_corner(frequency, gain):
    low = biquad.low_shelf(f64(frequency), f64(gain), f64(0.7), RATE)[None]
    high = biquad.high_shelf(f64(frequency), f64(gain), f64(0.7), RATE)[None]
    assert response_db(low, 0.0) == pytest.approx(gain, abs=1e-6)
    assert response_db(low, RATE / 2) == pytest.approx(0, abs=1e-6)
    assert response_db(high, 0.0) == pytest.approx(0, abs=1e-6)
    assert response_db(high, RATE / 2) == pytest.approx(gain, abs=1e-6)
    assert response_db(low, frequency) == pytest.approx(gain / 2, abs=1e-6)
    assert response_db(high, frequency) == pytest.approx(gain / 2, abs=1e-6)


def test_pass_and_stop_filters_do_what_they_are_called():
    f, q = f64(1000.0), f64(math.sqrt(0.5))
    corner = pytest.approx(20 * math.log10(math.sqrt(0.5)), abs=1e-9)
    low, high = biquad.low_pass(f, q, RATE)[None], biquad.high_pass(f, q, RATE)[None]
    assert (response_db(low, 0.0), response_db(low, 1000.0)) == (pytest.approx(0, abs=1e-9), corner)
    assert (response_db(high, RATE / 2), response_db(high, 1000.0)) == (pytest.approx(0, abs=1e-9), corner)
    assert response_db(low, 16000.0) < -50
    assert response_db(high, 50.0) < -50
    assert response_db(biquad.band_pass(f, q, RATE)[None], 1000.0) == pytest.approx(0, abs=1e-9)
    assert response_db(biquad.notch(f, q, RATE)[None], 1000.0) < -200
    turn = frequency_response(biquad.all_pass(f, q, RATE)[None], f64(0.0, 1000.0, 9000.0), RATE)
    assert torch.allclose(turn.abs(), torch.ones_like(turn.abs()))
    assert turn[0, 1].real.item() == pytest.approx(-1)


def test_response_describes_what_the_filter_does():
    impulse = torch.zeros(1, 1, 8192, dtype=torch.float64)
    impulse[..., 0] = 1
    y, _ = sosfilt(impulse, HARD["mild"])
    hertz = torch.fft.rfftfreq(8192, 1 / RATE).double()
    measured = torch.fft.rfft(y[0, 0])
    assert torch.allclose(measured, frequency_response(HARD["mild"], hertz, RATE)[0], atol=1e-9)


def test_nothing_in_gives_nothing_out_and_keeps_the_state(path):
    state = torch.randn(1, 1, 5, 2, dtype=torch.float64)
    y, after = sosfilt(torch.zeros(1, 1, 0), HARD["mild"], state)
    assert y.shape == (1, 1, 0)
    assert torch.equal(after, state)
