"""The page that helps to choose a loss names each, and says of each what it hears."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

from fxkit.catalog import Catalog
from fxkit.context import BuildContext
from fxkit.testing.suite import examples_of
from fxkit.traits import loss_traits
from fxkit.values import Batch, Output

PAGE = Path(__file__).parents[3] / "docs/howto/which-loss.md"
CATALOG = Catalog.installed(in_tree_only=True)
LOSSES = {entry.name: entry for entry in CATALOG.entries if entry.kind == "losses"}
CTX = BuildContext(channels=2, target_channels=2)
PITCH = ("f0-error", "raw-pitch-accuracy", "voicing-f1")


def told():
    """Return loss -> (polarity, phase, level) of the tables."""
    rows = [line.strip("|").split("|") for line in PAGE.read_text().splitlines() if line.startswith("| `")]
    return {row[0].strip(" `"): tuple(cell.strip() for cell in row[1:4]) for row in rows}


def test_every_loss_is_on_the_page():
    text = PAGE.read_text()
    assert [name for name in LOSSES if f"`{name}`" not in text] == []
    assert [name for name in told() if name not in LOSSES] == []


def signals():
    """Return a target that beats around a small constant, and one unlike it."""
    draw = torch.Generator().manual_seed(0)
    target, other = (0.2 * torch.randn(1, 2, 24000, generator=draw, dtype=torch.float64) for _ in range(2))
    beats = 0.2 + torch.exp(-5 * ((torch.arange(24000) / 6000) % 1))
    return 0.05 + target * beats, other * beats.flip(0)


def heard(spec):
    """Return respect -> whether a change in that respect alone moves the value much."""
    target, other = signals()
    loss = spec.build(CTX)

    def value(audio):
        return float(loss(Output(audio=audio), Batch(target=target)))

    near = target + 0.1 * other
    spectrum = torch.fft.rfft(target)
    # A quarter turn of all phases but those of the ends, which have none.
    spectrum[..., 1:-1] *= 1j
    turned = torch.fft.irfft(spectrum, n=24000)
    moved = {
        "polarity": (value(-near) - value(near), 0.01),
        "phase": (value(turned) - value(target), 0.3),
        "level": (value(0.5 * near) - value(near), 0.01),
    }
    whole = abs(value(other) - value(target))
    return {respect: abs(change) > limit * whole for respect, (change, limit) in moved.items()}


@pytest.mark.parametrize(("name", "hears"), [row for row in told().items() if "as within" not in row[1]])
def test_a_loss_hears_what_the_page_says(name, hears):
    spec = examples_of(CATALOG.spec(LOSSES[name]), "losses")[0]
    assert (hears[0] == "no") == loss_traits(spec, CTX).sign_blind
    # Noise has no pitch.
    found = dict.fromkeys(("polarity", "phase", "level"), False) if name in PITCH else heard(spec)
    assert tuple("yes" if one else "no" for one in found.values()) == hears
