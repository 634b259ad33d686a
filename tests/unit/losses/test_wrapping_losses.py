"""Losses that hand signals on to other losses."""

from __future__ import annotations

import math

import pytest
import torch

from fxkit.context import BuildContext
from fxkit.experiment.reader import read_document
from fxkit.traits import LossTraits
from fxkit.values import Batch, Output
from fxkit_losses.esr import ESR
from fxkit_losses.filtered import Filtered
from fxkit_losses.kl import KL
from fxkit_losses.l1 import L1
from fxkit_losses.l2 import L2
from fxkit_losses.stft import STFT
from fxkit_losses.sum_difference import SumDifference
from fxkit_losses.weighted_sum import WeightedSum
from fxkit_signal.loudness import a_weighting
from fxkit_signal.weighting import AWeighting, KWeighting, PreEmphasis

RATE = 48000
CTX = BuildContext(sample_rate=RATE)


def signals(channels=2, samples=400):
    draw = torch.Generator().manual_seed(0)
    return [0.2 * torch.randn(3, channels, samples, generator=draw, dtype=torch.float64) for _ in range(2)]


def measured(spec, audio, target):
    return spec.build(CTX)(Output(audio=audio), Batch(target=target))


def tone(frequency, seconds=0.6):
    time = torch.arange(round(RATE * seconds), dtype=torch.float64) / RATE
    return torch.sin(2 * math.pi * frequency * time)[None, None]


def level_change(weighting, frequency):
    """Return by how many dB a weighting changes a settled tone."""
    before = tone(frequency)
    after, _ = weighting(before)
    half = before.shape[-1] // 2
    return 10 * math.log10(float(after[..., half:].square().mean() / before[..., half:].square().mean()))


@pytest.mark.parametrize("frequency", [50, 200, 1000, 5000, 12000, 20000])
def test_a_weighting_changes_tones_by_the_curve_up_to_the_top(frequency):
    expected = 20 * math.log10(float(a_weighting(torch.tensor(float(frequency)))))
    assert level_change(AWeighting(RATE), frequency) == pytest.approx(expected, abs=0.05)


@pytest.mark.parametrize(("frequency", "expected"), [(997, 0.691), (10000, 4.0), (40, -5.61)])
def test_k_weighting_changes_tones_as_the_standard_has_it(frequency, expected):
    assert level_change(KWeighting(RATE), frequency) == pytest.approx(expected, abs=0.1)


@pytest.mark.parametrize("weighting", [PreEmphasis(0.9), KWeighting(RATE), AWeighting(RATE)])
@pytest.mark.parametrize("block", [1, 7, 64])
def test_weightings_run_in_blocks_as_in_one_go(weighting, block):
    audio = signals(samples=200)[0]
    state, pieces = None, []
    for piece in audio.split(block, dim=-1):
        filtered, state = weighting(piece, state)
        pieces.append(filtered)
    assert float((torch.cat(pieces, dim=-1) - weighting(audio)[0]).abs().max()) < 1e-12


def test_pre_emphasis_before_another_loss_is_that_of_esr():
    audio, target = signals()
    found = measured(Filtered(inner=ESR(), coefficient=0.85), audio, target)
    assert found.tolist() == pytest.approx(
        measured(ESR(pre_emphasis=0.85), audio, target).tolist(), rel=1e-12
    )


def test_an_a_weighted_loss_hears_an_error_at_3_khz_and_hardly_one_at_50_hz():
    target = torch.zeros(1, 1, round(RATE * 0.6), dtype=torch.float64)
    spec = Filtered(inner=L2(), filter="a-weighting")
    middle, low = (float(measured(spec, tone(f), target)) for f in (3000, 50))
    assert 10 * math.log10(middle / low) == pytest.approx(1.2 + 30.2, abs=0.5)


def test_sum_and_difference_of_the_channels_are_compared():
    audio, target = signals()
    halves = []
    for sign in (1, -1):
        found, wanted = ((x[:, 0] + sign * x[:, 1]) / math.sqrt(2) for x in (audio, target))
        halves.append((found - wanted).abs().mean(dim=1))
    expected = 0.7 * halves[0] + 0.3 * halves[1]
    found = measured(SumDifference(inner=L1(), difference=0.3), audio, target)
    assert found.tolist() == pytest.approx(expected.tolist(), rel=1e-12)


def test_sum_and_difference_keep_the_power_of_both_channels():
    audio, target = signals()
    found = measured(SumDifference(inner=L2()), audio, target)
    assert found.tolist() == pytest.approx(measured(L2(), audio, target).tolist(), rel=1e-12)


def test_a_weighted_sum_adds_its_terms_up_at_any_depth():
    audio, target = signals()
    inner = WeightedSum(terms=(L1(), L2()), weights=(2.0, 0.5))
    outer = WeightedSum(terms=(inner, ESR()), weights=(3.0, 0.1))
    one, two, three = (measured(spec, audio, target) for spec in (L1(), L2(), ESR()))
    expected = 3 * (2 * one + 0.5 * two) + 0.1 * three
    assert measured(outer, audio, target).tolist() == pytest.approx(expected.tolist(), rel=1e-12)


def test_a_sum_needs_what_any_of_its_terms_needs():
    spec = WeightedSum(
        terms=(
            STFT(fft_size=512),
            Filtered(inner=STFT(fft_size=2048)),
            KL(node="latent"),
            SumDifference(inner=L1()),
        )
    )
    assert spec.traits(CTX) == LossTraits(
        distance=False, terms=("latent.log_variance", "latent.mean"), least_samples=2048, channels=(2,)
    )


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        (WeightedSum(terms=()), "is empty"),
        (WeightedSum(terms=(L1(), L2()), weights=(1.0,)), "1 values for 2 terms"),
        (WeightedSum(terms=(L1(),), weights=(0.0,)), "all 0"),
    ],
)
def test_sums_that_say_nothing_are_refused(spec, reason):
    assert any(reason in text for _, text in spec.problems())
    with pytest.raises(ValueError, match=reason):
        spec.build(CTX)


def test_presets_stand_for_a_filter_before_esr():
    found = read_document(
        {
            "fxkit": 1,
            "data": {"type": "virtual-device", "segment": 4096},
            "nodes": {"amp": {"type": "lstm", "hidden": 4}},
            "model": {"chain": ["amp"]},
            "losses": {
                "bright": {"type": "filtered", "preset": "pre-emphasised-esr"},
                "heard": {"type": "filtered", "preset": "a-weighted-esr"},
            },
            "train": {"steps": 2, "optimizer": {"type": "adam"}},
        },
        "made-up.toml",
    ).losses
    assert found["bright"].spec == Filtered(inner=ESR(), filter="pre-emphasis", coefficient=0.95)
    assert found["heard"].spec == Filtered(inner=ESR(), filter="a-weighting")
