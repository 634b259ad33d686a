"""The state-variable and the ladder filter as processors."""

import math

import pytest
import torch

from fxkit.context import BuildContext
from fxkit_dsp.ladder_filter import MIXES, LadderFilter
from fxkit_dsp.state_variable_filter import StateVariableFilter

RATE = 48000
CONTEXT = BuildContext(sample_rate=RATE)
PROBES = (50.0, 700.0, 1000.0, 1800.0, 9000.0)


def constants(**values):
    return {name: torch.full((1, 1, 1), value) for name, value in values.items()}


def responses(spec, **values):
    impulse = torch.zeros(1, 1, 1 << 14, dtype=torch.float64)
    impulse[..., 0] = 1e-3
    out = 1000 * spec.build(CONTEXT)(impulse, constants(**values))[0][0, 0]
    time = torch.arange(1 << 14, dtype=torch.float64)
    return [complex((out * torch.exp(-2j * math.pi * hertz / RATE * time)).sum()) for hertz in PROBES]


def analogue(hertz):
    return 1j * math.tan(math.pi * hertz / RATE) / math.tan(math.pi * 1000 / RATE)


@pytest.mark.parametrize(
    ("output", "numerator"),
    [
        ("low", lambda s: 1),
        ("band", lambda s: s / 3),
        ("high", lambda s: s * s),
        ("notch", lambda s: s * s + 1),
        ("peak", lambda s: 1 - s * s),
        ("all-pass", lambda s: s * s - s / 3 + 1),
    ],
)
def test_each_output_of_the_state_variable_filter_is_the_analogue_one(output, numerator):
    found = responses(StateVariableFilter(output=output), frequency=1000.0, q=3.0)
    for hertz, response in zip(PROBES, found, strict=True):
        s = analogue(hertz)
        assert abs(response - numerator(s) / (s * s + s / 3 + 1)) < 1e-5


def test_a_mix_starts_as_the_input_and_weighs_what_it_says():
    spec = StateVariableFilter(output="mix")
    audio = torch.randn(2, 2, 400)
    params = {p.name: torch.full((2, 1, 1), p.default) for p in spec.parameters(CONTEXT)}
    assert torch.allclose(spec.build(CONTEXT)(audio, params)[0], audio, atol=1e-5)
    params.update(low=torch.full((2, 1, 1), 0.0), band=torch.full((2, 1, 1), -0.5), high=torch.zeros(2, 1, 1))
    band, _ = StateVariableFilter(output="band").build(CONTEXT)(audio, params)
    assert torch.allclose(spec.build(CONTEXT)(audio, params)[0], -0.5 * band, atol=1e-6)


SHAPES = {
    "low-6": lambda p, s: p,
    "low-12": lambda p, s: p**2,
    "low-18": lambda p, s: p**3,
    "low-24": lambda p, s: p**4,
    "band-6": lambda p, s: 2 * s * p**2,
    "band-12": lambda p, s: 4 * s * s * p**4,
    "high-12": lambda p, s: (s * p) ** 2,
    "high-24": lambda p, s: (s * p) ** 4,
}


@pytest.mark.parametrize("output", MIXES)
@pytest.mark.parametrize("saturation", [False, True])
def test_each_output_of_the_ladder_is_the_analogue_one_at_low_level(output, saturation):
    resonance = 0.5
    drive = {"drive_db": 0.0} if saturation else {}
    spec = LadderFilter(output=output, saturation=saturation)
    found = responses(spec, frequency=1000.0, resonance=resonance, **drive)
    for hertz, response in zip(PROBES, found, strict=True):
        s = analogue(hertz)
        p = 1 / (1 + s)
        # At -60 dBFS tanh departs from its argument by 3e-7 of it.
        assert abs(response - SHAPES[output](p, s) / (1 + 4 * resonance * p**4)) < 1e-5


def test_drive_saturates_and_is_taken_back():
    spec = LadderFilter()
    audio = torch.sin(2 * math.pi * 100 / RATE * torch.arange(9600, dtype=torch.float64))[None, None]
    quiet, loud = (
        spec.build(CONTEXT)(level * audio, constants(frequency=15000.0, resonance=0.0, drive_db=drive))[0]
        for level, drive in ((1e-4, 36.0), (1.0, 36.0))
    )
    assert float(quiet[..., 4800:].abs().max()) == pytest.approx(1e-4, rel=1e-2)
    assert float(loud[..., 4800:].abs().max()) == pytest.approx(10 ** (-36 / 20), rel=1e-2)


def test_a_linear_ladder_has_no_drive_and_never_whistles():
    names = [parameter.name for parameter in LadderFilter(saturation=False).parameters(CONTEXT)]
    assert names == ["frequency", "resonance"]
    params = constants(frequency=1000.0, resonance=LadderFilter(saturation=False).parameters(CONTEXT)[1].high)
    click = torch.zeros(1, 1, RATE)
    click[..., 0] = 1.0
    out, _ = LadderFilter(saturation=False).build(CONTEXT)(click, params)
    assert float(out[..., -100:].abs().max()) < 1e-6


def test_parameters_move_at_every_sample():
    draw = torch.Generator().manual_seed(0)
    audio = torch.randn(1, 1, 64, generator=draw)
    for spec in (StateVariableFilter(output="mix"), LadderFilter()):
        shares = {p.name: torch.rand(1, 1, 64, generator=draw) for p in spec.parameters(CONTEXT)}
        tracks = {p.name: p.to_physical(shares[p.name]) for p in spec.parameters(CONTEXT)}
        module = spec.build(CONTEXT)
        usual = module(audio, tracks)[0]
        for name, track in tracks.items():
            changed = track.clone()
            changed[..., 40] = track.flatten()[0] if track.flatten()[0] != track.flatten()[40] else 0.5
            other = module(audio, {**tracks, name: changed})[0]
            assert torch.equal(other[..., :40], usual[..., :40])
            assert not torch.equal(other[..., 40:], usual[..., 40:])
