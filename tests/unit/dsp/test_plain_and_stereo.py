"""Offset, polarity, pan, width and mid-side, against their equations."""

import math

import pytest
import torch

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit_dsp.dc_offset import DCOffset
from fxkit_dsp.mid_side import MidSide
from fxkit_dsp.pan import Pan
from fxkit_dsp.polarity import Polarity
from fxkit_dsp.width import Width

MONO = BuildContext(channels=1, target_channels=2)
STEREO = BuildContext(channels=2, target_channels=2)


def test_an_offset_is_added_sample_by_sample():
    audio, offset = torch.randn(2, 2, 5), torch.rand(2, 1, 5)
    out, state = DCOffset().build(STEREO)(audio, {"offset": offset})
    assert torch.equal(out, audio + offset)
    assert state is None


def test_polarity_negates():
    audio = torch.randn(2, 2, 5)
    assert torch.equal(Polarity().build(STEREO)(audio, {})[0], -audio)


def panned(law, place, ctx=MONO):
    out, _ = Pan(law=law).build(ctx)(
        torch.ones(1, ctx.channels, 1, dtype=torch.float64), {"pan": torch.tensor([[[place]]])}
    )
    return out.flatten().tolist()


@pytest.mark.parametrize("place", [-1.0, -0.6, 0.0, 0.3, 1.0])
def test_each_law_keeps_what_it_says(place):
    left, right = panned("power", place)
    assert left**2 + right**2 == pytest.approx(1.0, abs=1e-6)
    left, right = panned("amplitude", place)
    assert left + right == pytest.approx(1.0, abs=1e-6)


def test_the_middle_is_as_far_down_as_the_law_says():
    for law, decibels in (("power", -3.01), ("between", -4.52), ("amplitude", -6.02)):
        for gain in panned(law, 0.0):
            assert 20 * math.log10(gain) == pytest.approx(decibels, abs=0.01)


def test_the_ends_are_one_side_alone():
    for law in ("power", "between", "amplitude"):
        assert panned(law, -1.0) == pytest.approx([1.0, 0.0], abs=1e-6)
        assert panned(law, 1.0) == pytest.approx([0.0, 1.0], abs=1e-6)


def test_a_stereo_signal_keeps_its_level_in_the_middle():
    for law in ("power", "between", "amplitude"):
        assert panned(law, 0.0, STEREO) == pytest.approx([1.0, 1.0], abs=1e-6)


def test_width_scales_the_difference_alone():
    audio = torch.randn(2, 2, 6)
    module = Width().build(STEREO)
    width = torch.linspace(0, 2, 6).expand(2, 1, 6)
    out, _ = module(audio, {"width": width})
    assert torch.allclose(out.sum(1), audio.sum(1), atol=1e-6)
    assert torch.allclose(out[:, 0] - out[:, 1], (audio[:, 0] - audio[:, 1]) * width[:, 0], atol=1e-6)


def test_mid_and_side_come_back_as_left_and_right():
    audio = torch.randn(2, 2, 6)
    coded, _ = MidSide().build(STEREO)(audio, {})
    assert torch.allclose(coded[:, 0], audio.mean(1), atol=1e-6)
    assert torch.allclose(coded[:, 1], (audio[:, 0] - audio[:, 1]) / 2, atol=1e-6)
    back, _ = MidSide(direction="decode").build(STEREO)(coded, {})
    assert torch.allclose(back, audio, atol=1e-6)


@pytest.mark.parametrize(("spec", "name"), [(Width(), "width"), (MidSide(), "mid-side")])
def test_what_needs_two_channels_says_so(spec, name):
    with pytest.raises(AssemblyError, match=rf"{name}: works on 2 channels, and 1 enter it here"):
        spec.build(MONO)


def test_pan_takes_no_more_than_two_channels():
    with pytest.raises(AssemblyError, match="pan: works on 1 or 2 channels, and 6 enter it here"):
        Pan().build(BuildContext(channels=6))
