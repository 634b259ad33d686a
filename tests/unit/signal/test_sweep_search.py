import math

import pytest
import torch

from fxkit_signal.delay_line import delay_line
from fxkit_signal.lfo import lfo_wave
from fxkit_signal.sweep_search import explained_shares, find_sweep

RATE = 8000


def plucks(seconds, seed=0):
    """Decaying notes of changing pitch over a little noise: something to be flanged."""
    draw = torch.Generator().manual_seed(seed)
    time = torch.arange(RATE // 4, dtype=torch.float64) / RATE
    notes = []
    for _ in range(int(seconds * 4)):
        pitch = 110 * 2 ** (float(torch.rand((), generator=draw)) * 2)
        partials = [torch.sin(2 * math.pi * pitch * k * time + k) / k for k in range(1, 10)]
        notes.append(torch.stack(partials).sum(0) * torch.exp(-6 * time))
    sound = torch.cat(notes)
    return 0.2 * sound + 0.003 * torch.randn(sound.shape, generator=draw, dtype=torch.float64)


def swept(dry, shortest, longest, rate, phase, wave="sine", feedback=0.3):
    turns = rate * torch.arange(dry.shape[-1], dtype=torch.float64) / RATE + phase
    delay = shortest + (longest - shortest) * (0.5 + 0.5 * lfo_wave(turns, wave))
    loop = torch.full((1, 1, 1), feedback)
    wet, _ = delay_line(dry[None, None], delay[None, None], loop, longest=200, interpolation="linear")
    return 0.5 * dry + 0.3 * wet[0, 0]


@pytest.mark.parametrize(
    ("shortest", "longest", "rate", "phase", "wave"),
    [
        (8, 40, 0.35, 0.45, "sine"),
        (20, 35, 1.3, -0.2, "sine"),
        (12, 90, 0.11, 0.1, "sine"),
        (15, 75, 0.4, 0.3, "triangle"),
    ],
)
def test_a_sweep_is_found_with_nothing_known_but_its_wave(shortest, longest, rate, phase, wave):
    dry = plucks(30)
    found = find_sweep(dry, swept(dry, shortest, longest, rate, phase, wave), RATE, longest=120, wave=wave)
    assert found.shortest == pytest.approx(shortest, abs=1.5)
    assert found.longest == pytest.approx(longest, abs=1.5)
    # Off by less than a fiftieth of a turn at the end.
    assert found.rate == pytest.approx(rate, abs=0.02 / 30)
    assert abs((found.phase - phase + 0.5) % 1 - 0.5) < 0.02
    assert found.share > 0.3


def test_a_delay_that_stands_explains_all_that_the_dry_sound_does_not():
    dry = torch.randn(4000, generator=torch.Generator().manual_seed(0), dtype=torch.float64)
    wet = 0.5 * dry
    wet[37:] += 0.4 * dry[:-37]
    shares = explained_shares(dry, wet, 512, 256, 60)
    assert shares.argmax(1).unique().tolist() == [37]
    assert float(shares[:, 37].min()) > 0.97
    assert float(shares[:, :30].mean()) < 0.05


def test_silence_explains_nothing():
    assert not explained_shares(torch.zeros(4000), torch.zeros(4000), 512, 256, 60).any()


def test_less_than_a_second_is_refused():
    with pytest.raises(ValueError, match="at least a second"):
        find_sweep(torch.zeros(100), torch.zeros(100), RATE, longest=20)
