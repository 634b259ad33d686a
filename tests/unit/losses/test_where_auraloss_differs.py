"""What auraloss has right is used or agrees; where it goes wrong, its fault is shown beside our value."""

from __future__ import annotations

import math

import auraloss
import pytest
import torch

from fxkit.context import BuildContext
from fxkit.values import Batch, Output
from fxkit_losses.dc import DC
from fxkit_losses.esr import ESR
from fxkit_losses.filtered import Filtered
from fxkit_losses.l2 import L2
from fxkit_losses.mel_stft import MelSTFT
from fxkit_losses.multi_resolution_stft import MultiResolutionSTFT
from fxkit_losses.random_resolution_stft import RandomResolutionSTFT
from fxkit_losses.si_sdr import SISDR
from fxkit_losses.stft import STFT
from fxkit_losses.sum_difference import SumDifference
from fxkit_signal.loudness import a_weighting
from fxkit_signal.weighting import AWeighting, PreEmphasis

RATE = 48000
CTX = BuildContext(sample_rate=RATE)


def signals(batch=3, channels=1, samples=8192):
    draw = torch.Generator().manual_seed(0)
    audio, other = (0.2 * torch.randn(batch, channels, samples, generator=draw) for _ in range(2))
    return audio, 0.7 * audio + 0.3 * other


def measured(spec, audio, target):
    return spec.build(CTX)(Output(audio=audio), Batch(target=target)).tolist()


def gradient_norms(spec, audio, target):
    live = audio.clone().requires_grad_()
    spec.build(CTX)(Output(audio=live), Batch(target=target)).sum().backward()
    return live.grad.flatten(1).norm(dim=1).tolist()


@pytest.mark.parametrize(
    ("spec", "theirs"),
    [
        (ESR(), auraloss.time.ESRLoss()),
        (DC(), auraloss.time.DCLoss()),
        (SISDR(), auraloss.time.SISDRLoss()),
        (STFT(win_length=600, hop_size=120, floor=-200), auraloss.freq.STFTLoss(1024, 120, 600, eps=1e-30)),
        (MultiResolutionSTFT(), auraloss.freq.MultiResolutionSTFTLoss()),
    ],
)
def test_values_of_ordinary_mono_items_agree(spec, theirs):
    audio, target = signals()
    expected = [float(theirs(a[None], t[None])) for a, t in zip(audio, target, strict=True)]
    assert measured(spec, audio, target) == pytest.approx(expected, rel=1e-4)


def test_the_sum_and_difference_distance_agrees_on_the_signals_that_it_compares():
    audio, target = signals(1, 2)
    # Theirs leaves the root of 2 out, which neither the ratio nor the logarithm hears.
    theirs = auraloss.freq.SumAndDifferenceSTFTLoss([512], [128], [512], w_sum=1.0, w_diff=1.0)
    inner = MultiResolutionSTFT(fft_sizes=(512,), win_lengths=(512,), hop_sizes=(128,))
    found = measured(SumDifference(inner=inner), audio, target)
    assert found == pytest.approx([float(theirs(audio, target))], rel=1e-4)


def test_no_reduction_of_several_resolutions_raises_there_and_is_one_value_per_item_here():
    audio, target = signals()
    with pytest.raises(RuntimeError, match="must match the size"):
        auraloss.freq.MultiResolutionSTFTLoss(reduction="none")(audio, target)
    assert len(measured(MultiResolutionSTFT(), audio, target)) == 3


def test_a_silent_target_swamps_its_batch_there_and_counts_as_quiet_here():
    audio, target = signals()
    silence = torch.zeros_like(target)
    for theirs, spec in (
        (auraloss.time.ESRLoss(), ESR()),
        (auraloss.freq.MultiResolutionSTFTLoss(), MultiResolutionSTFT()),
    ):
        ordinary = float(theirs(audio, target))
        assert float(theirs(audio, silence)) > 1e4 * ordinary
        assert max(measured(spec, audio, silence)) < float(theirs(audio, silence)) / 100
    mixed = torch.cat((target[:2], silence[2:]))
    ordinary, _, silent = gradient_norms(MultiResolutionSTFT(), audio, mixed)
    *_, unbounded = gradient_norms(MultiResolutionSTFT(quiet=-200.0), audio, mixed)
    assert silent < unbounded / 100
    assert silent < 100 * ordinary


