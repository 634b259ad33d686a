import math

import torch

from fxkit.context import BuildContext
from fxkit_features.loudness import Loudness

CONTEXT = BuildContext(sample_rate=16000, hop=64)


def extract(audio, **options):
    return Loudness(**options).build(CONTEXT)(audio)


def tone(level):
    return level * torch.sin(2 * math.pi * 1000 * torch.arange(8000) / 16000)


def test_gives_decibels_per_frame():
    found = extract(tone(0.1)[None])
    assert found.shape == (Loudness().dims(CONTEXT), 8000 // 64 + 1)
    assert found.dtype == torch.float32
    torch.testing.assert_close(found[:, 10:-10], torch.full_like(found[:, 10:-10], -20.0), atol=0.02, rtol=0)


def test_channels_are_averaged():
    both = torch.stack((tone(0.3), tone(0.1)))
    torch.testing.assert_close(extract(both), extract(tone(0.2)[None]), atol=1e-3, rtol=0)


def test_silence_reads_the_floor_that_was_set():
    assert (extract(torch.zeros(1, 5000)) == -80).all()
    assert (extract(torch.zeros(1, 5000), floor=-50.0) == -50).all()


def test_window_sets_how_far_a_click_spreads():
    click = torch.zeros(1, 16000)
    click[0, 8000] = 1.0
    short, long = (int((extract(click, window=w) > -60).sum()) for w in (0.01, 0.2))
    assert long > 3 * short
