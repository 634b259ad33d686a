"""A model that came out upside down is told from one that is merely unlike the target."""

from __future__ import annotations

import math

import pytest
import torch
from hypothesis import given
from hypothesis import strategies as st

from fxkit.engine.evaluation import Evaluation, Example
from fxkit.engine.objective import Term
from fxkit.engine.polarity import Polarity, PolarityWatch, polarity, sign_blind
from fxkit.traits import LossTraits


def noise(seed, channels=1, samples=2000):
    return torch.randn(channels, samples, generator=torch.Generator().manual_seed(seed))


def example(prediction, target, *, skip=0, source=False):
    return Example(
        name="a",
        target=target,
        prediction=prediction,
        input=None if source else target,
        skip=skip,
        metrics={},
        stems={},
        parameters={},
    )


def evaluation(*examples, step=100):
    return Evaluation(split="val", step=step, sample_rate=16000, metrics={}, examples=examples)


BLIND = Term("spectral", lambda output, batch: output.audio, 1.0, traits=LossTraits(sign_blind=True))
SEEING = Term("wave", lambda output, batch: output.audio, 0.5)
WATCHED = Term("esr", lambda output, batch: output.audio, None)


def test_correlation_and_ratios_are_those_of_the_formulas():
    target, other = noise(0), noise(1)
    output = -0.5 * target + 0.1 * other
    found = polarity([example(output, target)])
    a, b = (x.double() - x.double().mean() for x in (output, target))
    assert found.correlation == pytest.approx(float((a * b).sum() / (a.norm() * b.norm())))
    assert found.esr == pytest.approx(float((a - b).square().sum() / b.square().sum()))
    assert found.inverted_esr == pytest.approx(float((a + b).square().sum() / b.square().sum()))
    assert found.is_inverted


def test_recordings_count_together_and_what_is_skipped_does_not():
    target = noise(0)
    output = target.clone()
    output[:, :1800] *= -1
    assert polarity([example(output, target)]).is_inverted
    assert not polarity([example(output, target, skip=1800)]).is_inverted
    long, short = noise(1, samples=4000), noise(2, samples=200)
    assert polarity([example(-long, long), example(short, short)]).is_inverted
    assert not polarity([example(long, long), example(-short, short)]).is_inverted


def test_one_channel_that_is_upside_down_is_named():
    target = noise(0, channels=2)
    output = target.clone()
    output[1] *= -1
    found = polarity([example(output, target)])
    assert (found.is_inverted, found.channel, found.channels) == (True, 2, 2)
    watch = PolarityWatch([BLIND])
    line = watch.line(evaluation(), found, last=True)
    assert "upside down in channel 2" in line


@given(st.floats(-1, 1), st.floats(1e-3, 1e3), st.floats(-2, 2))
def test_neither_level_nor_a_constant_part_changes_it(correlation, gain, constant):
    target, other = noise(0, samples=500), noise(1, samples=500)
    output = correlation * target + math.sqrt(1 - correlation**2) * other
    plain = polarity([example(output, target)])
    moved = polarity([example(gain * output + gain * constant, target)])
    assert moved.correlation == pytest.approx(plain.correlation, abs=1e-4)


def test_nothing_is_said_of_silence_synthesis_and_outputs_that_are_not_finite():
    target = noise(0)
    assert polarity([]) is None
    assert polarity([example(-target, target, source=True)]) is None
    assert polarity([example(-target, torch.zeros_like(target))]) is None
    assert polarity([example(target * math.nan, target)]) is None
    assert polarity([example(torch.zeros_like(target), target)]).correlation == 0.0


def test_unrelated_signals_are_not_upside_down():
    for seed in range(20):
        assert not polarity([example(noise(2 * seed + 1), noise(2 * seed))]).is_inverted


def told(watch, correlations, *, last=False):
    lines = []
    for step, value in enumerate(correlations):
        found = Polarity(correlation=value, channel=1, channels=1, esr=3.0, inverted_esr=0.1)
        lines.append(watch.line(evaluation(step=step), found, last=last))
    return [step for step, line in enumerate(lines) if line]


def test_without_a_loss_that_sees_the_sign_two_validations_in_a_row_are_told_once():
    assert told(PolarityWatch([BLIND, WATCHED]), [-0.9, 0.2, -0.9, -0.9, -0.9]) == [3]
    assert told(PolarityWatch([BLIND]), [-0.9, -0.9, 0.9, -0.9, -0.9]) == [1, 4]
    assert told(PolarityWatch([BLIND]), [-0.4] * 9) == []


def test_with_a_loss_that_sees_the_sign_the_end_alone_counts():
    watch = PolarityWatch([BLIND, SEEING])
    assert told(watch, [-0.9, -0.9, -0.9]) == []
    assert told(watch, [-0.9], last=True) == [0]
    assert told(watch, [0.9], last=True) == []


def test_the_line_says_how_much_and_what_to_do():
    target = noise(0)
    found = polarity([example(-target, target)])
    blind = PolarityWatch([BLIND]).line(evaluation(), found, last=True)
    assert (
        "step 100  polarity: the output is upside down: its correlation with the target of val is -1.00"
        in blind
    )
    assert "(ESR 4, inverted 0)" in blind.replace("1e-", "0")
    assert "no loss of this run sees the sign (spectral): add one that does, such as esr" in blind
    assert 'weight = { type = "delayed", begin = 0.3 } for the others' in blind
    assert "\n" not in blind
    assert "train longer" in PolarityWatch([SEEING]).line(evaluation(), found, last=True)


def test_a_watch_goes_on_where_it_was():
    first, second = PolarityWatch([BLIND]), PolarityWatch([BLIND])
    assert told(first, [-0.9]) == []
    second.load_state_dict(first.state_dict())
    assert told(second, [-0.9]) == [0]


def test_losses_see_the_sign_when_one_of_those_that_weigh_does():
    regulariser = Term("kl", lambda output, batch: output.audio, 1.0, traits=LossTraits(distance=False))
    off = Term("off", lambda output, batch: output.audio, 0.0)
    assert sign_blind([BLIND, regulariser, off, WATCHED]) == ("spectral",)
    assert sign_blind([BLIND, SEEING]) == ()
    assert sign_blind([regulariser]) == ()
