import math

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch.autograd import gradcheck

import fxkit_signal.diode as module
from fxkit_signal import circuit
from fxkit_signal.diode import Diodes, diode_node, run_node

RULES = ("trapezoidal", "backward-euler")
RATE = 48000.0
SATURATION, ABOVE, BELOW = 2.52e-9, 0.0453, 0.061


def constant(*values):
    return torch.tensor(values, dtype=torch.float64).view(-1, 1, 1)


def diodes(batch=1):
    return Diodes(*(constant(*[value] * batch) for value in (SATURATION, ABOVE, BELOW)))


def diode_clipper(audio, resistance, capacitance, diodes, rate, state=None, *, rule="trapezoidal"):
    node = diode_node(1 / resistance, capacitance, diodes, rate, rule)
    return circuit.diode_clipper(audio, resistance, node, state)


def op_amp_stage(audio, *components):
    return circuit.run_op_amp_stage(audio, circuit.op_amp_stage(*components))


@pytest.fixture(params=["compiled", "torch"])
def path(request, monkeypatch):
    if request.param == "torch":
        monkeypatch.setattr(module, "compiled_for", lambda *tensors: False)
    return request.param


def bisect(p, g, saturation, above, below):
    """Solve g v + I (e^(v / a) - e^(-v / b)) = p by halving, to the last bit."""

    def excess(v):
        return g * v + saturation * (math.exp(v / above) - math.exp(-v / below)) - p

    low, high = -abs(p) / g, abs(p) / g
    low, high = max(low, -below * 600), min(high, above * 600)
    for _ in range(200):
        middle = (low + high) / 2
        low, high = (low, middle) if excess(middle) > 0 else (middle, high)
    return (low + high) / 2


def loop(currents, conductance, capacitance, rule):
    """Step C dv/dt = i - G v - f(v) with v kept, not the history that the code keeps."""
    v, flow, out = 0.0, 0.0, []
    for i in currents:
        if rule == "trapezoidal":
            g = conductance + 2 * RATE * capacitance
            v = bisect(i + 2 * RATE * capacitance * v + flow, g, SATURATION, ABOVE, BELOW)
        else:
            g = conductance + RATE * capacitance
            v = bisect(i + RATE * capacitance * v, g, SATURATION, ABOVE, BELOW)
        flow = i - conductance * v - SATURATION * (math.exp(v / ABOVE) - math.exp(-v / BELOW))
        out.append(v)
    return out


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("capacitance", [1e-11, 1e-8, 1e-6])
def test_voltages_are_those_of_a_loop_with_a_bracketing_solver(path, rule, capacitance):
    draw = torch.Generator().manual_seed(3)
    audio = 4 * torch.randn(1, 1, 120, generator=draw, dtype=torch.float64)
    found, _ = diode_clipper(audio, constant(2200.0), constant(capacitance), diodes(), RATE, rule=rule)
    expected = loop((audio[0, 0] / 2200).tolist(), 1 / 2200, capacitance, rule)
    assert found[0, 0].tolist() == pytest.approx(expected, abs=2e-12)


@settings(max_examples=60)
@given(
    p=st.floats(-8, 2).flatmap(lambda e: st.sampled_from([10**e, -(10**e)])),
    g=st.floats(-9, 1),
    saturation=st.floats(-15, -4),
    above=st.floats(-2.3, 0),
    below=st.floats(-2.3, 0),
)
def test_any_component_values_converge(p, g, saturation, above, below):
    g, saturation, above, below = (10**value for value in (g, saturation, above, below))
    expected = bisect(p, g, saturation, above, below)
    for served in (True, False):
        with pytest.MonkeyPatch.context() as patch:
            patch.setattr(module, "compiled_for", lambda *tensors, served=served: served)
            values = Diodes(*(constant(value) for value in (saturation, above, below)))
            v, _ = run_node(constant(p), diode_node(constant(g), constant(0.0), values, RATE))
        assert float(v) == pytest.approx(expected, rel=1e-9, abs=1e-12)


