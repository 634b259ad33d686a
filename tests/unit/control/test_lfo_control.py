from __future__ import annotations

import math

import pytest
import torch

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs
from fxkit_control.lfo import LFO

DELAY = Parameter(name="flanger.delay", low=1.0, high=11.0, default=3.0, unit="ms")
PAIR = Parameter(name="noise.level", low=0.0, high=1.0, default=(0.0, 0.9), size=2, rate="frame")
CTX = BuildContext(hop=64, parameters=(DELAY, PAIR))


def frames(module, count, state=None, batch=1):
    return module(ControlInputs(audio=torch.zeros(batch, 1, 64), frames=count), state)


@pytest.mark.parametrize("wave", ["sine", "triangle", "learned"])
def test_the_swing_lies_around_the_default_and_inside_the_range(wave):
    values, _ = frames(LFO(wave=wave, swing=0.2, rate=3.0).build(CTX), 2000)
    share = DELAY.to_normalised(3.0)
    assert float(values[0, 0].detach().min()) == pytest.approx(share - 0.1, abs=1e-3)
    assert float(values[0, 0].detach().max()) == pytest.approx(share + 0.1, abs=1e-3)
    assert float(values[0, 1].detach().min()) >= 0
    assert float(values[0, 2].detach().max()) <= 1


def test_frames_follow_a_sine_of_the_rate_from_the_phase():
    module = LFO(rate=2.0, swing=0.2).build(CTX)
    with torch.no_grad():
        module.phase.fill_(0.125)
    values, _ = frames(module, 500)
    for frame in (0, 7, 499):
        turn = 2.0 * frame * 64 / 48000 + 0.125
        assert float(values[0, 0, frame].detach()) == pytest.approx(
            0.2 + 0.1 * math.sin(2 * math.pi * turn), abs=1e-5
        )


def test_a_segment_cut_out_of_a_recording_finds_the_oscillators_where_they_would_be():
    module = LFO(rate=0.7).build(CTX)
    whole, _ = frames(module, 1000)
    starts = torch.tensor([64 * 300, 0, 64 * 900])
    cut, after = frames(module, 100, module.state_at(starts), batch=3)
    for item, first in enumerate((300, 0, 900)):
        assert torch.equal(cut[item], whole[0, :, first : first + 100])
    assert after.tolist() == [64 * 400, 64 * 100, 64 * 1000]


def test_a_learned_wave_never_leaves_the_swing():
    module = LFO(wave="learned", swing=1.0, rate=5.0).build(CTX)
    with torch.no_grad():
        module.harmonics.normal_()
    values, _ = frames(module, 1000)
    assert float(values.detach().min()) >= 0
    assert float(values.detach().max()) <= 1


def test_training_finds_the_swing_and_phase_of_another_oscillator():
    torch.manual_seed(0)
    target = LFO(rate=1.0, swing=0.3).build(CTX)
    with torch.no_grad():
        target.phase.fill_(0.1)
        target.octaves.fill_(math.log2(1.02))
        wanted, _ = frames(target, 1500)
    module = LFO(rate=1.0, swing=0.1).build(CTX)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(300):
        loss = (frames(module, 1500)[0] - wanted).square().mean()
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    assert float(loss.detach()) < 1e-5
    assert float(module.octaves.detach()[0].exp2()) == pytest.approx(1.02, abs=2e-3)
