import math

import numpy as np
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st

from fxkit.context import BuildContext
from fxkit_dsp.diode_clipper import DiodeClipper
from fxkit_dsp.op_amp_overdrive import OpAmpOverdrive
from fxkit_dsp.tone_stack import CIRCUITS, ToneStack
from fxkit_signal.biquad import frequency_response
from fxkit_signal.circuit import ToneStack as Parts
from fxkit_signal.circuit import tone_stack

CTX = BuildContext()


def defaults(spec, **changed):
    values = {p.name: torch.tensor(p.defaults)[None, :, None] for p in spec.parameters(CTX)}
    return values | {name: torch.full((1, 1, 1), value) for name, value in changed.items()}


def test_units_of_the_diode_clipper_are_those_declared():
    """At rest the voltage solves u / R = v / R + 2 I sinh(v / V) with 2.2 kohm, 2.52 nA and 45.3 mV."""
    spec = DiodeClipper()
    out, _ = spec.build(CTX)(torch.full((1, 1, 400), 0.5), defaults(spec, drive_db=20.0))
    v = float(out[0, 0, -1])
    assert (5 - v) / 2200 == pytest.approx(2 * 2.52e-9 * math.sinh(v / 0.0453), rel=1e-4)


@pytest.mark.parametrize("spec", [DiodeClipper(), OpAmpOverdrive()])
def test_unequal_diodes_limit_unequally(spec):
    time = torch.arange(4800) / 48000
    sine = torch.sin(2 * torch.pi * 1000 * time)[None, None]
    out, _ = spec.build(CTX)(sine, defaults(spec, above=20.0, below=60.0))
    if isinstance(spec, OpAmpOverdrive):
        out = out - sine
    assert -1.5 * float(out.max()) > float(out.min())


def test_the_learned_component_is_found_from_the_sound():
    """A clipper of 10 kohm teaches one that starts at 2.2 kohm."""
    spec = DiodeClipper(rule="backward-euler")
    module = spec.build(CTX)
    audio = torch.randn(2, 1, 2000, generator=torch.Generator().manual_seed(1))
    goal, _ = module(audio, defaults(spec, resistance=10.0))
    logarithm = torch.zeros(1, requires_grad=True)
    optimizer = torch.optim.Adam([logarithm], lr=0.05)
    for _ in range(150):
        optimizer.zero_grad()
        learned = defaults(spec) | {"resistance": 2.2 * logarithm.exp().view(1, 1, 1)}
        (module(audio, learned)[0] - goal).square().mean().backward()
        optimizer.step()
    assert 2.2 * math.exp(logarithm.item()) == pytest.approx(10.0, rel=0.01)


def nodal(parts, bass, middle, treble, s):
    """Solve the tone network's four unknown node voltages by Kirchhoff's current law at complex s.

    Nodes: 1 treble pot's top, 2 bottom of the slope resistor, 3 between treble and bass pot, 4 between
    bass and middle pot; the output is the treble pot's wiper.
    """
    r1, r2, r3, r4, c1, c2, c3 = parts
    low = math.exp(3.4 * (bass - 1)) * r2
    tiny = 1e-4
    y = np.zeros((5, 5), complex)
    source = np.zeros(5, complex)

    def join(a, b, admittance):
        for node, other in ((a, b), (b, a)):
            if node is None:
                continue
            y[node, node] += admittance
            if other is not None:
                y[node, other] -= admittance

    def feed(node, admittance):
        y[node, node] += admittance
        source[node] += admittance

    top, slope, between, lower, wiper = range(5)
    feed(top, s * c1)
    feed(slope, 1 / r4)
    join(top, between, 1 / r1)
    join(slope, between, s * c2)
    join(between, lower, 1 / (low + tiny))
    join(lower, wiper, 1 / (r3 * (1 - middle) + tiny))
    join(wiper, None, 1 / (r3 * middle + tiny))
    join(slope, wiper, s * c3)
    v = np.linalg.solve(y, source)
    return v[between] + treble * (v[top] - v[between])


@pytest.mark.parametrize("name", CIRCUITS)
@settings(max_examples=25)
@given(bass=st.floats(0, 1), middle=st.floats(0, 1), treble=st.floats(0, 1), hertz=st.floats(20, 15000))
def test_the_tone_stack_is_the_network_solved_node_by_node(name, bass, middle, treble, hertz):
    units = [1e3] * 4 + [1e-9] * 3
    parts = [value * unit for value, unit in zip(CIRCUITS[name], units, strict=True)]
    one = [torch.tensor([value], dtype=torch.float64) for value in (*parts, bass, middle, treble)]
    sections = tone_stack(Parts(*one[:7]), *one[7:], 48000.0)
    found = complex(frequency_response(sections, torch.tensor([hertz]), 48000)[0, 0])
    s = 2j * 48000 * math.tan(math.pi * hertz / 48000)
    assert abs(found - nodal(parts, bass, middle, treble, s)) < 1e-6


def test_the_tone_stack_gradient_is_the_derivative():
    leaves = [torch.tensor([0.5 + 0.1 * n], dtype=torch.float64, requires_grad=True) for n in range(10)]
    scales = [1e5, 1e6, 2e4, 5e4, 3e-10, 2e-8, 2e-8, 1.0, 1.0, 1.0]

    def design(*values):
        scaled = [value * scale for value, scale in zip(values, scales, strict=True)]
        return tone_stack(Parts(*scaled[:7]), *scaled[7:], 48000.0)

    assert torch.autograd.gradcheck(design, leaves)


def test_pots_turn_the_levels_they_are_named_for():
    spec = ToneStack()

    def level(hertz, **pots):
        time = torch.arange(48000, dtype=torch.float64) / 48000
        sine = torch.sin(2 * torch.pi * hertz * time)[None, None]
        out, _ = spec.build(CTX)(sine, defaults(spec, **pots))
        return 20 * math.log10(float(out[..., 24000:].std() / sine[..., 24000:].std()))

    assert level(60, bass=1.0) > level(60, bass=0.0) + 5
    assert level(600, middle=1.0) > level(600, middle=0.0) + 5
    assert level(8000, treble=1.0) > level(8000, treble=0.0) + 10
