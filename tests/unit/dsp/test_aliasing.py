import math

import pytest
import torch

from fxkit.context import BuildContext
from fxkit_dsp.asymmetric import Asymmetric
from fxkit_dsp.chebyshev import Chebyshev
from fxkit_dsp.cubic import Cubic
from fxkit_dsp.diode_clipper import DiodeClipper
from fxkit_dsp.exponential import Exponential
from fxkit_dsp.hard_clip import HardClip
from fxkit_dsp.op_amp_overdrive import OpAmpOverdrive
from fxkit_dsp.oversample import Oversample
from fxkit_dsp.tanh import Tanh
from fxkit_dsp.wavefolder import Wavefolder

CTX = BuildContext(sample_rate=48000)
LENGTH, BIN = 8192, 853  # 4998 Hz; odd, so that no alias falls on a harmonic


def aliases(spec, drive):
    """Return the level of what is no harmonic, up to 20 kHz, over that of the harmonics, in dB."""
    params = {p.name: torch.tensor(p.defaults)[None, :, None].double() for p in spec.parameters(CTX)}
    params |= {"drive_db": torch.full((1, 1, 1), drive, dtype=torch.float64)}
    sine = torch.sin(2 * math.pi * BIN * torch.arange(3 * LENGTH, dtype=torch.float64) / LENGTH)
    out, _ = spec.build(CTX).double()(sine[None, None], params)
    power = torch.fft.rfft(out[0, 0, -LENGTH:]).abs().square()[: LENGTH * 20 // 48]
    power[0] = 0
    harmonics = power[BIN::BIN].sum()
    return 10 * math.log10((power.sum() - harmonics) / harmonics)


@pytest.mark.parametrize(
    ("spec", "drive"),
    [
        (Tanh(), 12.0),
        (Cubic(), 12.0),
        (Exponential(), 12.0),
        (Asymmetric(), 12.0),
        (Wavefolder(), 12.0),
        (HardClip(antialias=True), 12.0),
        (Wavefolder(shape="triangle", antialias=True), 12.0),
        (DiodeClipper(), 12.0),
        (OpAmpOverdrive(), -20.0),
    ],
)
def test_four_times_the_rate_lowers_aliases_by_at_least_30_db(spec, drive):
    assert aliases(Oversample(factor=4, processor=spec), drive) <= aliases(spec, drive) - 30


def test_harmonics_that_stay_below_half_the_higher_rate_do_not_alias():
    """Six harmonics of 5 kHz end at 30 kHz."""
    weights = torch.tensor([1.0, 0.5, 0.5, 0.25, 0.25, 0.25], dtype=torch.float64)[None, :, None]
    spec = Oversample(factor=2, processor=Chebyshev())
    sine = torch.sin(2 * math.pi * BIN * torch.arange(3 * LENGTH, dtype=torch.float64) / LENGTH)
    out, _ = spec.build(CTX).double()(sine[None, None], {"harmonics": weights})
    power = torch.fft.rfft(out[0, 0, -LENGTH:]).abs().square()[: LENGTH * 20 // 48]
    power[0] = power[BIN::BIN] = 0
    assert float(power.sum().sqrt()) * 2 / LENGTH < 1e-5
