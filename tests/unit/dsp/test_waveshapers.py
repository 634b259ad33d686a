import math

import pytest
import torch

from fxkit.context import BuildContext
from fxkit_dsp.asymmetric import Asymmetric
from fxkit_dsp.chebyshev import Chebyshev
from fxkit_dsp.cubic import Cubic
from fxkit_dsp.exponential import Exponential
from fxkit_dsp.hard_clip import HardClip
from fxkit_dsp.rational import Rational
from fxkit_dsp.tanh import Tanh
from fxkit_dsp.wavefolder import Wavefolder

CTX = BuildContext()
SHAPERS = (Tanh, HardClip, Cubic, Exponential, Asymmetric, Wavefolder)


def defaults(spec, **changed):
    values = {p.name: torch.tensor(p.defaults)[None, :, None] for p in spec.parameters(CTX)}
    return values | {name: torch.full((1, 1, 1), value) for name, value in changed.items()}


@pytest.mark.parametrize(
    ("spec", "curve"),
    [
        (Tanh(), math.tanh),
        (HardClip(), lambda u: max(-1.0, min(1.0, u))),
        (Cubic(), lambda u: u - 4 * u**3 / 27 if abs(u) < 1.5 else math.copysign(1, u)),
        (Exponential(), lambda u: math.copysign(1 - math.exp(-abs(u)), u)),
        (Asymmetric(), lambda u: math.tanh(u) if u > 0 else 0.5 * math.tanh(u / 0.5)),
        (Wavefolder(), math.sin),
        (Wavefolder(shape="triangle"), lambda u: 2 / math.pi * math.asin(math.sin(math.pi / 2 * u))),
    ],
)
def test_drive_and_bias_act_before_the_curve_and_silence_stays_silent(spec, curve):
    audio = torch.tensor([-0.8, -0.1, 0.0, 0.3, 1.0])[None, None]
    out, _ = spec.build(CTX)(audio, defaults(spec, drive_db=12.0, bias=0.4))
    drive = 10 ** (12 / 20)
    expected = [curve(drive * x + 0.4) - curve(0.4) for x in audio.flatten().tolist()]
    assert out.flatten().tolist() == pytest.approx(expected, abs=1e-6)
    assert out[0, 0, 2] == 0


@pytest.mark.parametrize("spec", SHAPERS)
def test_drive_and_bias_may_move_at_every_sample(spec):
    audio = torch.full((2, 2, 6), 0.4)
    drive = torch.linspace(-6, 24, 6).expand(2, 1, 6)
    bias = torch.linspace(0.5, -0.5, 6).expand(2, 1, 6)
    moving, _ = spec().build(CTX)(audio, defaults(spec()) | {"drive_db": drive, "bias": bias})
    for n in range(6):
        still = defaults(spec(), drive_db=float(drive[0, 0, n]), bias=float(bias[0, 0, n]))
        assert torch.allclose(moving[..., n], spec().build(CTX)(audio, still)[0][..., n], atol=1e-6)


@pytest.mark.parametrize("spec", [*SHAPERS, Chebyshev])
def test_antialiasing_is_late_by_one_sample_and_leaves_slow_signals_alone(spec):
    audio = torch.sin(2 * torch.pi * torch.arange(4800) / 4800)[None, None]
    plain, _ = spec().build(CTX)(audio, defaults(spec()))
    smooth, _ = spec(antialias=True).build(CTX)(audio, defaults(spec()))
    assert (spec().traits(CTX).latency, spec(antialias=True).traits(CTX).latency) == (0, 1)
    assert torch.allclose(smooth[..., 2:], plain[..., 1:-1], atol=3e-4)
    assert smooth.dtype == torch.float32


def test_the_limits_of_the_asymmetric_clipper_are_its_parameters():
    loud = torch.tensor([[[-100.0, 100.0]]])
    out, _ = Asymmetric().build(CTX)(loud, defaults(Asymmetric(), upper=0.3, lower=2.5))
    assert out.flatten().tolist() == pytest.approx([-2.5, 0.3])


def test_chebyshev_starts_as_the_identity_and_each_weight_makes_its_harmonic():
    cosine = torch.cos(2 * torch.pi * 5 * torch.arange(200) / 200)[None, None]
    spec = Chebyshev(order=4)
    module = spec.build(CTX)
    assert torch.allclose(module(cosine, defaults(spec))[0], cosine, atol=1e-6)
    third = torch.tensor([0.0, 0.0, 1.0, 0.0])[None, :, None]
    spectrum = torch.fft.rfft(module(cosine, {"harmonics": third})[0]).abs().flatten() / 100
    assert float(spectrum[15]) == pytest.approx(1, abs=1e-5)
    assert float(spectrum.sum()) == pytest.approx(1, abs=1e-4)


def test_a_rational_curve_starts_as_what_it_is_told():
    audio = torch.linspace(-3, 3, 301)[None, None]
    for guard in ("absolute", "square"):
        tanh, _ = Rational(guard=guard).build(CTX)(audio, {})
        same, _ = Rational(guard=guard, start="identity").build(CTX)(audio, {})
        assert torch.allclose(tanh, audio.tanh(), atol=1e-3)
        assert torch.allclose(same, audio, atol=1e-5)


def test_a_rational_curve_learns_another_curve():
    torch.manual_seed(0)
    module = Rational(start="identity").build(CTX)
    audio = torch.linspace(-2, 2, 400)[None, None]
    goal = torch.sin(1.5 * audio)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(600):
        optimizer.zero_grad()
        (module(audio, {})[0] - goal).square().mean().backward()
        optimizer.step()
    assert (module(audio, {})[0] - goal).square().mean().item() < 1e-3 * float(goal.square().mean())
