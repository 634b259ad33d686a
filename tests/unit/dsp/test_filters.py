"""Filters as processors, against analogue responses in closed form and loops over samples in float64."""

import math

import pytest
import torch

from fxkit.context import BuildContext
from fxkit_dsp.all_pass import AllPass
from fxkit_dsp.band_pass import BandPass
from fxkit_dsp.dc_blocker import DCBlocker
from fxkit_dsp.graphic_eq import GraphicEQ
from fxkit_dsp.high_pass import HighPass
from fxkit_dsp.high_shelf import HighShelf
from fxkit_dsp.low_pass import LowPass
from fxkit_dsp.low_shelf import LowShelf
from fxkit_dsp.notch import Notch
from fxkit_dsp.parametric_eq import ParametricEQ
from fxkit_dsp.peak import Peak
from fxkit_dsp.tilt import Tilt

RATE, HOP = 48000, 16
CONTEXT = BuildContext(sample_rate=RATE, hop=HOP)
PROBES = (30.0, 200.0, 900.0, 1000.0, 1300.0, 6000.0, 18000.0)


def constants(**values):
    return {name: torch.tensor(value).reshape(1, -1, 1) for name, value in values.items()}


def impulse_response(spec, samples=1 << 15, **values):
    """Return the response at each of PROBES to an impulse, measured through the module."""
    impulse = torch.zeros(1, 1, samples, dtype=torch.float64)
    impulse[..., 0] = 1
    out = spec.build(CONTEXT)(impulse, constants(**values))[0][0, 0]
    time = torch.arange(samples, dtype=torch.float64)
    return [complex((out * torch.exp(-2j * math.pi * hertz / RATE * time)).sum()) for hertz in PROBES]


def analogue(hertz, corner):
    """Return s over the corner, where the bilinear transform puts `hertz`."""
    return 1j * math.tan(math.pi * hertz / RATE) / math.tan(math.pi * corner / RATE)


def bell(s, a, q):
    return (s * s + s * a / q + 1) / (s * s + s / (a * q) + 1)


def shelf(s, a, q):
    root = math.sqrt(a)
    return a * (s * s + root / q * s + a) / (a * s * s + root / q * s + 1)


F, Q, GAIN = 1000.0, 2.0, -9.0
A = 10 ** (GAIN / 40)
CASES = [
    (LowShelf(), {"gain_db": GAIN, "q": Q}, lambda s: shelf(s, A, Q)),
    (HighShelf(), {"gain_db": GAIN, "q": Q}, lambda s: shelf(1 / s, A, Q)),
    (Peak(), {"gain_db": GAIN, "q": Q}, lambda s: bell(s, A, Q)),
    (Notch(), {"q": Q}, lambda s: (s * s + 1) / (s * s + s / Q + 1)),
    (BandPass(), {"q": Q}, lambda s: s / Q / (s * s + s / Q + 1)),
    (AllPass(), {"q": Q}, lambda s: (s * s - s / Q + 1) / (s * s + s / Q + 1)),
    (AllPass(order=1), {}, lambda s: (1 - s) / (1 + s)),
    (LowPass(), {"q": Q}, lambda s: 1 / (s * s + s / Q + 1)),
    (LowPass(order=1), {}, lambda s: 1 / (1 + s)),
    (HighPass(), {"q": Q}, lambda s: s * s / (s * s + s / Q + 1)),
    (HighPass(order=1), {}, lambda s: s / (1 + s)),
    (Tilt(), {"gain_db": GAIN}, lambda s: (A * A * s + 1) / (s + A * A)),
    (DCBlocker(highest=2000.0), {}, lambda s: s / (1 + s)),
]


@pytest.mark.parametrize(("spec", "values", "expected"), CASES, ids=lambda case: type(case).__name__)
def test_a_filter_has_the_analogue_response(spec, values, expected):
    found = impulse_response(spec, frequency=F, **values)
    for hertz, response in zip(PROBES, found, strict=True):
        assert abs(response - expected(analogue(hertz, F))) < 1e-6


@pytest.mark.parametrize(("spec", "names"), [(spec, values) for spec, values, _ in CASES])
@pytest.mark.parametrize("rate", [8000, 22050, 48000, 192000])
def test_bounds_follow_the_sample_rate(spec, names, rate):
    parameters = spec.parameters(BuildContext(sample_rate=rate))
    assert {parameter.name for parameter in parameters} == {"frequency", *names}
    frequency = parameters[0]
    assert frequency.low <= frequency.default <= frequency.high < rate / 2
    assert all(parameter.rate == "control" for parameter in parameters)


