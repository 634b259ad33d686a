from __future__ import annotations

import math

import pytest
import torch

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs
from fxkit_control._levels import pooled_levels
from fxkit_control.lstm_control import LSTMControl

GAIN = Parameter(name="gain", low=-12.0, high=12.0, default=3.0, unit="dB")
CTX = BuildContext(hop=64, parameters=(GAIN,))


def stirred(spec: LSTMControl, ctx: BuildContext = CTX) -> torch.nn.Module:
    torch.manual_seed(0)
    module = spec.build(ctx)
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return module


def test_levels_are_root_mean_square_and_largest_magnitude_of_each_block():
    audio = torch.randn(2, 3, 40)
    for item, levels in zip(audio.tolist(), pooled_levels(audio, 8).tolist(), strict=True):
        for block, (power, peak) in enumerate(levels):
            samples = [sample for channel in item for sample in channel[8 * block : 8 * block + 8]]
            assert power == pytest.approx(math.sqrt(sum(s * s for s in samples) / 24), rel=1e-5)
            assert peak == pytest.approx(max(map(abs, samples)), rel=1e-6)


@pytest.mark.parametrize("samples", [1, 63, 64, 65, 128, 1000])
def test_the_frames_that_a_block_needs_are_emitted(samples):
    values, _ = LSTMControl().build(CTX)(ControlInputs(audio=torch.zeros(2, 1, samples)))
    assert values.shape[-1] == (samples - 1) // 64 + 2


def test_it_starts_at_the_defaults_whatever_it_hears():
    values, _ = LSTMControl().build(CTX)(ControlInputs(audio=torch.randn(2, 1, 500)))
    assert GAIN.to_physical(values.flatten()).tolist() == pytest.approx([3.0] * values.numel(), rel=1e-5)


def test_a_frame_comes_from_samples_before_the_frame_before_it():
    module = stirred(LSTMControl(hop=10))
    audio = torch.randn(1, 1, 100)
    before = module(ControlInputs(audio=audio))[0]
    for sample in (0, 9, 10, 55, 79):
        changed = audio.clone()
        changed[..., sample] += 1
        differs = (module(ControlInputs(audio=changed))[0] != before)[0, 0].nonzero().flatten()
        assert int(differs.min()) == sample // 10 + 2


def test_knobs_of_the_data_are_read():
    ctx = BuildContext(hop=64, parameters=(GAIN,), knobs=("drive",))
    module = stirred(LSTMControl(), ctx)
    audio = torch.randn(1, 1, 200)
    low, high = (module(ControlInputs(audio=audio, knobs=torch.full((1, 1), k)))[0] for k in (0.0, 1.0))
    assert LSTMControl().traits(ctx).uses == ("audio", "knobs")
    assert (low - high).abs().min().item() > 0


def test_the_hop_is_the_runs_unless_it_is_given():
    assert LSTMControl().traits(CTX).hop == 64
    assert LSTMControl(hop=128).traits(CTX).hop == 128