@pytest.mark.parametrize("rule", RULES)
def test_gradients_are_the_derivatives(path, rule):
    draw = torch.Generator().manual_seed(5)

    def near(*shape):
        return (0.7 + 0.6 * torch.rand(*shape, generator=draw, dtype=torch.float64)).requires_grad_()

    audio = (2 * torch.randn(2, 2, 5, generator=draw, dtype=torch.float64)).requires_grad_()
    start = (1e-3 * torch.randn(2, 2, generator=draw, dtype=torch.float64)).requires_grad_()

    def run(audio, start, resistance, capacitance, saturation, above, below):
        parts = Diodes(SATURATION * saturation, ABOVE * above, BELOW * below)
        v, end = diode_clipper(audio, 2200 * resistance, 1e-8 * capacitance, parts, RATE, start, rule=rule)
        return v, 1000 * end

    values = (near(2, 1, 5), near(2, 1, 1), near(2, 1, 1), near(2, 1, 1), near(2, 1, 1))
    assert gradcheck(run, (audio, start, *values), eps=1e-6, atol=1e-6, rtol=1e-4)


@pytest.mark.parametrize("rule", RULES)
def test_both_paths_agree_to_the_last_digits(rule, monkeypatch):
    audio = 10 * torch.randn(2, 2, 60, generator=torch.Generator().manual_seed(7), dtype=torch.float64)
    found = []
    for served in (True, False):
        monkeypatch.setattr(module, "compiled_for", lambda *tensors, served=served: served)
        leaves = [constant(1000.0, 5e4), constant(1e-9, 1e-7), *diodes(2)]
        leaves = [leaf.requires_grad_() for leaf in leaves]
        y, _ = diode_clipper(audio, leaves[0], leaves[1], Diodes(*leaves[2:]), RATE, rule=rule)
        found.append([y, *torch.autograd.grad(y.square().sum(), leaves)])
    for one, other in zip(*found, strict=True):
        assert torch.allclose(one, other, rtol=1e-11, atol=1e-14)


def test_blocks_of_any_size_are_one_signal(path):
    audio = 3 * torch.randn(1, 2, 50, generator=torch.Generator().manual_seed(9))
    parts = (constant(2200.0), constant(1e-8), diodes(), RATE)
    whole, end = diode_clipper(audio, *parts)
    state, pieces = None, []
    for start, stop in ((0, 1), (1, 8), (8, 8), (8, 31), (31, 50)):
        piece, state = diode_clipper(audio[..., start:stop], *parts, state)
        pieces.append(piece)
    assert torch.equal(torch.cat(pieces, -1), whole)
    assert torch.equal(state, end)


def test_a_hard_driven_clipper_stays_at_the_diodes_voltage():
    audio = 1e4 * torch.tensor([1.0, -1.0] * 20, dtype=torch.float64)[None, None]
    v, _ = diode_clipper(audio, constant(2200.0), constant(1e-8), diodes(), RATE, rule="backward-euler")
    top = ABOVE * math.log(1e4 / 2200 / SATURATION)
    assert 0.9 * top < float(v.max()) < top


def test_small_signals_pass_the_op_amp_stage_as_its_linear_transfer_function():
    """1 + Z_feedback / Z_leg with the diodes' slope resistance, by complex impedances; warped frequency."""
    r_f, c_f, r_g, c_g = 551e3, 51e-12, 4.7e3, 47e-9
    turns, samples = 500, 48000  # 500 Hz
    sine = 1e-6 * torch.sin(2 * math.pi * turns * torch.arange(2 * samples, dtype=torch.float64) / samples)
    y, _ = op_amp_stage(
        sine[None, None], (constant(r_f), constant(c_f)), (constant(r_g), constant(c_g)), diodes(), RATE
    )
    found = torch.fft.rfft(y[0, 0, -samples:])[turns] / torch.fft.rfft(sine[-samples:])[turns]
    s = 2j * RATE * math.tan(math.pi * turns / RATE)
    slope = SATURATION / ABOVE + SATURATION / BELOW
    expected = 1 + (s * c_g / (1 + s * r_g * c_g)) / (1 / r_f + s * c_f + slope)
    assert abs(complex(found) - expected) < 1e-6 * abs(expected)


def test_the_op_amp_stage_lets_the_clean_signal_through_and_limits_what_it_adds():
    time = torch.arange(4800, dtype=torch.float64) / RATE
    sine = 5 * torch.sin(2 * math.pi * 1000 * time)[None, None]
    y, _ = op_amp_stage(
        sine, (constant(551e3), constant(51e-12)), (constant(4.7e3), constant(47e-9)), diodes(), RATE
    )
    added = y - sine
    assert 0.5 < float(added.abs().max()) < 1.0