@pytest.mark.parametrize("spec", [LowShelf(), HighShelf(), Peak(), Tilt(), GraphicEQ(), ParametricEQ()])
def test_a_filter_with_a_gain_starts_as_nothing(spec):
    params = {p.name: torch.tensor(p.defaults)[None, :, None] for p in spec.parameters(CONTEXT)}
    audio = torch.randn(1, 2, 500)
    assert torch.allclose(spec.build(CONTEXT)(audio, params)[0], audio, atol=1e-6)


def test_a_graphic_equaliser_has_as_many_bands_as_fit():
    (octaves,) = GraphicEQ().parameters(CONTEXT)
    (thirds,) = GraphicEQ(bands="third-octave").parameters(CONTEXT)
    (narrow,) = GraphicEQ().parameters(BuildContext(sample_rate=16000))
    assert (octaves.size, thirds.size, narrow.size) == (10, 31, 8)


def peak_by_sample(audio, frequency, gain_db, q):
    """Design at frames by the cookbook, interpolate the coefficients, run direct form II transposed."""

    def coefficients(f, g, q):
        w, a = 2 * math.pi * f / RATE, 10 ** (g / 40)
        alpha = math.sin(w) / (2 * q)
        row = (1 + alpha * a, -2 * math.cos(w), 1 - alpha * a, -2 * math.cos(w), 1 - alpha / a)
        return [value / (1 + alpha / a) for value in row]

    frames = [coefficients(*row) for row in zip(frequency, gain_db, q, strict=True)]
    first = second = 0.0
    out = []
    for n, x in enumerate(audio):
        k, share = divmod(n, HOP)
        low, high = frames[k], frames[k + 1]
        b0, b1, b2, a1, a2 = ((1 - share / HOP) * u + share / HOP * v for u, v in zip(low, high, strict=True))
        y = b0 * x + first
        first, second = b1 * x - a1 * y + second, b2 * x - a2 * y
        out.append(y)
    return torch.tensor(out, dtype=torch.float64)


def test_moving_controls_interpolate_the_coefficients_between_frames():
    draw = torch.Generator().manual_seed(0)
    frames = 21
    params = {
        "frequency": 100 * 100 ** torch.rand(1, 1, frames, generator=draw, dtype=torch.float64),
        "gain_db": 24 * torch.rand(1, 1, frames, generator=draw, dtype=torch.float64) - 12,
        "q": 0.5 + 5 * torch.rand(1, 1, frames, generator=draw, dtype=torch.float64),
    }
    audio = torch.randn(1, 1, (frames - 1) * HOP, generator=draw, dtype=torch.float64)
    out, _ = Peak().build(CONTEXT)(audio, params)
    expected = peak_by_sample(
        audio.flatten().tolist(), *(value.flatten().tolist() for value in params.values())
    )
    assert torch.allclose(out.flatten(), expected, atol=1e-10)


@pytest.mark.parametrize("spec", [spec for spec, _, _ in CASES] + [GraphicEQ(), ParametricEQ(high_pass=True)])
def test_controls_that_move_but_stay_equal_one_constant(spec):
    draw = torch.Generator().manual_seed(1)
    audio = torch.randn(2, 1, 300, generator=draw)
    still = {
        p.name: p.to_physical(torch.rand(2, p.size, 1, generator=draw)) for p in spec.parameters(CONTEXT)
    }
    moving = {name: value.expand(-1, -1, 20).clone() for name, value in still.items()}
    module = spec.build(CONTEXT)
    out, expected = module(audio, moving)[0], module(audio, still)[0]
    assert (out - expected).abs().max() <= 1e-6 * max(1, float(expected.abs().max()))


def test_some_controls_may_move_while_others_stand_still():
    params = constants(frequency=1000.0, gain_db=12.0, q=1.0)
    swept = {**params, "gain_db": torch.linspace(-12, 12, 20)[None, None]}
    spread = {name: value.expand(-1, -1, 20) for name, value in params.items()} | {
        "gain_db": swept["gain_db"]
    }
    audio, module = torch.randn(1, 1, 300), Peak().build(CONTEXT)
    assert torch.allclose(module(audio, swept)[0], module(audio, spread)[0], atol=1e-6)
    parts, state = [], None
    for start, frames in ((0, slice(0, 2)), (10, slice(2, 3)), (20, slice(3, 20))):
        stop = {0: 10, 10: 20, 20: 300}[start]
        cut = {**params, "gain_db": swept["gain_db"][..., frames]}
        part, state = module(audio[..., start:stop], cut, state)
        parts.append(part)
    assert torch.allclose(torch.cat(parts, dim=-1), module(audio, swept)[0], atol=1e-6)


def test_an_empty_range_is_told_where_it_was_written():
    assert [name for name, _ in Peak(lowest=3000.0, highest=200.0).problems()] == ["lowest"]
    assert [name for name, _ in Peak(lowest_q=3.0, highest_q=2.0).problems()] == ["lowest_q"]
    assert not list(Peak().problems())
