from __future__ import annotations

import math

import pytest
import torch

from fxkit.context import BuildContext
from fxkit.values import Batch, Output
from fxkit_losses.esr import ESR
from fxkit_losses.l1 import L1


def signals(seed: int = 0, channels: int = 2) -> tuple[torch.Tensor, torch.Tensor]:
    draw = torch.Generator().manual_seed(seed)
    audio, target = (torch.randn(3, channels, 50, generator=draw, dtype=torch.float64) for _ in range(2))
    return audio, target


def measured(spec, audio: torch.Tensor, target: torch.Tensor) -> list[float]:
    return spec.build(BuildContext())(Output(audio=audio), Batch(target=target)).tolist()


def emphasised(channel: list[float], coefficient: float) -> list[float]:
    last, filtered = 0.0, []
    for sample in channel:
        filtered.append(sample - coefficient * last)
        last = sample
    return filtered


def energy(item: list[list[float]], coefficient: float) -> float:
    return sum(sample**2 for channel in item for sample in emphasised(channel, coefficient))


def test_l1_is_the_mean_magnitude_of_the_error_of_each_item():
    audio, target = signals()
    expected = [
        sum(abs(a - t) for a, t in zip(one.flatten().tolist(), other.flatten().tolist(), strict=True)) / 100
        for one, other in zip(audio, target, strict=True)
    ]
    assert measured(L1(), audio, target) == pytest.approx(expected, rel=1e-12)


@pytest.mark.parametrize("coefficient", [0.0, 0.85])
def test_esr_is_the_error_energy_over_the_target_energy_of_each_item(coefficient):
    audio, target = signals()
    expected = [
        energy((one - other).tolist(), coefficient) / energy(other.tolist(), coefficient)
        for one, other in zip(audio, target, strict=True)
    ]
    assert measured(ESR(pre_emphasis=coefficient), audio, target) == pytest.approx(expected, rel=1e-12)


def test_esr_of_silence_is_one_and_of_the_inverse_four():
    _, target = signals()
    assert measured(ESR(), 0 * target, target) == pytest.approx([1.0] * 3)
    assert measured(ESR(), -target, target) == pytest.approx([4.0] * 3)


@pytest.mark.parametrize("floor", [-60.0, -40.0])
def test_a_target_below_the_floor_counts_as_loud_as_the_floor(floor):
    power = 10 ** (floor / 10)
    audio = torch.full((1, 1, 64), 0.1, dtype=torch.float64)
    assert measured(ESR(floor=floor), audio, 0 * audio) == pytest.approx([0.01 / power])
    above = torch.full_like(audio, math.sqrt(2 * power))
    assert measured(ESR(floor=floor), 0 * above, above) == pytest.approx([1.0])


def test_pre_emphasis_leaves_the_signals_alone():
    audio, target = signals()
    kept = audio.clone(), target.clone()
    measured(ESR(pre_emphasis=0.9), audio, target)
    assert torch.equal(audio, kept[0])
    assert torch.equal(target, kept[1])
