from __future__ import annotations

import pytest
import torch

from fxkit.context import BuildContext
from fxkit.parameter import Parameter
from fxkit.values import ControlInputs
from fxkit_control.conv_control import ConvControl
from fxkit_control.lstm_control import LSTMControl

GAIN = Parameter(name="gain", low=-12.0, high=12.0, default=3.0, unit="dB")
CTX = BuildContext(hop=10, parameters=(GAIN,))
SMALL = ConvControl(channels=4, kernel=3, dilations=(1, 4))


def stirred(spec, ctx: BuildContext = CTX) -> torch.nn.Module:
    torch.manual_seed(0)
    module = spec.build(ctx)
    with torch.no_grad():
        for weight in module.parameters():
            weight.add_(0.3 * torch.randn_like(weight))
    return module.double()


def frames(module: torch.nn.Module, audio: torch.Tensor, knobs: torch.Tensor | None = None) -> torch.Tensor:
    with torch.no_grad():
        return module(ControlInputs(audio=audio, knobs=knobs))[0]


def reach(spec: ConvControl, samples: int) -> tuple[int, int]:
    """Return the first and last frame that one sample acts on."""
    module = stirred(spec)
    audio = torch.randn(1, 1, 600, dtype=torch.float64)
    changed = audio.clone()
    changed[..., samples] += 3
    differs = (frames(module, changed) - frames(module, audio)).abs()[0, 0] > 1e-12
    touched = differs.nonzero().flatten()
    return int(touched.min()), int(touched.max())


@pytest.mark.parametrize("spec", [SMALL, ConvControl(channels=2, kernel=2, dilations=(3,))])
@pytest.mark.parametrize("sample", [0, 9, 10, 155])
def test_a_sample_acts_after_the_declared_delay_and_within_the_declared_field(spec, sample):
    traits = spec.traits(CTX)
    first, last = reach(spec, sample)
    assert first == sample // 10 + 2
    assert last - first + 1 == traits.receptive_field // 10
    # At the latest where the frame holds, the parameters have followed.
    assert first * 10 - sample <= traits.delay == 20


def test_silence_before_the_start_is_silence():
    module = stirred(SMALL)
    audio = torch.randn(1, 1, 200, dtype=torch.float64)
    late = torch.cat((torch.zeros(1, 1, 400, dtype=torch.float64), audio), dim=-1)
    assert torch.allclose(frames(module, late)[..., 40:], frames(module, audio), atol=1e-12)


def test_it_starts_at_the_defaults_whatever_it_hears():
    values = SMALL.build(CTX)(ControlInputs(audio=torch.randn(2, 1, 500)))[0]
    assert GAIN.to_physical(values.flatten()).tolist() == pytest.approx([3.0] * values.numel(), rel=1e-5)


def test_values_follow_the_level_on_a_scale_of_decibels():
    module = stirred(SMALL)
    tone = torch.sin(0.7 * torch.arange(400, dtype=torch.float64))[None, None]
    quiet, middle, loud = (frames(module, level * tone)[0, 0, -1] for level in (0.001, 0.01, 0.1))
    # Equal ratios move the inputs by equal steps: nothing of the quiet step is lost.
    assert 0.2 < abs(middle - quiet) / abs(loud - middle) < 5


@pytest.mark.parametrize("spec", [SMALL, LSTMControl(hidden=4)])
def test_knobs_act_beside_the_audio(spec):
    ctx = BuildContext(hop=10, parameters=(GAIN,), knobs=("drive", "tone"))
    module = stirred(spec, ctx)
    audio = torch.randn(1, 1, 200, dtype=torch.float64)
    base = frames(module, audio, torch.tensor([[0.5, 0.5]], dtype=torch.float64))
    other = frames(module, 0.1 * audio, torch.tensor([[0.5, 0.5]], dtype=torch.float64))
    assert spec.traits(ctx).uses == ("audio", "knobs")
    assert (other - base).abs().max() > 1e-4
    for knobs in ([[0.9, 0.5]], [[0.5, 0.1]]):
        turned = frames(module, audio, torch.tensor(knobs, dtype=torch.float64))
        assert (turned - base).abs().min() > 1e-5


def test_without_layers_it_is_refused():
    with pytest.raises(ValueError, match="needs at least one layer"):
        ConvControl(dilations=())


def test_a_gain_computer_is_learned():
    """Follow 20 log10 of the block's level above a threshold, as a compressor does."""
    torch.manual_seed(0)
    module = ConvControl(channels=8, dilations=(1, 2)).build(BuildContext(hop=16, parameters=(GAIN,)))
    levels = 10 ** (-3 * torch.rand(4, 1, 60))
    audio = (levels[..., None] * torch.randn(4, 1, 60, 16)).flatten(2)
    rms = 10 * torch.log10(audio.unfold(-1, 16, 16).square().mean(-1))
    wanted = (0.5 - 0.5 * torch.relu((rms + 30) / 30)).clamp(0.02, 0.98)
    optimizer = torch.optim.Adam(module.parameters(), lr=0.02)
    for _ in range(150):
        values = module(ControlInputs(audio=audio))[0]
        error = (values[..., 2:] - wanted[..., : values.shape[-1] - 2]).square().mean()
        optimizer.zero_grad()
        error.backward()
        optimizer.step()
    assert error < 0.1 * wanted.var()
