import numpy as np
import pytest
import torch

from fxkit_signal import biquad, dispatch
from fxkit_signal.biquad import sosfilt, sosfilt_varying

RATE = 48000
LIMITS = {"compiled": 1e-6, "torch": 1e-4}
COLUMNS = [0, 1, 2, 4, 5]


@pytest.fixture(params=LIMITS)
def path(request, monkeypatch):
    if request.param == "torch":
        monkeypatch.setattr(dispatch, "has_compiler", lambda: False)
    return request.param


def f64(*values):
    return torch.tensor(values, dtype=torch.float64)


def bands(second):
    values = [(100.0, 5.0, 0.7), second, (1000.0, 6.0, 0.8), (3000.0, -9.0, 2.5), (8000.0, 4.0, 0.7)]
    designs = [biquad.low_shelf, biquad.peak, biquad.peak, biquad.peak, biquad.high_shelf]
    sections = [make(*(f64(v) for v in band), RATE) for make, band in zip(designs, values, strict=True)]
    return torch.stack(sections, dim=1)


CASES = {
    "mild": bands((300.0, -7.0, 1.4)),
    "40 Hz, Q 10, +12 dB": bands((40.0, 12.0, 10.0)),
    "low pass 40 Hz, Q 10": biquad.low_pass(f64(40.0), f64(10.0), RATE)[None],
}
SIGNALS = {
    "noise": torch.randn(2, 12000, generator=torch.Generator().manual_seed(1)),
    "burst at the end": torch.randn(2, 12000, generator=torch.Generator().manual_seed(2))
    * (torch.arange(12000) >= 11500),
}


def loop(x, weight, sos):
    """Run sections in float64 sample by sample, and the chain rule back; gradients of sum(weight * y)."""
    signals = [x.tolist()]
    for b0, b1, b2, _, a1, a2 in sos.tolist():
        z1 = z2 = 0.0
        out = []
        for u in signals[-1]:
            y = b0 * u + z1
            z1, z2 = b1 * u - a1 * y + z2, b2 * u - a2 * y
            out.append(y)
        signals.append(out)
    grad, grad_sos = weight.tolist(), np.zeros(sos.shape)
    for k in range(len(sos) - 1, -1, -1):
        b0, b1, b2, _, a1, a2 = sos[k].tolist()
        v1 = v2 = 0.0
        total, before = np.zeros(6), []
        for g, u, y in zip(reversed(grad), reversed(signals[k]), reversed(signals[k + 1]), strict=True):
            v = g - a1 * v1 - a2 * v2
            before.append(b0 * v + b1 * v1 + b2 * v2)
            total += (v * u, v1 * u, v2 * u, 0.0, -v1 * y, -v2 * y)
            v1, v2 = v, v1
        grad, grad_sos[k] = before[::-1], total
    return np.array(signals[-1]), np.array(grad), grad_sos


def errors(found, expected):
    return [np.linalg.norm(f.numpy() - e) / np.linalg.norm(e) for f, e in zip(found, expected, strict=True)]


@pytest.mark.parametrize("signal", SIGNALS)
@pytest.mark.parametrize("case", CASES)
def test_output_and_gradients_are_those_of_a_double_precision_loop(path, case, signal):
    sos = CASES[case].clone().requires_grad_()
    x, weight = SIGNALS[signal]
    audio = x[None, None].clone().requires_grad_()
    y, _ = sosfilt(audio, sos)
    grad_x, grad_sos = torch.autograd.grad(y, (audio, sos), weight[None, None])
    expected = loop(x.double(), weight.double(), sos.detach()[0])
    found = y.detach()[0, 0], grad_x[0, 0], grad_sos[0] * (torch.arange(6) != 3)
    assert max(errors(found, expected)) < LIMITS[path]


@pytest.mark.parametrize("case", CASES)
def test_moving_sections_are_as_accurate(path, case):
    sos = CASES[case][:, None].repeat(1, 95, 1, 1).requires_grad_()
    x, weight = SIGNALS["noise"]
    audio = x[None, None].clone().requires_grad_()
    y, _ = sosfilt_varying(audio, sos, hop=128)
    grad_x, grad_sos = torch.autograd.grad(y, (audio, sos), weight[None, None])
    expected = loop(x.double(), weight.double(), sos.detach()[0, 0])
    found = y.detach()[0, 0], grad_x[0, 0], grad_sos[0].sum(0) * (torch.arange(6) != 3)
    assert max(errors(found, expected)) < LIMITS[path]