def test_a_ratio_to_silence_depends_on_the_length_there_and_not_here():
    audio = 0.1 * torch.ones(1, 1, 4096)
    silence = torch.zeros_like(audio)
    theirs = [float(auraloss.time.ESRLoss()(audio[..., :n], silence[..., :n])) for n in (64, 4096)]
    assert theirs[1] / theirs[0] == pytest.approx(64, rel=0.01)
    ours = [measured(ESR(), audio[..., :n], silence[..., :n])[0] for n in (64, 4096)]
    assert ours[0] == pytest.approx(ours[1], rel=1e-6)


def test_a_silent_output_has_the_worst_ratio_there_even_when_it_is_right():
    silence = torch.zeros(1, 1, 4096)
    assert float(auraloss.time.SISDRLoss()(silence, silence)) == pytest.approx(80.0)
    assert measured(SISDR(), silence, silence) == [0.0]


def test_a_quiet_channel_weighs_as_much_as_a_loud_one_there_and_by_its_energy_here():
    audio, target = signals(1, 2)
    audio[:, 1], target[:, 1] = 0.0, 1e-3 * target[:, 1]
    expected = (audio - target).square().sum() / target.square().sum()
    assert measured(ESR(), audio, target) == pytest.approx([float(expected)], rel=1e-5)
    first = auraloss.time.ESRLoss()(audio[:, :1], target[:, :1])
    assert float(auraloss.time.ESRLoss()(audio, target)) == pytest.approx((float(first) + 1) / 2, rel=1e-2)


def response(filtered, frequency):
    """Return the gain in dB of the response of a filter to an impulse."""
    spectrum = torch.fft.rfft(filtered.double()).abs()
    return 20 * math.log10(float(spectrum[round(frequency / RATE * filtered.shape[-1])]))


@pytest.mark.parametrize(("frequency", "fault"), [(50, 10.0), (20000, 10.0)])
def test_a_weighting_misses_the_curve_there_and_follows_it_here(frequency, fault):
    impulse = torch.zeros(1, 1, 2 * RATE)
    impulse[..., RATE] = 1.0
    expected = 20 * math.log10(float(a_weighting(torch.tensor(float(frequency)))))
    theirs, _ = auraloss.perceptual.FIRFilter(filter_type="aw", fs=RATE)(impulse, impulse)
    assert abs(response(theirs[0, 0], frequency) - expected) > fault
    ours, _ = AWeighting(RATE)(impulse)
    assert response(ours[0, 0], frequency) == pytest.approx(expected, abs=0.1)


def test_pre_emphasis_runs_backwards_there_and_is_causal_here():
    impulse = torch.zeros(1, 1, 8)
    impulse[..., 3] = 1.0
    theirs, _ = auraloss.perceptual.FIRFilter(filter_type="hp", coef=0.85)(impulse, impulse)
    assert [round(x, 2) for x in theirs.flatten().tolist() if x] == [-0.85, 1.0]
    ours, _ = PreEmphasis(0.85)(impulse)
    assert [round(x, 2) for x in ours.flatten().tolist()] == [0, 0, 0, 1.0, -0.85, 0, 0, 0]


def test_a_filter_refuses_stereo_there_and_takes_it_here():
    audio, target = signals(1, 2)
    with pytest.raises(RuntimeError, match="to have 1 channels"):
        auraloss.perceptual.FIRFilter(filter_type="aw", fs=RATE)(audio, target)
    assert len(measured(Filtered(inner=L2(), filter="a-weighting"), audio, target)) == 1


def test_random_resolutions_differ_with_every_call_there_and_not_here():
    audio, target = signals(1, 1, 16384)
    options = {"resolutions": 3, "min_fft_size": 128, "max_fft_size": 2048}
    theirs = auraloss.freq.RandomResolutionSTFTLoss(**options)
    assert float(theirs(audio, target)) != float(theirs(audio, target))
    spec = RandomResolutionSTFT()
    assert measured(spec, audio, target) == measured(spec, audio, target)


def test_mel_bands_need_another_package_there_and_none_here(monkeypatch):
    import sys

    monkeypatch.setitem(sys.modules, "librosa", None)
    with pytest.raises((UnboundLocalError, ImportError)):
        auraloss.freq.MelSTFTLoss(RATE)
    assert len(measured(MelSTFT(), *signals())) == 3
