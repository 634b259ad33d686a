"""Features are extracted once per content and option, and a damaged file is noticed."""

from __future__ import annotations

import attrs
import pytest
import torch

from fxkit.context import BuildContext
from fxkit.feature_cache import FeatureCache
from fxkit.values import Recording


@attrs.frozen(kw_only=True)
class Level:
    power: float = 1.0

    def dims(self, ctx):
        return 1

    def build(self, ctx):
        def extract(audio):
            frames = audio.shape[-1] // ctx.hop + 1
            return audio.abs().mean().pow(self.power).expand(1, frames)

        return extract


@pytest.fixture
def make(kit, tmp_path):
    def cache(**levels):
        parts = {
            name: kit.make_part(f"features.{name}", "features", Level(power=power), kit.NoKeys())
            for name, power in levels.items()
        }
        return FeatureCache(parts, BuildContext(hop=8), folder=tmp_path)

    return cache


def recording(value=0.5):
    return Recording(name="a", target=torch.full((1, 64), value))


def test_a_second_look_extracts_nothing(make):
    first, second = make(level=1.0), make(level=1.0)
    series = first.series(recording())["level"]
    assert torch.equal(second.series(recording())["level"], series)
    assert (first.extracted, second.extracted) == (1, 0)


def test_a_changed_option_extracts_that_feature_alone(make):
    make(a=1.0, b=1.0).series(recording())
    changed = make(a=1.0, b=2.0)
    assert changed.series(recording())["b"][0, 0] == pytest.approx(0.25)
    assert changed.extracted == 1


def test_changed_audio_is_extracted_anew(make):
    make(level=1.0).series(recording(0.5))
    other = make(level=1.0)
    assert other.series(recording(0.25))["level"][0, 0] == pytest.approx(0.25)
    assert other.extracted == 1


@pytest.mark.parametrize("size", [0, 50, 300])
def test_a_truncated_file_is_named_and_replaced(make, tmp_path, size):
    make(level=1.0).series(recording())
    path = next(tmp_path.rglob("*.npz"))
    path.write_bytes(path.read_bytes()[: min(size, path.stat().st_size - 1)])
    damaged = make(level=1.0)
    assert damaged.series(recording())["level"][0, 0] == pytest.approx(0.5)
    assert damaged.damaged == [path]
    healed = make(level=1.0)
    healed.series(recording())
    assert (healed.extracted, healed.damaged) == (0, [])
