"""The contract kit makes every preset as an experiment file would."""

from __future__ import annotations

import attrs
import pytest

from fxkit.spec import opt
from fxkit.testing import trials_of
from fxkit.testing.stock import Softener


def complaints(presets):
    """Return what the kit's check of presets says of a processor that has these."""

    @attrs.frozen(kw_only=True)
    class Preset(Softener):
        """Soften, by a preset."""

        order: int = opt(2, ge=1, le=8, help="order")

        @classmethod
        def presets(cls):
            return presets

    trial = next(trial for trial in trials_of("processor", Preset) if trial.title == "presets")
    try:
        trial()
    except AssertionError as error:
        return str(error)
    return ""


def test_presets_that_can_be_made_pass():
    assert complaints({"small": {"order": 1}, "45-l": {"order": 8}}) == ""


@pytest.mark.parametrize(
    ("presets", "complaint"),
    [
        ({"Very Large": {"order": 8}}, 'calls a preset "Very Large"'),
        ({"large": {"ordre": 8}}, 'did you mean "order"'),
        ({"large": {"order": 9}}, "is above the maximum 8"),
        ({"large": {"order": "8"}}, "expected int"),
    ],
)
def test_a_preset_that_no_file_could_choose_is_named(presets, complaint):
    assert complaint in complaints(presets)
