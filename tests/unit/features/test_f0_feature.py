import math

import pytest
import torch

from fxkit.context import BuildContext
from fxkit.errors import AssemblyError
from fxkit_features.f0 import F0
from fxkit_signal.pitch import track_pitch

RATE, HOP = 16000, 64
CONTEXT = BuildContext(sample_rate=RATE, hop=HOP)


def tone(hertz, seconds=0.5, rate=RATE, level=0.3):
    return level * torch.sin(2 * math.pi * hertz * torch.arange(int(seconds * rate)) / rate)


def extract(audio, ctx=CONTEXT, **options):
    return F0(**options).build(ctx)(audio)


def test_gives_hertz_and_confidence_per_frame():
    found = extract(tone(440)[None])
    assert found.shape == (F0().dims(CONTEXT), 8000 // HOP + 1)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found[0], torch.full_like(found[0], 440.0), atol=0.5, rtol=0)
    assert found[1].min() > 0.99


def test_channels_are_averaged():
    left, right = tone(440), tone(440, level=0.1)
    torch.testing.assert_close(extract(torch.stack((left, right))), extract((left + right)[None] / 2))


@pytest.mark.parametrize("rate", [8000, 22050, 44100, 96000])
def test_reads_the_same_pitch_at_any_rate(rate):
    found = extract(tone(331.0, rate=rate)[None], BuildContext(sample_rate=rate, hop=rate // 250))
    torch.testing.assert_close(found[0], torch.full_like(found[0], 331.0), atol=0.5, rtol=0)


def test_floor_and_ceiling_bound_what_is_found():
    audio = tone(440)[None]
    assert extract(audio, floor=500.0)[0].min() >= 500
    assert extract(audio, ceiling=300.0)[0].max() <= 300


def test_threshold_decides_on_noisy_tones():
    noisy = tone(440, level=0.1) + 0.05 * torch.randn(8000, generator=torch.Generator().manual_seed(0))
    assert (extract(noisy[None], threshold=0.9)[1] > 0).all()
    assert (extract(noisy[None], threshold=0.05)[1] == 0).all()


def test_silence_option_gates_on_level():
    audio = tone(440, level=0.01)[None]
    assert (extract(audio, silence=-50.0)[1] > 0).all()
    assert (extract(audio, silence=-40.0)[1] == 0).all()


def test_confidence_above_zero_is_voicing():
    audio = torch.cat((tone(220), torch.zeros(8000), tone(330)))
    found, track = extract(audio[None]), track_pitch(audio, RATE, HOP)
    assert torch.equal(found[1] > 0, track.voiced)
    assert (found[0] > 0).all()


def test_options_that_do_not_fit_are_named():
    assert list(F0(floor=900.0, ceiling=800.0).problems()) == [
        ("floor", "900 Hz must be below the ceiling, 800 Hz")
    ]
    assert list(F0().problems()) == []
    with pytest.raises(AssemblyError, match="at most 1000 Hz"):
        F0().build(BuildContext(sample_rate=4000))
